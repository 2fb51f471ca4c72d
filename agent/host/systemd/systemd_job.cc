#include "agent/host/systemd/systemd_job.h"

#include <systemd/sd-bus.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/host/systemd/bus_call.h"
#include "agent/host/systemd/bus_property.h"

namespace connect_ha {
namespace {

using std::chrono::steady_clock;

int JobRemoved(sd_bus_message* message, void* jobs, sd_bus_error*) {
  uint32_t id = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) >= 0) {
    static_cast<SystemdJobs*>(jobs)->Ended(job, result);
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SystemdJobs>> SystemdJobs::Watch(sd_bus* bus) {
  std::unique_ptr<SystemdJobs> jobs(new SystemdJobs(bus));
  const int result = sd_bus_match_signal(bus, nullptr, SystemdSender(bus), kManagerPath,
                                         kManagerInterface, "JobRemoved", JobRemoved, jobs.get());
  if (result < 0) return BusStatus(result, "watch systemd's jobs");
  const auto subscribed = ManagerCall(bus, "Subscribe", "watch systemd's jobs").Send();
  if (!subscribed.ok()) return subscribed.status();
  return jobs;
}

absl::StatusOr<std::string> SystemdJobs::Wait(const std::string& job,
                                              std::chrono::milliseconds deadline) {
  const auto end = steady_clock::now() + deadline;
  while (true) {
    int result = 0;
    do {
      result = sd_bus_process(bus_, nullptr);
    } while (result > 0);
    if (result < 0) return BusStatus(result, "wait for systemd");
    const auto found = results_.find(job);
    if (found != results_.end()) return found->second;
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(end - steady_clock::now());
    if (left.count() <= 0) {
      return absl::DeadlineExceededError(
          absl::StrCat("not over after ", deadline.count() / 1000, " s"));
    }
    result = sd_bus_wait(bus_, static_cast<uint64_t>(left.count()));
    if (result < 0 && result != -EINTR) return BusStatus(result, "wait for systemd");
  }
}

}  // namespace connect_ha
