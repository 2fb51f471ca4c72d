#include "agent/host/systemd/systemd_bus.h"

#include <systemd/sd-bus.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/host/systemd/bus_property.h"
#include "common/connect/connect_redaction.h"
#include "common/time.h"

namespace connect_ha {
namespace {

constexpr uint64_t kCallTimeoutUs = 5'000'000;
// systemd's own socket, without a bus daemon between.
constexpr char kPrivateAddress[] = "unix:path=/run/systemd/private";
constexpr char kServiceInterface[] = "org.freedesktop.systemd1.Service";
constexpr char kMountInterface[] = "org.freedesktop.systemd1.Mount";

int Connect(const std::string& address, bool with_daemon, BusHandle& bus) {
  sd_bus* made = nullptr;
  int result = sd_bus_new(&made);
  if (result < 0) return result;
  bus.reset(made);
  if ((result = sd_bus_set_address(made, address.c_str())) < 0) return result;
  if ((result = sd_bus_set_bus_client(made, with_daemon ? 1 : 0)) < 0) return result;
  return sd_bus_start(made);
}

bool IsBroken(const absl::Status& status) { return absl::IsUnavailable(status); }

// The mount units of a list of units; sorted, since systemd's own order is any.
std::vector<std::string> MountsAmong(BusObject& object, const char* property) {
  std::vector<std::string> mounts = object.Texts(kUnitInterface, property);
  mounts.erase(std::remove_if(mounts.begin(), mounts.end(),
                              [](const auto& unit) { return !absl::EndsWith(unit, ".mount"); }),
               mounts.end());
  std::sort(mounts.begin(), mounts.end());
  return mounts;
}

// Others' arguments may hold a secret in any form.
std::string ShownCommand(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) return absl::StrJoin(arguments, " ");
  const bool ours = absl::EndsWith(arguments[0], "/connect-ha-agent");
  return ours ? absl::StrJoin(arguments, " ") : arguments[0] + " ...";
}

// rw,password=***
std::string ShownOptions(const std::string& options) {
  std::vector<std::string> shown;
  for (const absl::string_view option : absl::StrSplit(options, ',')) {
    shown.push_back(RedactPasswords(std::string(option)).text);
  }
  return absl::StrJoin(shown, ",");
}

// One that waits for its file system, or for the network, is on its way up, though nothing of it
// runs: what is done to a unit that is stopped would come in between.
void ReadQueue(BusObject& object, v1::Unit& unit) {
  const bool rests = unit.active_state() == "inactive" || unit.active_state() == "failed";
  if (rests && object.HasJob()) unit.set_active_state("activating");
}

void ReadServicePart(BusObject& object, v1::Unit& unit) {
  ReadQueue(object, unit);
  unit.set_result(object.Text(kServiceInterface, "Result"));
  unit.set_restarts(object.Number32(kServiceInterface, "NRestarts"));
  const uint64_t started_us = object.Number64(kServiceInterface, "ExecMainStartTimestamp");
  const uint64_t ended_us = object.Number64(kServiceInterface, "ExecMainExitTimestamp");
  if (started_us > ended_us) {
    *unit.mutable_started_at() =
        ToProto(Time(std::chrono::microseconds(static_cast<int64_t>(started_us))));
  }
  for (const auto& arguments : object.Commands(kServiceInterface, "ExecStartPre")) {
    unit.add_exec_start_pre(ShownCommand(arguments));
  }
  unit.set_need_daemon_reload(object.Flag(kUnitInterface, "NeedDaemonReload"));
  unit.set_notify_access(object.Text(kServiceInterface, "NotifyAccess"));
  unit.set_can_reload(object.Flag(kUnitInterface, "CanReload"));
  std::set<std::string> required;
  for (std::string& mount : MountsAmong(object, "Requires")) required.insert(std::move(mount));
  for (std::string& mount : MountsAmong(object, "BindsTo")) {
    required.insert(mount);
    unit.add_binds_to_mounts(std::move(mount));
  }
  for (const std::string& mount : required) unit.add_requires_mounts(mount);
  for (std::string& mount : MountsAmong(object, "After")) unit.add_after_mounts(std::move(mount));
}

void ReadMountPart(BusObject& object, v1::Unit& unit) {
  ReadQueue(object, unit);
  unit.set_result(object.Text(kMountInterface, "Result"));
  unit.set_mount_options(ShownOptions(object.Text(kMountInterface, "Options")));
  unit.set_need_daemon_reload(object.Flag(kUnitInterface, "NeedDaemonReload"));
  for (const char* property : {"WantedBy", "RequiredBy", "BoundBy", "TriggeredBy"}) {
    for (std::string& other : object.Texts(kUnitInterface, property)) {
      unit.add_started_by(std::move(other));
    }
  }
  const uint64_t active_us = object.Number64(kUnitInterface, "ActiveEnterTimestamp");
  if (unit.active_state() == "active" && active_us > 0) {
    *unit.mutable_started_at() =
        ToProto(Time(std::chrono::microseconds(static_cast<int64_t>(active_us))));
  }
}

}  // namespace

void BusCloser::operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }

absl::StatusOr<BusHandle> OpenBus(const std::string& address) {
  BusHandle bus;
  int result = -1;
  if (!address.empty()) {
    result = Connect(address, true, bus);
  } else {
    // As systemctl does: a bus daemon between costs more than all that is asked.
    if (geteuid() == 0) result = Connect(kPrivateAddress, false, bus);
    if (result < 0) {
      sd_bus* system = nullptr;
      result = sd_bus_open_system(&system);
      bus.reset(system);
    }
  }
  if (result < 0) return BusStatus(result, "reach systemd over the system bus");
  sd_bus_set_method_call_timeout(bus.get(), kCallTimeoutUs);
  return bus;
}

template <typename Result, typename Call>
absl::StatusOr<Result> SystemdBus::WithConnection(Call call) {
  const std::lock_guard<std::mutex> lock(mutex_);
  // A connection that broke since the last call is noticed by the call: one more try on a new one.
  const bool warm = bus_ != nullptr;
  for (int attempt = 0;; ++attempt) {
    if (bus_ == nullptr) {
      absl::StatusOr<BusHandle> opened = OpenBus(address_);
      if (!opened.ok()) return opened.status();
      bus_ = std::move(*opened);
    }
    absl::StatusOr<Result> result = call();
    if (result.ok() || absl::IsNotFound(result.status())) {
      // Signals that are for nobody would pile up.
      while (sd_bus_process(bus_.get(), nullptr) > 0) {
      }
      return result;
    }
    bus_.reset();
    if (!warm || attempt > 0 || !IsBroken(result.status())) return result;
  }
}

absl::StatusOr<std::string> SystemdBus::FindUnit(const std::string& name) {
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = nullptr;
  const int result = sd_bus_call_method(bus_.get(), kSystemdName, kManagerPath, kManagerInterface,
                                        "LoadUnit", &error, &reply, "s", name.c_str());
  const std::string why = error.message == nullptr ? "" : error.message;
  const bool refused = error.name != nullptr && absl::StartsWith(error.name, kSystemdName);
  sd_bus_error_free(&error);
  if (result < 0) {
    if (refused) return absl::InvalidArgumentError(absl::StrCat("unit ", name, ": ", why));
    return BusStatus(result, "ask systemd for unit " + name);
  }
  const char* path = "";
  const int read = sd_bus_message_read_basic(reply, 'o', &path);
  const std::string found = path;
  sd_bus_message_unref(reply);
  if (read < 0) return BusStatus(read, "ask systemd for unit " + name);
  return found;
}

absl::StatusOr<v1::Unit> SystemdBus::ReadUnitOnce(const std::string& name) {
  const absl::StatusOr<std::string> path = FindUnit(name);
  if (!path.ok()) return path.status();
  BusObject object(bus_.get(), *path);
  v1::Unit unit;
  unit.set_name(name);
  unit.set_load_state(object.Text(kUnitInterface, "LoadState"));
  if (unit.load_state() == "not-found") return absl::NotFoundError("no such unit: " + name);
  unit.set_active_state(object.Text(kUnitInterface, "ActiveState"));
  unit.set_sub_state(object.Text(kUnitInterface, "SubState"));
  unit.set_unit_file_state(object.Text(kUnitInterface, "UnitFileState"));
  for (std::string& mount : object.Texts(kUnitInterface, "RequiresMountsFor")) {
    unit.add_requires_mounts_for(std::move(mount));
  }
  for (std::string& drop_in : object.Texts(kUnitInterface, "DropInPaths")) {
    unit.add_drop_ins(std::move(drop_in));
  }
  if (absl::EndsWith(name, ".service")) ReadServicePart(object, unit);
  if (absl::EndsWith(name, ".mount")) ReadMountPart(object, unit);
  if (!object.status().ok()) return object.status();
  return unit;
}

absl::StatusOr<SystemdBus::Environment> SystemdBus::ReadEnvironmentOnce(const std::string& name) {
  const absl::StatusOr<std::string> path = FindUnit(name);
  if (!path.ok()) return path.status();
  BusObject object(bus_.get(), *path);
  if (object.Text(kUnitInterface, "LoadState") == "not-found") {
    return absl::NotFoundError("no such unit: " + name);
  }
  Environment environment;
  environment.assignments = object.Texts(kServiceInterface, "Environment");
  environment.unit_files = object.Texts(kUnitInterface, "DropInPaths");
  environment.unit_files.insert(environment.unit_files.begin(),
                                object.Text(kUnitInterface, "FragmentPath"));
  for (auto& [file, optional] : object.Flagged(kServiceInterface, "EnvironmentFiles")) {
    environment.files.push_back({std::move(file), optional});
  }
  if (!object.status().ok()) return object.status();
  BusObject manager(bus_.get(), kManagerPath);
  environment.of_systemd = manager.Texts(kManagerInterface, "Environment");
  if (!manager.status().ok()) return manager.status();
  return environment;
}

absl::StatusOr<uint32_t> SystemdBus::ReadMainProcessOnce(const std::string& name) {
  const absl::StatusOr<std::string> path = FindUnit(name);
  if (!path.ok()) return path.status();
  BusObject object(bus_.get(), *path);
  if (object.Text(kUnitInterface, "LoadState") == "not-found") {
    return absl::NotFoundError("no such unit: " + name);
  }
  const uint32_t process = object.Number32(kServiceInterface, "MainPID");
  if (!object.status().ok()) return object.status();
  if (process == 0) return absl::NotFoundError("not running: " + name);
  return process;
}

absl::StatusOr<v1::Unit> SystemdBus::ReadUnit(const std::string& name) {
  return WithConnection<v1::Unit>([&] { return ReadUnitOnce(name); });
}

absl::StatusOr<uint32_t> SystemdBus::ReadMainProcess(const std::string& name) {
  return WithConnection<uint32_t>([&] { return ReadMainProcessOnce(name); });
}

absl::StatusOr<SystemdBus::Environment> SystemdBus::ReadEnvironment(const std::string& name) {
  return WithConnection<Environment>([&] { return ReadEnvironmentOnce(name); });
}

}  // namespace connect_ha
