// What installing one package would do to others, as apt foresees it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/resource.h"

namespace connect_ha {

// "libpq5 15.3", "libssl3 3.0.9 to 3.0.11".
struct OtherPackages {
  std::vector<std::string> installed;
  std::vector<std::string> upgraded;
  std::vector<std::string> removed;
  std::vector<std::string> downgraded;
  std::vector<std::string> on_hold;  // that somebody put on hold, and that would be changed
};

// `output`: what `apt-get -s` printed for `package` (apt 2.4 to 2.6, in the C locale).
OtherPackages ParseSimulation(absl::string_view output, const std::string& package,
                              const PackageDatabase& database);

// Asks apt; changes nothing. FailedPrecondition: apt sees no way to install it now, be it that its
// lists are too old.
absl::StatusOr<OtherPackages> SimulateInstall(const ResourceContext& context,
                                              const AptInstall& install);

// ", with libpq5 15.3, and libssl3 3.0.9 to 3.0.11"; "" where nothing else is touched.
std::string DescribeOthers(const OtherPackages& others);

// What a package depends on comes, or is upgraded, with it. FailedPrecondition: others would go, or
// go back, or are on hold.
absl::Status CheckOthers(const OtherPackages& others, const std::string& package);

}  // namespace connect_ha
