// Connect's unit, both ways: stopped and masked, or unmasked, enabled and active.
#include "agent/resources/connect_unit.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "agent/resources/service/start_connect.h"
#include "agent/resources/service/unit_processes.h"
#include "common/log.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr char kHeld[] = "masked, stopped";
constexpr char kRunning[] = "enabled, active";
constexpr char kNotFound[] = "not-found";
// Between two looks whether somebody says otherwise.
constexpr milliseconds kStopDeadline{5'000};
// Longer than a stop may take by Connect's own unit.
constexpr int kMostWaits = 60;

// Past a boot, too.
bool IsMasked(const v1::Unit& unit) {
  return unit.load_state() == "masked" && unit.unit_file_state() == "masked";
}

// Until the next boot alone, too: nothing starts it meanwhile.
bool IsMaskedNow(const v1::Unit& unit) { return unit.load_state() == "masked"; }

// No boot starts it, or the next one does not. A unit that is in no target starts with no boot,
// either, and none of it is ours to change.
bool IsDisabled(const v1::Unit& unit) {
  return unit.unit_file_state() == "disabled" || unit.unit_file_state() == "enabled-runtime";
}

bool Rests(const v1::Unit& unit) {
  return unit.active_state() == "inactive" || unit.active_state() == "failed";
}

// What Connect ran for users may outlive it, and writes to the shared directories.
absl::Status CheckNothingLeft(const ResourceContext& context) {
  const std::string& unit = context.agent_config.connect_unit();
  const absl::StatusOr<std::vector<UnitProcess>> left = ReadUnitProcesses(context.host, unit);
  if (absl::IsNotFound(left.status()) || (left.ok() && left->empty())) return absl::OkStatus();
  if (!left.ok()) return left.status();
  return absl::UnavailableError(absl::StrCat(
      unit, " is stopped, and ", left->size(), left->size() == 1 ? " process" : " processes",
      " that it started still ", left->size() == 1 ? "runs" : "run",
      "\nfix: they end by themselves; where that takes too long: systemctl kill ",
      ShellOperand(unit)));
}

absl::Status CheckStopped(const ResourceContext& context, const v1::Unit& state) {
  if (Rests(state)) return CheckNothingLeft(context);
  const std::string& unit = context.agent_config.connect_unit();
  if (state.active_state() == "deactivating") {
    return absl::UnavailableError(absl::StrCat(unit, " is stopping"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "Connect runs here (", unit, " is ", state.active_state(),
      "), and nothing is changed under it\nfix: stop it (systemctl stop ", ShellOperand(unit),
      "), or correct what differs, and it is taken over as it "
      "runs"));
}

class ConnectUnit : public Resource {
 public:
  explicit ConnectUnit(const ResourceContext& context)
      : context_(context), unit_(context.agent_config.connect_unit()) {}

  std::string Name() const override { return "unit " + unit_; }

  // Connect starts once all that it starts with is right. Runtimes are not among that: content of
  // the others goes on.
  std::vector<std::string> After() override {
    if (context_.service.unit != UnitWanted::kRunning || is_up_) return {};
    return {"guard", "account",   "packages", "package rstudio-connect", "mount", "license",
            "file",  "directory", "mark"};
  }

  milliseconds FirstRetry() override {
    return context_.service.unit == UnitWanted::kRunning ? milliseconds(30'000)
                                                         : Resource::FirstRetry();
  }

  // What its preflight refuses is asked again so often: nothing tells when the database is back.
  milliseconds LongestRetry() override {
    return context_.service.unit == UnitWanted::kRunning ? milliseconds(60'000)
                                                         : Resource::LongestRetry();
  }

  bool Restricts() override { return context_.service.unit == UnitWanted::kHeld; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<v1::Unit> state = ReadConnectUnit(context_);
    if (!state.ok()) return state.status();
    is_up_ = IsUp(*state);
    const UnitWanted wanted = context_.service.unit;
    const bool may_run =
        wanted == UnitWanted::kRunning || (wanted == UnitWanted::kAsItIs && is_up_);
    return may_run ? DiffersFromRunning(*state) : DiffersFromHeld(*state);
  }

  absl::Status Apply(Progress& progress) override {
    switch (context_.service.unit) {
      case UnitWanted::kHeld:
        return Hold(progress);
      case UnitWanted::kRunning:
        return Run(progress);
      case UnitWanted::kAsItIs:
        break;
    }
    return absl::FailedPreconditionError(absl::StrCat(unit_, " is left as it is"));
  }

 private:
  using Difference = absl::StatusOr<std::optional<v1::Change>>;

  static v1::Change MakeChange(const std::string& from, const char* to) {
    v1::Change change;
    change.set_from(from);
    change.set_to(to);
    // It is an order, and no part of the specification.
    change.set_needs(v1::Change::NOTHING);
    return change;
  }

  Difference DiffersFromHeld(const v1::Unit& state) {
    if (!context_.service.may_stop || Rests(state)) {
      absl::Status stopped = CheckStopped(context_, state);
      if (!stopped.ok()) return stopped;
    } else {
      v1::Change change =
          MakeChange(absl::StrCat(IsMasked(state) ? "masked, " : "", state.active_state()), kHeld);
      change.set_interrupts("Connect is stopped");
      return change;
    }
    if (IsMasked(state)) return std::nullopt;
    return MakeChange(state.load_state() == kNotFound ? "absent" : "not masked, stopped", kHeld);
  }

  Difference DiffersFromRunning(const v1::Unit& state) {
    if (WaitsForRestart(state) || state.active_state() == "activating") {
      return WhyItWaits(context_, state);
    }
    if (state.active_state() == "deactivating") {
      return absl::UnavailableError(absl::StrCat(unit_, " is stopping"));
    }
    const bool is_disabled = IsDisabled(state);
    if (is_up_ && !IsMaskedNow(state) && !is_disabled) return std::nullopt;
    const char* const file = state.load_state() == kNotFound ? "absent"
                             : IsMaskedNow(state)            ? "masked"
                             : is_disabled                   ? "disabled"
                                                             : "enabled";
    return MakeChange(absl::StrCat(file, ", ", state.active_state()), kRunning);
  }

  // Masked first, so that nothing starts it in between; where that cannot be, it is stopped all the
  // same.
  absl::Status Hold(Progress& progress) {
    progress.Enter(v1::Step::STOPPING);
    NoteMasked(unit_);
    const absl::Status masked = context_.host.MaskUnit(unit_);
    absl::Status stopped = context_.service.may_stop ? Stop(progress) : absl::OkStatus();
    if (!stopped.ok()) return stopped;
    return masked.ok() ? CheckConnectHeld(context_) : masked;
  }

  absl::Status Stop(Progress& progress) {
    const absl::StatusOr<v1::Unit> state = ReadConnectUnit(context_);
    if (!state.ok() || Rests(*state)) return state.status();
    absl::Status stopped;
    for (int wait = 0; wait < kMostWaits; ++wait) {
      // PID 1 goes on with it.
      if (progress.Stopped()) return absl::CancelledError("stopped");
      stopped = context_.host.StopUnit(unit_, kStopDeadline);
      if (!absl::IsDeadlineExceeded(stopped)) break;
    }
    return stopped;
  }

  absl::Status Run(Progress& progress) {
    progress.Enter(v1::Step::STARTING);
    absl::StatusOr<v1::Unit> state = ReadConnectUnit(context_);
    if (state.ok() && IsMaskedNow(*state)) {
      absl::Status unmasked = context_.host.UnmaskUnit(unit_);
      if (!unmasked.ok()) return unmasked;
      NoteMasked("");
      state = ReadConnectUnit(context_);
    }
    if (!state.ok()) return state.status();
    if (IsDisabled(*state)) {
      absl::Status enabled = context_.host.EnableUnit(unit_);
      if (!enabled.ok()) return enabled;
    }
    return IsUp(*state) ? absl::OkStatus() : StartConnect(context_, *state, progress);
  }

  // Whoever is told to take its hands off takes back only what it did.
  void NoteMasked(const std::string& unit) {
    if (context_.notes == nullptr) return;
    if (!unit.empty()) {
      const absl::StatusOr<v1::Unit> state = ReadConnectUnit(context_);
      if (state.ok() && IsMasked(*state)) return;
    }
    const absl::Status noted =
        context_.notes->Change([&unit](v1::ServiceMemory& memory) { memory.set_masked(unit); });
    if (!noted.ok()) {
      spdlog::warn("event=service-notes-not-written error={}",
                   LogValue(std::string(noted.message())));
    }
  }

  const ResourceContext& context_;
  const std::string unit_;
  bool is_up_ = false;  // at the latest look
};

}  // namespace

absl::StatusOr<v1::Unit> ReadConnectUnit(const ResourceContext& context) {
  absl::StatusOr<v1::Unit> unit = context.host.ReadUnit(context.agent_config.connect_unit());
  if (absl::IsNotFound(unit.status())) {
    v1::Unit absent;
    absent.set_load_state(kNotFound);
    absent.set_active_state("inactive");
    return absent;
  }
  if (unit.ok() && unit->active_state().empty()) unit->set_active_state("inactive");
  return unit;
}

bool IsUp(const v1::Unit& unit) {
  return unit.active_state() == "active" || unit.active_state() == "reloading";
}

bool IsConnectAbsent(const ResourceContext& context) {
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok() && !absl::IsNotFound(database.status())) return false;
  if (database.ok() && (*database)->Find(kConnectPackage) != nullptr) return false;
  const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context);
  return unit.ok() && Rests(*unit);
}

absl::Status CheckConnectHeld(const ResourceContext& context) {
  const absl::StatusOr<v1::Unit> state = ReadConnectUnit(context);
  if (!state.ok()) return state.status();
  absl::Status stopped = CheckStopped(context, *state);
  if (!stopped.ok()) return stopped;
  if (IsMasked(*state)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(context.agent_config.connect_unit(),
                   " is not masked: something unmasked it while the node was being prepared"));
}

absl::Status CheckMayInstall(const ResourceContext& context, bool touches_connect) {
  if (context.service.leaves_connect && !touches_connect) return absl::OkStatus();
  return CheckConnectHeld(context);
}

std::unique_ptr<Resource> MakeConnectUnit(const ResourceContext& context) {
  return std::make_unique<ConnectUnit>(context);
}

}  // namespace connect_ha
