#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/guard_lines.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

// As agent.yaml has it (connect_unit).
std::string NameOf(const v1::Unit& service) {
  return service.name().empty() ? "rstudio-connect.service" : service.name();
}

// The keys of the directories on a mount, by its mount point.
using KeysByMount = std::map<std::string, std::set<std::string>>;

// Every mount without which Connect must not start. What is on the root file system needs none.
KeysByMount MountsToWaitFor(const v1::StorageSpec& spec, const v1::Facts& facts) {
  KeysByMount mounts;
  for (const v1::DataDirectory& directory : facts.storage().directories()) {
    const v1::Mount* mount = FindMount(facts, directory.mount_point());
    const bool on_network = mount != nullptr && ReachOf(mount->fs_type()) == Reach::kNetwork;
    if (!IsSharedKey(directory.key()) && !on_network) continue;
    const std::string& point = directory.mount_point();
    if (!point.empty() && point != "/") mounts[point].insert(directory.key());
    // While the file system is not mounted, the directory seems to be on another one.
    if (!spec.mount_point().empty() && IsBelow(directory.resolved(), spec.mount_point())) {
      mounts[spec.mount_point()].insert(directory.key());
    }
  }
  return mounts;
}

// The unit is stopped when the mount goes, and starts after it.
bool IsBound(const v1::Unit& service, const std::string& mount_point) {
  const std::string unit = MountUnitName(mount_point);
  return Lists(service.binds_to_mounts(), unit) &&
         (Lists(service.after_mounts(), unit) || RequiresMount(service, mount_point));
}

// How a boot is kept from starting Connect before the mount is there; "" where it is not.
std::string GuardOf(const v1::Facts& facts, const std::string& mount_point) {
  const v1::Unit& service = facts.connect().unit();
  if (IsBound(service, mount_point)) return "BindsTo";
  if (RequiresMount(service, mount_point)) return "RequiresMountsFor";
  const std::string unit = MountUnitName(mount_point);
  if (Lists(service.requires_mounts(), unit) && Lists(service.after_mounts(), unit)) {
    return "Requires and After";
  }
  // Facts that do not say what the service requires: the mount's unit says who asks for it.
  const v1::Mount* mount = FindMount(facts, mount_point);
  const bool is_said = !service.requires_mounts().empty() || !service.after_mounts().empty();
  const bool asks = mount != nullptr && Lists(mount->unit().started_by(), NameOf(service));
  return !is_said && asks ? absl::StrCat("it starts ", unit) : "";
}

// What is to be added to Connect's unit. A mount that is not there would stop a Connect that runs
// as soon as systemd reads this; with one that hangs, systemd itself may hang while it reads.
v1::Fix Reading(const std::string& node, std::initializer_list<std::string> commands) {
  return Needing(Type(node, commands), {"storage-is-mounted", "storage-is-alive"});
}

// All at once, since the file is written whole. Where there is one already it may say more.
Fixes GuardFix(const v1::NodeSnapshot& node, const KeysByMount& mounts, bool wants_preflight) {
  std::vector<std::string> points;
  for (const auto& [point, keys] : mounts) points.push_back(point);
  const std::vector<std::string> lines = MountGuardLines(points);
  const std::string& name = node.name();
  const v1::Unit& service = node.facts().connect().unit();
  const std::string directory = absl::StrCat("/etc/systemd/system/", NameOf(service), ".d");
  const std::string file = absl::StrCat(directory, "/connect-ha.conf");
  const bool preflight = wants_preflight && !HasPreflight(service);
  if (Lists(service.drop_ins(), file)) {
    const std::string more =
        preflight ? absl::StrCat(", and ", kPreflightLine, " under [Service]") : "";
    return {ByHand(name, absl::StrCat("put ", absl::StrJoin(lines, " and "), " under [Unit]", more,
                                      " in ", file)),
            Reading(name, {"systemctl daemon-reload"})};
  }
  std::string words = "'[Unit]'";
  for (const std::string& line : lines) absl::StrAppend(&words, " ", ShellWord(line));
  if (preflight) absl::StrAppend(&words, " '[Service]' ", ShellWord(kPreflightLine));
  const std::string make = absl::StrCat("mkdir -p ", ShellWord(directory));
  const std::string write = absl::StrCat("printf '%s\\n' ", words, " > ", ShellWord(file));
  return {Reading(name, {make, write, "systemctl daemon-reload"})};
}

// An agent of release 0.1 does not say what is stopped with what.
bool TellsBinding(const v1::NodeSnapshot& node) {
  return !absl::StartsWith(node.agent_version(), "0.1.");
}

void JudgeGuard(const v1::NodeSnapshot& node, const std::string& mount_point,
                const std::set<std::string>& keys, bool wants_preflight, const Fixes& fixes,
                Verdict& verdict) {
  const v1::Facts& facts = node.facts();
  const v1::Unit& service = facts.connect().unit();
  const std::string shown = absl::StrCat(mount_point, " (", absl::StrJoin(keys, ", "), ")");
  const std::string guard = GuardOf(facts, mount_point);
  if (guard.empty()) {
    return verdict.Fail(node.name(), absl::StrCat("a boot may start Connect without ", shown),
                        fixes);
  }
  if (TellsBinding(node) && !IsBound(service, mount_point)) {
    return verdict.Fail(
        node.name(),
        absl::StrCat("a boot waits for ", mount_point, " (", guard, "), but where it is unmounted ",
                     "Connect runs on, and writes to the local disk"),
        fixes);
  }
  if (wants_preflight && !HasPreflight(service)) {
    return verdict.Fail(node.name(),
                        absl::StrCat("a boot waits for ", mount_point, " (", guard,
                                     "), but no preflight looks at what is mounted there"),
                        fixes);
  }
  const char* preflight = HasPreflight(service) ? ", and a preflight looks at what is mounted" : "";
  verdict.Pass(node.name(),
               absl::StrCat("a boot waits for ", mount_point, " (", guard, ")", preflight));
}

// By systemctl mask --runtime, "masked-runtime", it ends with the boot.
void JudgeMask(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Unit& service = node.facts().connect().unit();
  if (service.unit_file_state() == "masked") {
    return verdict.Pass(node.name(), "no boot starts Connect: its unit is masked");
  }
  const std::string unit = ShellOperand(NameOf(service));
  const std::string todo = absl::StrCat(
      "unmask it (systemctl unmask --runtime ", unit,
      "), and it is told; or, where no boot is to start Connect: systemctl mask ", unit);
  verdict.Unknown(node.name(),
                  absl::StrCat("its unit is masked (", service.unit_file_state(),
                               "), but not past a boot: what guards it then systemd does not tell"),
                  {ByHand(node.name(), todo)});
}

void JudgeGuards(const v1::ClusterSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Facts& facts = node.facts();
  const v1::Unit& service = facts.connect().unit();
  // Of such a unit systemd says nothing more.
  if (service.load_state() == "masked" && !IsRunning(facts)) return JudgeMask(node, verdict);
  if (FindDirectory(facts, "Server.DataDir") == nullptr) {
    return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  }
  if (!facts.connect().has_unit() || service.load_state() == "not-found") {
    return verdict.NotApplicable(node.name(), "there is no unit rstudio-connect.service");
  }
  const KeysByMount mounts = MountsToWaitFor(spec.storage(), facts);
  if (mounts.empty()) {
    return verdict.NotApplicable(node.name(), "Connect's directories are on the root disk");
  }
  // Where nothing is enforced it would only warn.
  const bool wants_preflight = TellsBinding(node) && spec.enforcement() == v1::ENFORCE;
  const Fixes fixes = GuardFix(node, mounts, wants_preflight);
  for (const auto& [mount_point, keys] : mounts) {
    JudgeGuard(node, mount_point, keys, wants_preflight, fixes, verdict);
  }
}

}  // namespace

v1::Finding BootIsGuarded(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") ||
        verdict.Unobserved(node, "storage.directories")) {
      continue;
    }
    JudgeGuards(cluster.spec(), node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
