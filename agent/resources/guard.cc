// The guard of Connect's unit: a drop-in that binds it to the shared file system's mount and has
// the preflight run before each start. It is in effect once systemd has read it; for that nothing
// is started, stopped or restarted.
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/resources/kept_file.h"
#include "agent/resources/nouns.h"
#include "agent/resources/storage/mount_found.h"
#include "agent/resources/storage/mount_look.h"
#include "agent/resources/storage/mount_plan.h"
#include "common/checklist/fix.h"
#include "common/checklist/guard_lines.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

constexpr char kAbsent[] = "absent";
constexpr char kOldUnits[] = "old-units";
constexpr char kAll[] = "all";  // of NotifyAccess=
constexpr uint32_t kMode = 0644;
// Connect and the preflight, and nothing that Connect runs.
constexpr char kSpeakLines[] =
    "# So that systemctl status says why Connect may not start, between two tries, too.\n"
    "NotifyAccess=exec\n";
// Where systemd looks for a unit's file: the first there is.
constexpr const char* kUnitDirectories[] = {"/etc/systemd/system/", "/run/systemd/system/",
                                            "/usr/local/lib/systemd/system/",
                                            "/usr/lib/systemd/system/", "/lib/systemd/system/"};

// The last NotifyAccess= of a unit's file; "" for none.
std::string NotifyAccessOf(const std::string& text) {
  std::string access;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripLeadingAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "NotifyAccess")) continue;
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "=")) access = std::string(absl::StripAsciiWhitespace(line));
  }
  return access;
}

class Guard : public Resource {
 public:
  explicit Guard(const ResourceContext& context)
      : context_(context),
        unit_(context.agent_config.connect_unit()),
        mount_point_(context.desired.spec().storage().mount_point()),
        mount_unit_(MountUnitName(mount_point_)),
        file_(GuardFile(unit_)) {}

  std::string Name() const override { return "guard " + unit_; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    absl::StatusOr<std::string> fault = FileFault();
    if (fault.ok() && fault->empty()) fault = EffectFault();
    if (!fault.ok()) return fault.status();
    if (fault->empty() || (*fault == kAbsent && IsGuardedByHand())) return std::nullopt;
    v1::Change change;
    change.set_from(*fault);
    change.set_to(absl::StrCat("bound to ", mount_unit_, ", with a preflight before each start"));
    return change;
  }

  absl::Status Apply(Progress& progress) override {
    progress.Enter(v1::Step::WRITING);
    const absl::StatusOr<std::string> text = WantedText();
    absl::Status done = text.status();
    if (done.ok()) done = CheckDoesNotHang();
    if (done.ok()) done = CheckStaysUp();
    if (done.ok()) done = context_.host.MakeDirectory(file_.substr(0, file_.rfind('/')));
    if (done.ok()) done = KeepFile(context_, file_, kOldUnits, *text);
    FileAttributes attributes;
    attributes.mode = kMode;
    if (done.ok()) done = context_.host.WriteFile(file_, *text, attributes);
    return done.ok() ? context_.host.ReloadUnits() : done;
  }

 private:
  // Where each of the unit's processes may speak for it, the preflight may, too, and Connect might
  // not start with fewer. Once the line is there, systemd says "exec" whatever the unit's own file
  // says, and of a unit that is masked, or not there yet, it knows nothing: the file is read, and
  // what was found out before stays.
  absl::StatusOr<std::string> WantedText() {
    std::string without = GuardText(mount_point_, /*all_may_speak=*/true);
    if (FileLetsAllSpeak()) return without;
    const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(unit_);
    if (!unit.ok() && !absl::IsNotFound(unit.status())) return unit.status();
    bool all_may_speak = false;
    if (unit.ok() && unit->load_state() == "loaded") {
      all_may_speak = unit->notify_access() == kAll;
    } else {
      const absl::StatusOr<std::string> before = context_.host.ReadFile(file_);
      all_may_speak = before.ok() && *before == without;
    }
    return all_may_speak ? without : GuardText(mount_point_);
  }

  bool FileLetsAllSpeak() {
    for (const char* directory : kUnitDirectories) {
      const absl::StatusOr<std::string> text =
          context_.host.ReadFile(absl::StrCat(directory, unit_));
      // A mask is no file.
      if (text.ok() && !text->empty()) return NotifyAccessOf(*text) == kAll;
    }
    return false;
  }

  // "" where the file is as it is to be.
  absl::StatusOr<std::string> FileFault() {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(file_);
    if (absl::IsNotFound(status.status())) return kAbsent;
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kFile) return "not a file";
    const absl::StatusOr<std::string> text = context_.host.ReadFile(file_);
    if (!text.ok()) return text.status();
    const absl::StatusOr<std::string> wanted = WantedText();
    if (!wanted.ok()) return wanted.status();
    if (*text != *wanted) return "another text";
    if (status->mode == kMode && status->uid == 0 && status->gid == 0) return "";
    return absl::StrFormat("owner %d:%d, mode %04o", status->uid, status->gid, status->mode);
  }

  // "" where systemd goes by it. Of a unit that is masked, or not there yet, it reads no drop-in,
  // and starts nothing.
  absl::StatusOr<std::string> EffectFault() {
    const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(unit_);
    if (absl::IsNotFound(unit.status())) return "";
    if (!unit.ok()) return unit.status();
    if (unit->load_state() != "loaded") return "";
    if (unit->need_daemon_reload() || !Lists(unit->drop_ins(), file_)) {
      return "not read by systemd";
    }
    const bool has_preflight = HasPreflight(*unit);
    if (has_preflight && IsBound(*unit)) return "";
    return absl::FailedPreconditionError(
        absl::StrCat(file_, " is read, and ",
                     has_preflight ? absl::StrCat(unit_, " is not bound to ", mount_unit_)
                                   : "no preflight is run",
                     ": another drop-in takes it away (", absl::StrJoin(unit->drop_ins(), ", "),
                     ")\nfix: systemctl cat ", ShellWord(unit_),
                     ", and take the line out that resets it; then: systemctl daemon-reload"));
  }

  bool IsBound(const v1::Unit& unit) const {
    return Lists(unit.binds_to_mounts(), mount_unit_) && Lists(unit.after_mounts(), mount_unit_);
  }

  // The same in effect by somebody's own drop-in: a second one would say it twice.
  bool IsGuardedByHand() {
    const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(unit_);
    return unit.ok() && unit->load_state() == "loaded" && !unit->need_daemon_reload() &&
           HasPreflight(*unit) && IsBound(*unit);
  }

  // Reading its units anew, PID 1 would hang over a mount that does and has a line in /etc/fstab.
  absl::Status CheckDoesNotHang() {
    const auto here = MountsAt(context_.host, mount_point_);
    if (!here.ok() || here->empty()) return here.status();
    return CheckAnswers(context_.host, PlanAsFarAsKnown(context_.desired.spec().storage()));
  }

  // systemd stops what is bound to a mount that is not there. It may be mounted a moment later.
  absl::Status CheckStaysUp() {
    const absl::StatusOr<v1::Unit> unit = context_.host.ReadUnit(unit_);
    if (absl::IsNotFound(unit.status())) return absl::OkStatus();
    if (!unit.ok()) return unit.status();
    const std::string& state = unit->active_state();
    if (state.empty() || state == "inactive" || state == "failed") return absl::OkStatus();
    const absl::StatusOr<v1::Unit> mount = context_.host.ReadUnit(mount_unit_);
    if (!mount.ok() && !absl::IsNotFound(mount.status())) return mount.status();
    if (mount.ok() && mount->active_state() == "active") return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        unit_, " is ", state, ", and ", mount_point_,
        " is not mounted: bound to it, it would be stopped at once\nfix: systemctl stop ",
        ShellWord(unit_), "; systemctl start ", ShellWord(mount_unit_)));
  }

  const ResourceContext& context_;
  const std::string unit_;
  const std::string mount_point_;
  const std::string mount_unit_;
  const std::string file_;
};

}  // namespace

std::string GuardText(const std::string& mount_point, bool all_may_speak) {
  return absl::StrCat(
      kOwnUnitLine,
      "# Connect neither starts nor runs without its file system, and starts only where it may.\n"
      "# Where the agent is gone and cannot be installed again, Connect starts after: rm this "
      "file,\n"
      "# then systemctl daemon-reload.\n"
      "[Unit]\n",
      absl::StrJoin(MountGuardLines({mount_point}), "\n"), "\n\n[Service]\n", kPreflightLine, "\n",
      all_may_speak ? "" : kSpeakLines);
}

std::string GuardFile(const std::string& unit) {
  return absl::StrCat("/etc/systemd/system/", unit, ".d/", kGuardFile);
}

bool IsOurGuard(const std::string& text) { return absl::StartsWith(text, kOwnUnitLine); }

std::unique_ptr<Resource> MakeGuard(const ResourceContext& context) {
  return std::make_unique<Guard>(context);
}

}  // namespace connect_ha
