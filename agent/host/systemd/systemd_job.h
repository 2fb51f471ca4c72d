// Waits for a job of systemd's: a unit that is being started or stopped.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/systemd/systemd_bus.h"

namespace connect_ha {

// For one thread. Made before the call that makes the job, so that its end is not missed.
class SystemdJobs {
 public:
  // Subscribes, on a connection that lives longer than this.
  static absl::StatusOr<std::unique_ptr<SystemdJobs>> Watch(sd_bus* bus);

  // The job's result: "done", "canceled", "timeout", "failed" and others. DeadlineExceeded: it
  // goes on.
  absl::StatusOr<std::string> Wait(const std::string& job, std::chrono::milliseconds deadline);

  // For the bus's callback.
  void Ended(const std::string& job, const std::string& result) { results_[job] = result; }

 private:
  explicit SystemdJobs(sd_bus* bus) : bus_(bus) {}

  sd_bus* bus_;
  std::map<std::string, std::string> results_;  // by job
};

}  // namespace connect_ha
