// The distribution's package manager, run by PID 1 in a service of its own so that it outlives this
// process, is found again by its name, and is never started twice.
//
// STATE_DIR/installing holds the name of the service that was started last and whose result has not
// been dealt with.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/resources/resource.h"

namespace connect_ha {

struct Installation {
  std::string service;      // connect-ha-install-....service
  std::string description;  // "install rstudio-connect 2024.08.0"
  std::vector<std::vector<std::string>> commands;
  std::vector<std::vector<std::string>> at_end;  // as of TransientService
  // Of each command. apt waits up to ten minutes for dpkg's lock; a package of gigabytes takes a
  // few more.
  std::chrono::minutes time_limit{40};
  // Connect's own package may be changed by it: then Connect is held.
  bool touches_connect = true;
  std::string fix_of_time_out = "find out what it waited for: apt-get install ./FILE by hand";
};

// The name of the service for an artifact, or for anything else that has a digest (hex).
std::string InstallerService(const std::string& verb, const std::string& digest);

// The service that was started last, while its result has not been dealt with; "" for none.
absl::StatusOr<std::string> NotedInstaller(const ResourceContext& context);

// A service of this name was started and its result has not been dealt with: Install will wait for
// it and start nothing.
absl::StatusOr<bool> IsUnderWay(const ResourceContext& context, const std::string& service);

// Starts the commands, or finds them started, and waits for their end. Waits first for another
// installation that is under way. Cancelled: stopped while they run, which they go on to do. A
// failure has the last lines of the log in progress.Log, and a code by what the log says:
// Unavailable for a lock or the network, ResourceExhausted for a full disk, NotFound where apt's
// lists are too old to find what is needed, FailedPrecondition for everything else.
absl::Status Install(const ResourceContext& context, const Installation& installation,
                     Progress& progress);

// Waits for the installation that is under way, if one is, and forgets its result.
absl::Status SettleInstaller(const ResourceContext& context, Progress& progress);

// The code for what apt or dpkg printed (above); never OK. Of what package scripts print between a
// full disk alone counts.
absl::StatusCode ClassifyInstallerLog(const std::string& log);

}  // namespace connect_ha
