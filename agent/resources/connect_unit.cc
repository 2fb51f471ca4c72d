#include "agent/resources/connect_unit.h"

#include "absl/strings/str_cat.h"
#include "agent/resources/nouns.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr char kHeld[] = "masked, stopped";

struct UnitState {
  bool exists = false;
  bool masked = false;  // past a boot, too
  std::string active;   // systemd's word; "inactive" when there is no such unit
};

absl::StatusOr<UnitState> ReadState(const ResourceContext& context) {
  const absl::StatusOr<v1::Unit> unit = context.host.ReadUnit(context.agent_config.connect_unit());
  UnitState state;
  state.active = "inactive";
  if (absl::IsNotFound(unit.status())) return state;
  if (!unit.ok()) return unit.status();
  state.exists = unit->load_state() != "not-found";
  state.masked = unit->load_state() == "masked" && unit->unit_file_state() == "masked";
  if (!unit->active_state().empty()) state.active = unit->active_state();
  return state;
}

absl::Status CheckStopped(const ResourceContext& context, const UnitState& state) {
  if (state.active == "inactive" || state.active == "failed") return absl::OkStatus();
  const std::string& unit = context.agent_config.connect_unit();
  if (state.active == "deactivating") {
    return absl::UnavailableError(absl::StrCat(unit, " is stopping"));
  }
  return absl::FailedPreconditionError(
      absl::StrCat("Connect runs here (", unit, " is ", state.active,
                   "): adoption of a running Connect is not built\nfix: stop it (systemctl stop ",
                   ShellOperand(unit), ") or leave the node observed (enforcement: observe)"));
}

class ConnectUnit : public Resource {
 public:
  explicit ConnectUnit(const ResourceContext& context) : context_(context) {}

  std::string Name() const override { return "unit " + context_.agent_config.connect_unit(); }

  std::vector<std::string> After() override { return {}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<UnitState> state = ReadState(context_);
    if (!state.ok()) return state.status();
    const absl::Status stopped = CheckStopped(context_, *state);
    if (!stopped.ok()) return stopped;
    if (state->masked) return std::nullopt;
    v1::Change change;
    change.set_from(state->exists ? "not masked, stopped" : "absent");
    change.set_to(kHeld);
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::Status masked = context_.host.MaskUnit(context_.agent_config.connect_unit());
    if (!masked.ok()) return masked;
    return CheckConnectHeld(context_);
  }

 private:
  const ResourceContext& context_;
};

}  // namespace

absl::Status CheckConnectHeld(const ResourceContext& context) {
  const absl::StatusOr<UnitState> state = ReadState(context);
  if (!state.ok()) return state.status();
  absl::Status stopped = CheckStopped(context, *state);
  if (!stopped.ok()) return stopped;
  if (state->masked) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(context.agent_config.connect_unit(),
                   " is not masked: something unmasked it while the node was being prepared"));
}

std::unique_ptr<Resource> MakeConnectUnit(const ResourceContext& context) {
  return std::make_unique<ConnectUnit>(context);
}

}  // namespace connect_ha
