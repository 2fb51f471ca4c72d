#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/guard_lines.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

// The agent writes its units, and the guard, for the mount point that is named now; that of another
// one nobody takes away, since something may still be on it.
std::vector<const v1::OwnMountUnit*> Unnamed(const v1::StorageSpec& spec, const v1::Facts& facts) {
  std::vector<const v1::OwnMountUnit*> unnamed;
  for (const v1::OwnMountUnit& unit : facts.storage().own_mount_units()) {
    if (unit.mount_point() != spec.mount_point()) unnamed.push_back(&unit);
  }
  return unnamed;
}

// The key of a directory that is there, or would be where it is mounted; "" for none.
std::string KeyOn(const v1::Facts& facts, const std::string& mount_point) {
  for (const v1::DataDirectory& directory : facts.storage().directories()) {
    const std::string& path =
        directory.resolved().empty() ? directory.path() : directory.resolved();
    if (directory.mount_point() == mount_point || IsBelow(path, mount_point)) {
      return directory.key();
    }
  }
  return "";
}

// "": no drop-in of the agent's is there.
std::string GuardOn(const v1::Facts& facts) {
  const auto& drop_ins = facts.connect().unit().drop_ins();
  const auto guard = std::find_if(drop_ins.begin(), drop_ins.end(), [](const std::string& file) {
    return absl::EndsWith(file, absl::StrCat("/", kGuardFile));
  });
  return guard == drop_ins.end() ? "" : *guard;
}

// Where it may change the node the agent does the same, within seconds.
v1::Fix UnbindFix(const v1::NodeSnapshot& node, const std::string& unit) {
  const std::string guard = GuardOn(node.facts());
  const std::string what =
      guard.empty() ? absl::StrCat("take ", unit,
                                   " out of BindsTo= and After= in the drop-in that has it "
                                   "(systemctl cat rstudio-connect shows which)")
                    : absl::StrCat("remove ", ShellOperand(guard));
  return ByHand(node.name(), absl::StrCat(what,
                                          "; then systemctl daemon-reload: nothing is "
                                          "stopped or started by that"));
}

Fixes DisableFix(const std::string& node, const std::string& mount_point, bool is_bound) {
  const std::string unit = MountUnitName(mount_point);
  return {
      Type(node, {absl::StrCat("systemctl disable ", ShellOperand(unit))},
           absl::StrCat("what is mounted at ", mount_point,
                        " stays until the next boot, and what uses it goes on")),
      ByHand(node, absl::StrCat(is_bound ? "to take it off before that, and not before Connect no "
                                           "longer binds to it, which would end with it: fuser -vm "
                                         : "to take it off before that: fuser -vm ",
                                ShellOperand(mount_point),
                                " shows what uses it; once nothing "
                                "does, umount ",
                                ShellOperand(mount_point),
                                ". Its file in /etc/systemd/system may then be removed"))};
}

// False: nothing is to be said of it.
bool JudgeUnit(const v1::NodeSnapshot& node, const v1::OwnMountUnit& left, Verdict& verdict) {
  const v1::Facts& facts = node.facts();
  const std::string& point = left.mount_point();
  const std::string unit = MountUnitName(point);
  const std::string key = KeyOn(facts, point);
  if (!key.empty()) {
    verdict.Pass(node.name(),
                 absl::StrCat(unit, " is not of this specification, but ", key, " is on ", point));
    return true;
  }
  const bool is_bound = Lists(facts.connect().unit().binds_to_mounts(), unit);
  if (is_bound) {
    verdict.Fail(node.name(),
                 absl::StrCat("Connect does not start without ", unit, ", and ends with it, by ",
                              GuardOn(facts).empty() ? "a drop-in of its unit"
                                                     : "the agent's guard of an older "
                                                       "specification"),
                 {UnbindFix(node, unit)});
  }
  if (left.unit_file_state() != "enabled") return is_bound;
  verdict.Fail(node.name(),
               absl::StrCat("each boot mounts ", point, " by ", unit,
                            ", which the agent wrote for an older specification"),
               DisableFix(node.name(), point, is_bound));
  return true;
}

}  // namespace

v1::Finding NoMountIsLeftOver(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "storage.own_mount_units")) continue;
    const auto unnamed = Unnamed(cluster.spec().storage(), node.facts());
    const bool has_any = !unnamed.empty();
    if (has_any && (verdict.Unobserved(node, "storage.directories") ||
                    verdict.Unobserved(node, "connect.unit"))) {
      continue;
    }
    bool is_said = false;
    for (const v1::OwnMountUnit* left : unnamed) {
      is_said = JudgeUnit(node, *left, verdict) || is_said;
    }
    if (!is_said) verdict.Pass(node.name(), "no mount of the agent's own is left");
  }
  return verdict.Finish();
}

}  // namespace connect_ha
