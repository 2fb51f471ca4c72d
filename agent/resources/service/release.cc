// Hands off: what this agent put around Connect's unit is taken away.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "common/checklist/guard_lines.h"

namespace connect_ha {
namespace {

class Release : public Resource {
 public:
  explicit Release(const ResourceContext& context)
      : context_(context), unit_(context.agent_config.connect_unit()), guard_(GuardFile(unit_)) {}

  std::string Name() const override { return "release " + unit_; }

  std::vector<std::string> After() override { return {}; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<bool> masked = IsMaskedByUs();
    if (!masked.ok()) return masked.status();
    const absl::StatusOr<bool> guarded = IsGuardedByUs();
    if (!guarded.ok()) return guarded.status();
    std::vector<std::string> ours;
    if (*masked) ours.push_back("masked");
    if (*guarded) ours.push_back("guarded");
    if (ours.empty()) return std::nullopt;
    v1::Change change;
    change.set_from(absl::StrJoin(ours, ", "));
    change.set_to("neither, by this agent");
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::REMOVING);
    const absl::StatusOr<bool> guarded = IsGuardedByUs();
    if (!guarded.ok()) return guarded.status();
    absl::Status done = *guarded ? RemoveGuard() : absl::OkStatus();
    if (!done.ok()) return done;
    const absl::StatusOr<bool> masked = IsMaskedByUs();
    if (!masked.ok()) return masked.status();
    if (*masked) done = context_.host.UnmaskUnit(unit_);
    if (done.ok() && context_.notes != nullptr) {
      done = context_.notes->Change([](v1::ServiceMemory& memory) { memory.clear_masked(); });
    }
    return done;
  }

 private:
  absl::StatusOr<bool> IsMaskedByUs() {
    if (context_.notes == nullptr || context_.notes->Get().masked() != unit_) return false;
    const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context_);
    if (!unit.ok()) return unit.status();
    return unit->load_state() == "masked";
  }

  // By its file, or by what systemd still has of it.
  absl::StatusOr<bool> IsGuardedByUs() {
    const absl::StatusOr<std::string> text = context_.host.ReadFile(guard_);
    if (text.ok()) return IsOurGuard(*text);
    if (!absl::IsNotFound(text.status())) return text.status();
    const absl::StatusOr<v1::Unit> unit = ReadConnectUnit(context_);
    if (!unit.ok()) return unit.status();
    return Lists(unit->drop_ins(), guard_);
  }

  // With its directory, where nothing else is in that.
  absl::Status RemoveGuard() {
    absl::Status done = context_.host.Remove(guard_);
    if (!done.ok()) return done;
    const std::string directory = guard_.substr(0, guard_.rfind('/'));
    const absl::StatusOr<std::vector<std::string>> others = context_.host.ListDirectory(directory);
    if (others.ok() && others->empty()) done = context_.host.Remove(directory);
    return done.ok() ? context_.host.ReloadUnits() : done;
  }

  const ResourceContext& context_;
  const std::string unit_;
  const std::string guard_;
};

}  // namespace

std::unique_ptr<Resource> MakeRelease(const ResourceContext& context) {
  return std::make_unique<Release>(context);
}

}  // namespace connect_ha
