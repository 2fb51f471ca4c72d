// What the gate's tests know of a node: that Connect's configuration can be read, and names
// PostgreSQL. Nothing else was looked at.
#pragma once

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

inline void SetConfiguration(v1::Facts& facts) {
  v1::ConfigurationFacts& configuration = *facts.mutable_configuration();
  configuration.set_path("/etc/rstudio-connect/rstudio-connect.gcfg");
  configuration.set_mode(0600);
  v1::ConfigKey& provider = *configuration.add_keys();
  provider.set_section("Database");
  provider.set_name("Provider");
  provider.add_values("postgres");
}

}  // namespace connect_ha
