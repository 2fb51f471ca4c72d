// SystemdChanges' units; its services are in systemd_services.cc.
#include "agent/host/systemd/systemd_changes.h"

#include <systemd/sd-bus.h>

#include "absl/strings/str_cat.h"
#include "agent/host/systemd/bus_call.h"
#include "agent/host/systemd/bus_property.h"
#include "agent/host/systemd/systemd_bus.h"
#include "agent/host/systemd/systemd_job.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

// Reload answers when all unit files were read again.
constexpr uint64_t kReloadTimeoutUs = 60'000'000;

struct UnitState {
  std::string load;
  std::string active;
  std::string file;
};

absl::StatusOr<UnitState> ReadState(sd_bus* bus, const std::string& name) {
  ManagerCall call(bus, "LoadUnit", "look at unit " + name);
  call.Keep(sd_bus_message_append(call.message(), "s", name.c_str()));
  const absl::StatusOr<std::string> path = call.SendForPath();
  if (!path.ok()) return path.status();
  BusObject object(bus, *path);
  UnitState state;
  state.load = object.Text(kUnitInterface, "LoadState");
  state.active = object.Text(kUnitInterface, "ActiveState");
  state.file = object.Text(kUnitInterface, "UnitFileState");
  if (!object.status().ok()) return object.status();
  return state;
}

absl::Status Reload(sd_bus* bus) {
  sd_bus_set_method_call_timeout(bus, kReloadTimeoutUs);
  return ManagerCall(bus, "Reload", "let systemd read its unit files").Send().status();
}

// The unit's state; where that is not as wanted yet, after systemd read its unit files anew.
template <typename Wanted>
absl::StatusOr<UnitState> ReadOrReload(sd_bus* bus, const std::string& name, Wanted wanted) {
  absl::StatusOr<UnitState> state = ReadState(bus, name);
  if (!state.ok() || wanted(*state)) return state;
  if (absl::Status reloaded = Reload(bus); !reloaded.ok()) return reloaded;
  return ReadState(bus, name);
}

absl::Status Unmask(sd_bus* bus, const std::string& name, bool runtime) {
  ManagerCall call(bus, "UnmaskUnitFiles", "unmask unit " + name);
  call.Keep(sd_bus_message_append(call.message(), "asb", 1, name.c_str(), runtime ? 1 : 0));
  return call.Send().status();
}

// `verb` of systemctl: "start". Waits for the end of the job that `method` makes.
absl::Status RunJob(sd_bus* bus, const char* method, const char* verb, const std::string& name,
                    std::chrono::milliseconds deadline) {
  const auto jobs = SystemdJobs::Watch(bus);
  if (!jobs.ok()) return jobs.status();
  const std::string what = absl::StrCat(verb, " unit ", name);
  ManagerCall call(bus, method, what);
  call.Keep(sd_bus_message_append(call.message(), "ss", name.c_str(), "replace"));
  const absl::StatusOr<std::string> job = call.SendForPath();
  if (!job.ok()) return job.status();
  const absl::StatusOr<std::string> result = (*jobs)->Wait(*job, deadline);
  if (!result.ok()) {
    return {result.status().code(), absl::StrCat("cannot ", what, ": ", result.status().message())};
  }
  if (*result == "done") return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("cannot ", what, ": systemd says ", *result));
}

}  // namespace

absl::Status SystemdChanges::ReloadUnits() {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  return bus.ok() ? Reload(bus->get()) : bus.status();
}

absl::Status SystemdChanges::MaskUnit(const std::string& name) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  ManagerCall call(bus->get(), "MaskUnitFiles", "mask unit " + name);
  // For good, not until the next boot; never over a file that is there.
  call.Keep(sd_bus_message_append(call.message(), "asbb", 1, name.c_str(), 0, 0));
  const auto masked = call.Send();
  if (absl::IsAlreadyExists(masked.status())) {
    const std::string file = "/etc/systemd/system/" + name;
    return absl::FailedPreconditionError(absl::StrCat("cannot mask ", name, ": ", file,
                                                      " is in the way\nfix: move it away: mv ",
                                                      ShellOperand(file), " /root/"));
  }
  if (!masked.ok()) return masked.status();
  const auto is_masked = [](const UnitState& unit) {
    return unit.load == "masked" && unit.file == "masked";
  };
  const absl::StatusOr<UnitState> state = ReadOrReload(bus->get(), name, is_masked);
  if (!state.ok()) return state.status();
  if (is_masked(*state)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot mask ", name, ": it is still ",
                                                    state->load, ", its file ", state->file));
}

absl::Status SystemdChanges::UnmaskUnit(const std::string& name) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  for (const bool runtime : {false, true}) {
    if (absl::Status status = Unmask(bus->get(), name, runtime); !status.ok()) return status;
  }
  const auto is_not_masked = [](const UnitState& unit) {
    return unit.load != "masked" && unit.file != "masked";
  };
  const absl::StatusOr<UnitState> state = ReadOrReload(bus->get(), name, is_not_masked);
  if (!state.ok()) return state.status();
  if (is_not_masked(*state)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot unmask ", name, ": it is still masked\nfix: ls -l /*/systemd/system/",
                   ShellWord(name), " /usr/lib/systemd/system/", ShellWord(name),
                   " and remove the link to /dev/null"));
}

absl::Status SystemdChanges::EnableUnit(const std::string& name) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  ManagerCall call(bus->get(), "EnableUnitFiles", "enable unit " + name);
  // For good, not until the next boot; never over another unit's links.
  call.Keep(sd_bus_message_append(call.message(), "asbb", 1, name.c_str(), 0, 0));
  if (const auto enabled = call.Send(); !enabled.ok()) return enabled.status();
  return Reload(bus->get());
}

absl::Status SystemdChanges::StartUnit(const std::string& name,
                                       std::chrono::milliseconds deadline) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  // Where it is being started already, that job is the answer.
  return RunJob(bus->get(), "StartUnit", "start", name, deadline);
}

absl::Status SystemdChanges::ReloadUnit(const std::string& name,
                                        std::chrono::milliseconds deadline) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  return RunJob(bus->get(), "ReloadUnit", "reload", name, deadline);
}

absl::Status SystemdChanges::StopUnit(const std::string& name, std::chrono::milliseconds deadline) {
  const absl::StatusOr<BusHandle> bus = OpenBus(address_);
  if (!bus.ok()) return bus.status();
  const auto jobs = SystemdJobs::Watch(bus->get());
  if (!jobs.ok()) return jobs.status();
  ManagerCall call(bus->get(), "StopUnit", "stop unit " + name);
  call.Keep(sd_bus_message_append(call.message(), "ss", name.c_str(), "replace"));
  const absl::StatusOr<std::string> job = call.SendForPath();
  // What is not there does not run.
  if (absl::IsNotFound(job.status())) return absl::OkStatus();
  if (!job.ok()) return job.status();
  const absl::StatusOr<std::string> result = (*jobs)->Wait(*job, deadline);
  if (!result.ok()) {
    return {result.status().code(),
            absl::StrCat("cannot stop unit ", name, ": ", result.status().message())};
  }
  const absl::StatusOr<UnitState> state = ReadState(bus->get(), name);
  if (!state.ok()) return state.status();
  if (state->active == "inactive" || state->active == "failed") return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("cannot stop unit ", name, ": systemd says ", *result,
                                         ", and it is ", state->active));
}

}  // namespace connect_ha
