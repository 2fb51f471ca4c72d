// The processes of a service, by its control group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/host.h"

namespace connect_ha {

struct UnitProcess {
  uint32_t id = 0;
  uint32_t parent = 0;
  uint32_t uid = 0;  // effective
};

// Sorted by id. NotFound: the service has no control group, since it does not run, or is not where
// a service usually is (system.slice, cgroup v2).
absl::StatusOr<std::vector<UnitProcess>> ReadUnitProcesses(Host& host, const std::string& unit);

// What Connect runs for users: it runs as root, content as an account. Of what a process of theirs
// has started, only that process counts.
uint32_t CountJobs(const std::vector<UnitProcess>& processes);

}  // namespace connect_ha
