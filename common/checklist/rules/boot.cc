#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "common/mount_unit.h"

namespace connect_ha {
namespace {

constexpr char kService[] = "rstudio-connect.service";
constexpr char kDropIns[] = "/etc/systemd/system/rstudio-connect.service.d";

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

template <typename List>
bool Names(const List& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// How a boot is kept from starting Connect before the mount is there; "" where it is not.
std::string GuardOf(const v1::Facts& facts, const std::string& mount_point) {
  const v1::Unit& service = facts.connect().unit();
  if (RequiresMount(service, mount_point)) return "RequiresMountsFor";
  const std::string unit = MountUnitName(mount_point);
  if (Names(service.requires_mounts(), unit) && Names(service.after_mounts(), unit)) {
    return "Requires and After";
  }
  // Facts that do not say what the service requires: the mount's unit says who asks for it.
  const v1::Mount* mount = FindMount(facts, mount_point);
  const bool is_said = !service.requires_mounts().empty() || !service.after_mounts().empty();
  const bool asks = mount != nullptr && Names(mount->unit().started_by(), kService);
  return !is_said && asks ? absl::StrCat("it starts ", unit) : "";
}

bool HasPreflight(const v1::Unit& unit) {
  return std::any_of(unit.exec_start_pre().begin(), unit.exec_start_pre().end(),
                     [](const std::string& command) {
                       return absl::StrContains(command, "connect-ha-agent preflight");
                     });
}

// All mounts at once, since the file is written whole. Where there is one already it may say more.
Fixes GuardFix(const v1::NodeSnapshot& node, const KeysByMount& mounts) {
  std::vector<std::string> points;
  for (const auto& [point, keys] : mounts) points.push_back(point);
  const std::string line = absl::StrCat("RequiresMountsFor=", absl::StrJoin(points, " "));
  const std::string file = absl::StrCat(kDropIns, "/connect-ha.conf");
  const std::string& name = node.name();
  if (Names(node.facts().connect().unit().drop_ins(), file)) {
    return {ByHand(name, absl::StrCat("put ", line, " under [Unit] in ", file)),
            Type(name, {"systemctl daemon-reload"})};
  }
  return {Type(name, {absl::StrCat("mkdir -p ", kDropIns),
                      absl::StrCat("printf '%s\\n' '[Unit]' ", ShellWord(line), " > ", file),
                      "systemctl daemon-reload"})};
}

void JudgeGuards(const v1::StorageSpec& spec, const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Facts& facts = node.facts();
  if (FindDirectory(facts, "Server.DataDir") == nullptr) {
    return verdict.Unknown(node.name(), "Server.DataDir was not reported");
  }
  const v1::Unit& service = facts.connect().unit();
  if (!facts.connect().has_unit() || service.load_state() == "not-found") {
    return verdict.NotApplicable(node.name(), "there is no unit rstudio-connect.service");
  }
  const KeysByMount mounts = MountsToWaitFor(spec, facts);
  if (mounts.empty()) {
    return verdict.NotApplicable(node.name(), "Connect's directories are on the root disk");
  }
  const char* preflight = HasPreflight(service) ? ", and a preflight looks at what is mounted" : "";
  for (const auto& [mount_point, keys] : mounts) {
    const std::string guard = GuardOf(facts, mount_point);
    if (guard.empty()) {
      verdict.Fail(node.name(),
                   absl::StrCat("a boot may start Connect without ", mount_point, " (",
                                absl::StrJoin(keys, ", "), ")"),
                   GuardFix(node, mounts));
    } else {
      verdict.Pass(node.name(),
                   absl::StrCat("a boot waits for ", mount_point, " (", guard, ")", preflight));
    }
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
    JudgeGuards(cluster.spec().storage(), node, verdict);
  }
  return verdict.Finish();
}

}  // namespace connect_ha
