// What a generation asks of a machine, as far as this world has it: a version of Connect, runtimes,
// and Connect's configuration by what a change of it needs.
#pragma once

#include <cstdint>
#include <string>

#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/spec.pb.h"
#include "tests/plan_simulation/report.h"

namespace connect_ha::simulation {

// Keys of rstudio-connect.gcfg; the values are digits.
struct Configuration {
  uint32_t restarts = 0;  // needs a restart of Connect
  uint32_t reloads = 0;   // Connect reads it anew when it is told to
  uint32_t together = 0;  // has to be the same wherever Connect runs

  bool operator==(const Configuration&) const = default;
};

struct Wanted {
  Version version = 0;    // 0: not said
  uint32_t runtimes = 0;  // a bit for each
  bool prunes = false;    // what is no longer named is removed
  Configuration configuration;
};

// 0: it is none of them.
Version VersionNamed(const std::string& text);
// 0: it names none.
Version VersionIn(const v1::ClusterSpec& spec);
// Python's, a bit for each.
uint32_t RuntimesIn(const v1::ClusterSpec& spec);
void SetRuntimes(uint32_t bits, v1::ClusterSpec& spec);
std::string RuntimeText(uint32_t bit);

// As of Desired.connect_config.
std::string TextOf(const Configuration& configuration);
Wanted WantedBy(const v1::Desired& desired);

}  // namespace connect_ha::simulation
