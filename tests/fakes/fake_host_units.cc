// FakeHost's systemd: units, and the services that it runs for the agent.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/host/systemd/transient_service.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr int kNoSuchProgram = 203;  // systemd's EXIT_EXEC
constexpr int kTerminated = 128 + 15;

std::string UnitFile(const std::string& name) { return "/etc/systemd/system/" + name; }

FakeNode LinkToNull() {
  FakeNode link;
  link.kind = FileStatus::Kind::kLink;
  link.mode = 0777;
  link.content = "/dev/null";
  return link;
}

// A masked unit has no settings.
v1::Unit Masked(const std::string& name, const v1::Unit& unit) {
  v1::Unit masked;
  masked.set_name(name);
  masked.set_load_state("masked");
  masked.set_unit_file_state("masked");
  masked.set_active_state(unit.active_state().empty() ? "inactive" : unit.active_state());
  masked.set_sub_state(unit.sub_state().empty() ? "dead" : unit.sub_state());
  if (unit.has_started_at()) *masked.mutable_started_at() = unit.started_at();
  return masked;
}

}  // namespace

void FakeHost::SetUnit(const v1::Unit& unit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  units_[unit.name()] = unit;
}

void FakeHost::SetUnitEnvironment(const std::string& unit, std::vector<std::string> environment) {
  std::vector<UnitVariable> variables;
  for (std::string& assignment : environment) variables.push_back({std::move(assignment), "", 0});
  SetUnitVariables(unit, std::move(variables));
}

void FakeHost::SetUnitVariables(const std::string& unit, std::vector<UnitVariable> variables) {
  const std::lock_guard<std::mutex> lock(mutex_);
  environments_[unit] = std::move(variables);
}

void FakeHost::SetProcessEnvironment(const std::string& unit,
                                     std::vector<std::string> environment) {
  const std::lock_guard<std::mutex> lock(mutex_);
  process_environments_[unit] = std::move(environment);
}

void FakeHost::SetService(const std::string& what, FakeServiceCommand command) {
  const std::lock_guard<std::mutex> lock(mutex_);
  arranged_services_[what] = std::move(command);
}

bool FakeHost::StartUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = units_.find(name);
  if (it == units_.end() || IsMasked(name)) return false;
  it->second.set_active_state("active");
  it->second.set_sub_state("running");
  return true;
}

void FakeHost::SetUnitEffects(const std::string& unit, FakeEffect start, FakeEffect stop) {
  const std::lock_guard<std::mutex> lock(mutex_);
  unit_effects_[unit] = {std::move(start), std::move(stop)};
}

void FakeHost::Reboot() {
  const std::lock_guard<std::mutex> lock(mutex_);
  services_.clear();
}

std::vector<TransientService> FakeHost::services_started() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return services_started_;
}

bool FakeHost::IsMasked(const std::string& unit) const {
  const absl::StatusOr<const FakeNode*> file = files_.Find(UnitFile(unit), false);
  return file.ok() && (*file)->kind == FileStatus::Kind::kLink && (*file)->content == "/dev/null";
}

absl::StatusOr<v1::Unit> FakeHost::ReadUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = units_.find(name);
  if (IsMasked(name)) return Masked(name, it == units_.end() ? v1::Unit() : it->second);
  if (it == units_.end()) return absl::NotFoundError("no such unit: " + name);
  return it->second;
}

absl::StatusOr<std::vector<std::string>> FakeHost::ReadProcessEnvironment(const std::string& unit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(unit + ".process"); !status.ok()) return status;
  const auto arranged = process_environments_.find(unit);
  if (arranged != process_environments_.end()) return arranged->second;
  const auto known = units_.find(unit);
  if (known == units_.end() || known->second.active_state() != "active") {
    return absl::NotFoundError("not running: " + unit);
  }
  std::vector<std::string> environment;
  for (const UnitVariable& variable : environments_[unit]) {
    environment.push_back(variable.assignment);
  }
  return environment;
}

absl::StatusOr<std::vector<UnitVariable>> FakeHost::ReadUnitEnvironment(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = environments_.find(name);
  if (it != environments_.end()) return it->second;
  if (units_.count(name) > 0) return std::vector<UnitVariable>();
  return absl::NotFoundError("no such unit: " + name);
}

void FakeHost::SetReload(FakeEffect effect) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reload_ = std::move(effect);
}

absl::Status FakeHost::ReloadUnits() {
  FakeEffect effect;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (absl::Status status = EnterChange("ReloadUnits", "systemd"); !status.ok()) return status;
    for (auto& [name, unit] : units_) unit.clear_need_daemon_reload();
    effect = reload_;
  }
  if (effect != nullptr) effect(*this);
  return absl::OkStatus();
}

absl::Status FakeHost::MaskUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("MaskUnit", name); !status.ok()) return status;
  if (IsMasked(name)) return absl::OkStatus();
  if (files_.Find(UnitFile(name), false).ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot mask ", name, ": ", UnitFile(name), " is in the way"));
  }
  files_.Put(UnitFile(name), LinkToNull());
  return absl::OkStatus();
}

absl::Status FakeHost::UnmaskUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("UnmaskUnit", name); !status.ok()) return status;
  if (IsMasked(name)) files_.Erase(UnitFile(name));
  return absl::OkStatus();
}

absl::Status FakeHost::EnableUnit(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("EnableUnit", name); !status.ok()) return status;
  // A unit that is arranged has its file with the packages'.
  if (units_.count(name) == 0 && !files_.Find(UnitFile(name), true).ok()) {
    return absl::NotFoundError("no such unit file: " + name);
  }
  v1::Unit& unit = units_[name];
  unit.set_name(name);
  unit.set_load_state("loaded");
  unit.set_unit_file_state("enabled");
  unit.clear_need_daemon_reload();
  if (unit.active_state().empty()) unit.set_active_state("inactive");
  return absl::OkStatus();
}

absl::Status FakeHost::StartUnit(const std::string& name, std::chrono::milliseconds deadline) {
  FakeEffect effect;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const absl::Status status = EnterChange("StartUnit", name); !status.ok()) return status;
    if (units_.count(name) == 0) return absl::NotFoundError("no such unit: " + name);
    if (IsMasked(name)) return absl::FailedPreconditionError(name + " is masked");
    effect = unit_effects_[name].start;
    if (effect == nullptr) units_[name].set_active_state("active");
  }
  if (effect != nullptr) effect(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string& state = units_[name].active_state();
  if (state == "active") return absl::OkStatus();
  if (state != "activating") {
    return absl::AbortedError(absl::StrCat("cannot start unit ", name, ": systemd says failed"));
  }
  now_ += deadline;
  return absl::DeadlineExceededError(absl::StrCat("cannot start unit ", name, ": not over"));
}

absl::Status FakeHost::ReloadUnit(const std::string& name, std::chrono::milliseconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("ReloadUnit", name); !status.ok()) return status;
  const auto it = units_.find(name);
  if (it == units_.end()) return absl::NotFoundError("no such unit: " + name);
  if (it->second.active_state() == "active" && it->second.can_reload()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("cannot reload unit ", name, ": systemd says failed"));
}

absl::Status FakeHost::StopUnit(const std::string& name, std::chrono::milliseconds) {
  FakeEffect effect;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const absl::Status status = EnterChange("StopUnit", name); !status.ok()) return status;
    services_.erase(name);
    if (units_.count(name) == 0) return absl::OkStatus();
    effect = unit_effects_[name].stop;
    if (effect == nullptr) {
      units_[name].set_active_state("inactive");
      units_[name].set_sub_state("dead");
    }
  }
  if (effect != nullptr) effect(*this);
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string& state = units_[name].active_state();
  if (state == "inactive" || state == "failed") return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("cannot stop unit ", name, ": it is ", state));
}

std::vector<FakeServiceCommand> FakeHost::CommandsOf(const TransientService& service) const {
  const auto whole = arranged_services_.find(service.name);
  if (whole != arranged_services_.end()) return {whole->second};
  std::vector<FakeServiceCommand> commands;
  for (const std::vector<std::string>& arguments : service.commands) {
    commands.push_back(CommandOf(arguments));
  }
  return commands;
}

FakeServiceCommand FakeHost::CommandOf(const std::vector<std::string>& arguments) const {
  const std::string line = absl::StrJoin(arguments, " ");
  FakeServiceCommand command;
  command.exit_code = kNoSuchProgram;
  command.log = absl::StrCat("no such command: ", line, "\n");
  // In order: a longer beginning comes after the shorter ones.
  for (const auto& [beginning, arranged] : arranged_services_) {
    if (absl::StartsWith(line, beginning)) command = arranged;
  }
  command.may_fail = MayFail(arguments);
  return command;
}

FakeEffect FakeHost::EffectAtEnd(const TransientService& service) const {
  std::vector<FakeEffect> effects;
  for (const std::vector<std::string>& arguments : service.at_end) {
    const FakeServiceCommand command = CommandOf(arguments);
    if (command.effect != nullptr) effects.push_back(command.effect);
  }
  return [effects](FakeHost& machine) {
    for (const FakeEffect& effect : effects) effect(machine);
  };
}

absl::Status FakeHost::StartService(const TransientService& service) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("StartService", service.name); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckTransientService(service); !status.ok()) return status;
  if (services_.count(service.name) > 0) {
    return absl::AlreadyExistsError("there is a service already: " + service.name);
  }
  Service started;
  started.service = service;
  started.commands = CommandsOf(service);
  started.started_at = now_;
  started.result.state = ServiceResult::State::kRunning;
  services_[service.name] = std::move(started);
  services_started_.push_back(service);
  return absl::OkStatus();
}

FakeEffect FakeHost::GoOn(Service& service) {
  const auto limit = service.service.time_limit;
  if (limit.count() > 0 && now_ - service.started_at >= limit) {
    service.result = {ServiceResult::State::kFailed, kTerminated, "timeout"};
    return EffectAtEnd(service.service);
  }
  FakeServiceCommand& command = service.commands.at(service.at);
  if (command.reads == kNeverEnds) return nullptr;
  if (command.reads > 0) {
    --command.reads;
    return nullptr;
  }
  if (!service.service.log_path.empty()) {
    files_.Append(service.service.log_path, command.log, now_).IgnoreError();
  }
  if (command.exit_code != 0 && !command.may_fail) {
    service.result = {ServiceResult::State::kFailed, command.exit_code, "exit-code"};
  } else if (++service.at == service.commands.size()) {
    service.result.state = ServiceResult::State::kSucceeded;
  }
  service.started_at = now_;
  const FakeEffect effect = command.effect == nullptr ? [](FakeHost&) {} : command.effect;
  if (service.result.state == ServiceResult::State::kRunning) return effect;
  return [effect, at_end = EffectAtEnd(service.service)](FakeHost& machine) {
    effect(machine);
    at_end(machine);
  };
}

absl::StatusOr<ServiceResult> FakeHost::ReadService(const std::string& name) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (const absl::Status status = Enter(name); !status.ok()) return status;
  const auto it = services_.find(name);
  if (it == services_.end()) return ServiceResult();
  while (it->second.result.state == ServiceResult::State::kRunning) {
    const FakeEffect effect = GoOn(it->second);
    if (effect == nullptr) break;
    // An effect takes the lock itself.
    lock.unlock();
    effect(*this);
    lock.lock();
  }
  return it->second.result;
}

absl::Status FakeHost::ClearService(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const absl::Status status = EnterChange("ClearService", name); !status.ok()) return status;
  const auto it = services_.find(name);
  if (it == services_.end()) return absl::OkStatus();
  if (it->second.result.state == ServiceResult::State::kRunning) {
    return absl::FailedPreconditionError("still runs: " + name);
  }
  services_.erase(it);
  return absl::OkStatus();
}

}  // namespace connect_ha
