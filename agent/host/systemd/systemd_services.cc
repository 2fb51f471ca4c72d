// SystemdChanges' transient services.
#include <signal.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/systemd/bus_call.h"
#include "agent/host/systemd/bus_property.h"
#include "agent/host/systemd/systemd_bus.h"
#include "agent/host/systemd/systemd_changes.h"
#include "agent/host/systemd/transient_service.h"

namespace connect_ha {
namespace {

using State = ServiceResult::State;
using std::chrono::milliseconds;

constexpr char kServiceInterface[] = "org.freedesktop.systemd1.Service";
constexpr char kTransientDirectory[] = "/run/systemd/transient/";
// From SIGTERM, at the time limit, to SIGKILL.
constexpr uint64_t kTimeToEndUs = 30'000'000;
constexpr milliseconds kStopDeadline{10'000};
constexpr milliseconds kLookAgain{10};
constexpr int kMostLooks = 500;

// One property of a(sv), its value opened for `append` to fill.
template <typename Append>
void Property(ManagerCall& call, const char* name, const char* type, Append append) {
  sd_bus_message* message = call.message();
  call.Keep(sd_bus_message_open_container(message, 'r', "sv"))
      .Keep(sd_bus_message_append(message, "s", name))
      .Keep(sd_bus_message_open_container(message, 'v', type))
      .Keep(append(message))
      .Keep(sd_bus_message_close_container(message))
      .Keep(sd_bus_message_close_container(message));
}

void Text(ManagerCall& call, const char* name, const std::string& value) {
  Property(call, name, "s",
           [&](sd_bus_message* m) { return sd_bus_message_append(m, "s", value.c_str()); });
}

void Number64(ManagerCall& call, const char* name, uint64_t value) {
  Property(call, name, "t",
           [&](sd_bus_message* m) { return sd_bus_message_append(m, "t", value); });
}

int AppendTexts(sd_bus_message* message, const std::vector<std::string>& texts) {
  int result = sd_bus_message_open_container(message, 'a', "s");
  for (const std::string& text : texts) {
    if (result >= 0) result = sd_bus_message_append(message, "s", text.c_str());
  }
  return result < 0 ? result : sd_bus_message_close_container(message);
}

// a(sasb): program, arguments with the program's name, whether failure is ignored. Not ExecStartEx:
// systemd 252 writes that to a file which it cannot read, and after a daemon-reload takes a service
// whose commands it has lost for one that succeeded.
int AppendCommands(sd_bus_message* message, const std::vector<std::vector<std::string>>& commands) {
  int result = sd_bus_message_open_container(message, 'a', "(sasb)");
  for (const std::vector<std::string>& command : commands) {
    std::vector<std::string> words = command;
    words[0] = ProgramOf(command);
    if (result >= 0) result = sd_bus_message_open_container(message, 'r', "sasb");
    if (result >= 0) result = sd_bus_message_append(message, "s", words[0].c_str());
    if (result >= 0) result = AppendTexts(message, words);
    if (result >= 0) result = sd_bus_message_append(message, "b", MayFail(command) ? 1 : 0);
    if (result >= 0) result = sd_bus_message_close_container(message);
  }
  return result < 0 ? result : sd_bus_message_close_container(message);
}

void AppendProperties(ManagerCall& call, const TransientService& service) {
  sd_bus_message* message = call.message();
  call.Keep(sd_bus_message_open_container(message, 'a', "(sv)"));
  Text(call, "Description", service.description);
  Text(call, "Type", "oneshot");
  Property(call, "RemainAfterExit", "b",
           [](sd_bus_message* m) { return sd_bus_message_append(m, "b", 1); });
  Property(call, "ExecStart", "a(sasb)",
           [&](sd_bus_message* m) { return AppendCommands(m, service.commands); });
  if (!service.at_end.empty()) {
    Property(call, "ExecStopPost", "a(sasb)",
             [&](sd_bus_message* m) { return AppendCommands(m, service.at_end); });
  }
  Property(call, "Environment", "as",
           [&](sd_bus_message* m) { return AppendTexts(m, service.environment); });
  if (!service.log_path.empty()) {
    Text(call, "StandardOutputFileToAppend", service.log_path);
    Text(call, "StandardErrorFileToAppend", service.log_path);
  }
  if (service.time_limit.count() > 0) {
    Number64(call, "TimeoutStartUSec", static_cast<uint64_t>(service.time_limit.count()) * 1000);
  }
  Number64(call, "TimeoutStopUSec", kTimeToEndUs);
  Text(call, "KillMode", "control-group");
  call.Keep(sd_bus_message_close_container(message));
}

absl::StatusOr<std::string> FindService(sd_bus* bus, const std::string& name) {
  ManagerCall call(bus, "GetUnit", "look at service " + name);
  call.Keep(sd_bus_message_append(call.message(), "s", name.c_str()));
  return call.SendForPath();
}

State StateOf(const std::string& active) {
  if (active == "active") return State::kSucceeded;
  if (active == "failed") return State::kFailed;
  return active == "inactive" ? State::kAbsent : State::kRunning;
}

absl::StatusOr<ServiceResult> Read(sd_bus* bus, const std::string& name) {
  const absl::StatusOr<std::string> path = FindService(bus, name);
  if (absl::IsNotFound(path.status())) return ServiceResult();
  if (!path.ok()) return path.status();
  BusObject object(bus, *path);
  ServiceResult result;
  // The job first: it lasts from before the service is active until its last command ended.
  const bool has_job = object.HasJob();
  const std::string active = object.Text(kUnitInterface, "ActiveState");
  result.state = has_job ? State::kRunning : StateOf(active);
  const std::string file = object.Text(kUnitInterface, "FragmentPath");
  if (object.status().ok() && result.state != State::kAbsent &&
      !absl::StartsWith(file, kTransientDirectory)) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " is not a service of ours: it is from ", file));
  }
  if (result.state == State::kFailed) {
    result.reason = object.Text(kServiceInterface, "Result");
    const int code = object.Signed32(kServiceInterface, "ExecMainCode");
    const int status = object.Signed32(kServiceInterface, "ExecMainStatus");
    result.exit_code = code == CLD_EXITED ? status : 128 + status;
  }
  if (!object.status().ok()) return object.status();
  return result;
}

// systemd drops a unit soon after there is nothing to know about it, and only then takes another
// of its name.
absl::Status WaitUntilGone(sd_bus* bus, const std::string& name) {
  for (int look = 0; look < kMostLooks; ++look) {
    const absl::StatusOr<std::string> path = FindService(bus, name);
    if (absl::IsNotFound(path.status())) return absl::OkStatus();
    if (!path.ok()) return path.status();
    usleep(static_cast<useconds_t>(std::chrono::microseconds(kLookAgain).count()));
  }
  return absl::DeadlineExceededError("cannot clear service " + name + ": systemd still knows it");
}

}  // namespace

absl::Status SystemdChanges::StartService(const TransientService& service) {
  if (absl::Status status = CheckTransientService(service); !status.ok()) return status;
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  ManagerCall call(bus->get(), "StartTransientUnit", "start service " + service.name);
  call.Keep(sd_bus_message_append(call.message(), "ss", service.name.c_str(), "fail"));
  AppendProperties(call, service);
  call.Keep(sd_bus_message_append(call.message(), "a(sa(sv))", 0));
  return call.Send().status();
}

absl::StatusOr<ServiceResult> SystemdChanges::ReadService(const std::string& name) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  return Read(bus->get(), name);
}

absl::Status SystemdChanges::ClearService(const std::string& name) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  const absl::StatusOr<ServiceResult> result = Read(bus->get(), name);
  if (!result.ok()) return result.status();
  if (result->state == State::kRunning) {
    return absl::FailedPreconditionError("cannot clear service " + name + ": it still runs");
  }
  if (result->state == State::kSucceeded) {
    if (absl::Status status = StopUnit(name, kStopDeadline); !status.ok()) return status;
  } else if (result->state == State::kFailed) {
    ManagerCall call(bus->get(), "ResetFailedUnit", "clear service " + name);
    call.Keep(sd_bus_message_append(call.message(), "s", name.c_str()));
    const auto cleared = call.Send();
    if (!cleared.ok() && !absl::IsNotFound(cleared.status())) return cleared.status();
  }
  return WaitUntilGone(bus->get(), name);
}

}  // namespace connect_ha
