// The shared file system, mounted by PID 1 from a unit's file of ours. This process never mounts:
// what a mount helper leaves behind would be its own child, and end with it.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/connect/configuration.h"
#include "agent/probes/storage/storage.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/install/package_manager.h"
#include "agent/resources/kept_file.h"
#include "agent/resources/nouns.h"
#include "agent/resources/storage/mount_failure.h"
#include "agent/resources/storage/mount_look.h"
#include "agent/resources/unit_journal.h"
#include "common/checklist/fix.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr char kOldUnits[] = "old-units";
constexpr milliseconds kStopDeadline{60'000};
// Between two looks whether somebody says stop.
constexpr milliseconds kStartDeadline{5'000};
// Longer than the unit's own limit, 180 s, and what it waits for before.
constexpr int kMostWaits = 60;
// What was printed comes to the journal a little after the unit has ended.
constexpr milliseconds kJournalDelay{500};
constexpr int kJournalLines = 50;

class Mount : public Resource {
 public:
  explicit Mount(const ResourceContext& context) : context_(context) {}

  std::string Name() const override {
    return "mount " + context_.desired.spec().storage().mount_point();
  }

  std::vector<std::string> After() override {
    return {"unit", "packages", absl::StrCat("package ", kEfsUtilsPackage)};
  }

  // A server that was away is back at once for everybody who waits for it.
  milliseconds LongestRetry() override { return milliseconds(30'000); }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<MountStand> stand = LookAtMount(context_);
    if (!stand.ok()) return stand.status();
    v1::Change change;
    if (!stand->is_mounted) {
      change.set_from("not mounted");
      if (HasDataElsewhere(stand->plan)) {
        change.set_interrupts("Connect's data is on another file system now");
        change.set_needs(v1::Change::TOGETHER);
      }
    } else if (!stand->mount_fault.empty()) {
      change.set_from(absl::StrCat("mounted ", stand->mount_fault));
      change.set_interrupts("the file system is unmounted and mounted again");
    } else if (!stand->unit_fault.empty()) {
      change.set_from(absl::StrCat("mounted, and ", stand->unit_fault));
    } else {
      return std::nullopt;
    }
    std::string line;
    if (stand->fstab_line > 0) {
      line = absl::StrCat(", which takes the place of line ", stand->fstab_line, " of /etc/fstab");
    }
    change.set_to(absl::StrCat(stand->plan.source, " by ", stand->plan.unit, line));
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<MountStand> stand = LookAtMount(context_);
    if (!stand.ok()) return stand.status();
    const bool is_again = stand->is_mounted && !stand->mount_fault.empty();
    absl::Status done = is_again ? Unmount(*stand) : absl::OkStatus();
    // Not at each try: systemd reads all units anew for it.
    if (done.ok() && !stand->unit_fault.empty()) done = WriteUnit(stand->plan);
    if (!done.ok() || (stand->is_mounted && !is_again)) return done;
    return Start(stand->plan, progress);
  }

 private:
  // Connect's data is on another shared file system now: it is not to be taken up at this one while
  // a node goes on with that.
  bool HasDataElsewhere(const MountPlan& plan) {
    const absl::StatusOr<ConnectConfig> config =
        LoadConnectConfig(context_.host, context_.agent_config);
    const std::string path = config.ok() ? config->Get("Server", "DataDir").value_or("") : "";
    const absl::StatusOr<std::vector<MountEntry>> mounts = ReadMounts(context_.host);
    if (path.empty() || !mounts.ok()) return false;
    const absl::StatusOr<std::string> resolved = ResolveLocalLinks(context_.host, *mounts, path);
    const MountEntry* mount = resolved.ok() ? FindMount(*mounts, *resolved) : nullptr;
    return mount != nullptr && IsNetworkMount(*mount) && mount->mount_point != plan.mount_point;
  }

  absl::Status WriteUnit(const MountPlan& plan) {
    const std::string file = MountUnitFile(plan);
    const std::string text = MountUnitText(plan);
    absl::Status done = KeepFile(context_, file, kOldUnits, text);
    FileAttributes attributes;
    attributes.mode = 0644;
    if (done.ok()) done = context_.host.WriteFile(file, text, attributes);
    if (done.ok()) done = context_.host.EnableUnit(plan.unit);
    return done;
  }

  // A unit that asks for the mount would be stopped with it, and nobody would be told.
  absl::Status CheckUnused(const MountStand& stand) {
    absl::Status held = CheckConnectHeld(context_);
    if (!held.ok()) return held;
    for (const std::string& user : stand.users) {
      if (absl::EndsWith(user, ".target")) continue;
      const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(user);
      if (absl::IsNotFound(unit.status())) continue;
      if (!unit.ok()) return unit.status();
      const std::string& active = unit->active_state();
      if (active.empty() || active == "inactive" || active == "failed") continue;
      return absl::UnavailableError(absl::StrCat(
          user, " is ", active, " and needs ", stand.plan.mount_point, ", which is mounted ",
          stand.mount_fault, " and has to be mounted anew\nfix: systemctl stop ", ShellWord(user)));
    }
    return absl::OkStatus();
  }

  absl::Status Unmount(const MountStand& stand) {
    absl::Status unused = CheckUnused(stand);
    if (!unused.ok()) return unused;
    const absl::Status stopped = context_.host.StopUnit(stand.plan.unit, kStopDeadline);
    const auto left = MountsAt(context_.host, stand.plan.mount_point);
    if (!left.ok()) return left.status();
    if (left->empty()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        stand.plan.mount_point, " is mounted ", stand.mount_fault,
        " and cannot be unmounted: something uses it",
        stopped.ok() ? "" : absl::StrCat(" (", stopped.message(), ")"), "\nfix: fuser -vm ",
        ShellWord(stand.plan.mount_point), " shows what does: stop that"));
  }

  absl::Status Start(const MountPlan& plan, Progress& progress) {
    absl::Status started = CheckMountProgram(context_.host, plan);
    if (!started.ok()) return started;
    for (int wait = 0; wait < kMostWaits; ++wait) {
      // PID 1 goes on with it, and is found at it. What was unmounted for this is mounted again in
      // any case: under another order nobody would do it.
      if (wait > 0 && progress.Stopped()) return absl::CancelledError("stopped");
      started = context_.host.StartUnit(plan.unit, kStartDeadline);
      if (!absl::IsDeadlineExceeded(started)) break;
    }
    const auto mounted = MountsAt(context_.host, plan.mount_point);
    if (!mounted.ok()) return mounted.status();
    if (!mounted->empty()) return absl::OkStatus();
    if (!started.ok() && !absl::IsAborted(started)) return started;
    const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(plan.unit);
    if (!unit.ok()) return unit.status();
    std::string printed = Printed(plan);
    if (printed.empty() && unit->result() == "exit-code" && progress.Wait(kJournalDelay)) {
      printed = Printed(plan);
    }
    return ExplainMountFailure(plan, unit->result(), printed);
  }

  std::string Printed(const MountPlan& plan) {
    return PrintedByMount(plan.unit, ReadJournal(context_.host, plan.unit, kJournalLines));
  }

  const ResourceContext& context_;
};

}  // namespace

std::unique_ptr<Resource> MakeMount(const ResourceContext& context) {
  return std::make_unique<Mount>(context);
}

}  // namespace connect_ha
