// What the rounds of work on shared file systems show.
#include <algorithm>
#include <chrono>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/checklist/mount_fix.h"
#include "common/checklist/proving.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "common/time.h"

namespace connect_ha {
namespace {

constexpr char kOwnFolder[] = "/.connect-ha";

const char* Words(v1::StorageStep::Name step) {
  switch (step) {
    case v1::StorageStep::CREATE:
      return "making a file";
    case v1::StorageStep::WRITE:
      return "writing";
    case v1::StorageStep::READ_BACK:
      return "reading back";
    case v1::StorageStep::CHANGE_OWNER:
      return "changing an owner";
    case v1::StorageStep::RENAME:
      return "renaming";
    case v1::StorageStep::UNLINK:
      return "removing";
    default:
      return "work";
  }
}

// What an error comes from, and what to do.
struct Cause {
  std::string text;
  Fixes fixes;
};

Cause ReadOnly(const std::string& node, const std::string& point, const v1::Mount* mount) {
  if (mount == nullptr || !IsReadOnly(*mount)) {
    return {
        "its server exports it for reading alone",
        {ByHand("",
                "export it for writing, too (exports(5): rw; EFS: elasticfilesystem:ClientWrite "
                "in the file system's policy); what is mounted goes on by itself")}};
  }
  Cause cause = {"it is mounted for reading alone (ro)",
                 {ByHand(node, absl::StrCat("take ro out of the options of ", point,
                                            " in /etc/fstab or in its unit; then:"))}};
  for (const v1::Fix& fix : MountAnewFix(node, point)) cause.fixes.push_back(fix);
  return cause;
}

Cause Refused() {
  return {"its server takes root for another account (root squash), or lets it only read",
          {ByHand("",
                  "export it with no_root_squash (exports(5)); EFS: allow "
                  "elasticfilesystem:ClientRootAccess and ClientWrite in the file system's policy, "
                  "and mount no access point with a POSIX user")}};
}

// The kernel's client goes by what it was told of a directory until that changes
// (nfs_access_cache), be that an hour after the server would let it in.
v1::Fix AskAgainFix(const std::string& node) {
  return Type(node, {"sysctl -w vm.drop_caches=2"},
              "then: the kernel remembers a refusal until the directory changes. This loses "
              "nothing, and has it ask anew");
}

// Of a folder that is not the agents' own, or none.
Cause InTheWay(const std::string& folder, const std::string& text) {
  return {
      text,
      {ByHand("", absl::StrCat("nothing but small files of the agents' own belongs into ", folder,
                               ": look at what is there, and rename it; they make theirs anew"))}};
}

Cause CauseOf(const v1::NodeSnapshot& node, const v1::StorageRound& round,
              const v1::StorageStep& step) {
  const std::string& point = round.mount_point();
  const std::string& error = step.error_name();
  const std::string& folder = round.directory();
  if (error == "EROFS") return ReadOnly(node.name(), point, FindMount(node.facts(), point));
  if (error == "EACCES" || error == "EPERM") {
    Cause refused = Refused();
    refused.fixes.push_back(AskAgainFix(node.name()));
    return refused;
  }
  if (error == "ESTALE") {
    return {"its server does not know any more what is mounted here", StaleFix(node.name(), point)};
  }
  if (error == "ENOSPC") {
    return {"its server has no space left",
            {Type(node.name(), {absl::StrCat("timeout 10 df -h ", ShellOperand(point))}),
             ByHand("", "make room on the file system, or enlarge it")}};
  }
  if (error == "EDQUOT") {
    return {"a quota of its server is used up",
            {ByHand("",
                    "raise the quota on its server; of EFS it is a limit of open files and locks "
                    "of one machine: lsof shows who holds them")}};
  }
  if (error == "EIO") {
    return {"its server cannot read or write",
            {ByHand("", "look at the server's own log; of EFS, whether its KMS key is enabled")}};
  }
  if (error == "ENOENT") {
    const absl::string_view directory = absl::StripSuffix(folder, kOwnFolder);
    return {absl::StrCat(directory, " is not there"),
            {ByHand(node.name(),
                    absl::StrCat(
                        "where it is a new cluster, make it: storage.owner in cluster.yaml "
                        "has the agent do so, or mkdir -p ",
                        ShellOperand(std::string(directory)), "; else look for the data first"))}};
  }
  const bool in_the_way = error.empty() || error == "ENOTDIR" || error == "ELOOP";
  if (step.name() == v1::StorageStep::CREATE && in_the_way) return InTheWay(folder, step.error());
  return {step.error(), {}};
}

std::string FailsText(const v1::StorageRound& round, const v1::StorageStep& step,
                      const std::string& cause) {
  return absl::StrCat(round.mount_point(), ": ", Words(step.name()), " fails",
                      step.error_name().empty() ? "" : absl::StrCat(" (", step.error_name(), ")"),
                      ": ", cause);
}

void JudgeHung(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
               const v1::StorageRound& round, Verdict& verdict) {
  const v1::Mount* mount = FindMount(node.facts(), round.mount_point());
  std::string since;
  if (round.has_hung_since()) {
    since = absl::StrCat(" for ",
                         FormatSpan(FromProto(cluster.taken_at()) - FromProto(round.hung_since())));
  }
  verdict.Fail(node.name(),
               absl::StrCat(round.mount_point(), ": a round of work has not come back", since),
               mount == nullptr ? Fixes{} : ServerFix(node.name(), *mount));
}

void JudgeSlow(const v1::NodeSnapshot& node, const v1::StorageRound& round, Verdict& verdict) {
  const auto slowest = std::max_element(
      round.steps().begin(), round.steps().end(),
      [](const auto& a, const auto& b) { return a.duration_us() < b.duration_us(); });
  const std::string which =
      slowest == round.steps().end()
          ? ""
          : absl::StrCat(": ", Words(slowest->name()), " took ", ShortSpan(slowest->duration_us()));
  verdict.Fail(
      node.name(), absl::StrCat(round.mount_point(), " is slow", which),
      {ByHand("",
              "look at how busy its server is; of EFS, at BurstCreditBalance and PercentIOLimit "
              "in CloudWatch: elastic throughput has neither")});
}

void JudgeRound(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                const v1::StorageRound& round, Verdict& verdict) {
  if (round.pace() == v1::StorageRound::HUNG) return JudgeHung(cluster, node, round, verdict);
  // Whose owner cannot be changed is another rule's.
  const auto failed =
      std::find_if(round.steps().begin(), round.steps().end(), [](const v1::StorageStep& step) {
        return !step.passed() && step.name() != v1::StorageStep::CHANGE_OWNER;
      });
  if (failed != round.steps().end()) {
    const Cause cause = CauseOf(node, round, *failed);
    return verdict.Fail(node.name(), FailsText(round, *failed, cause.text), cause.fixes);
  }
  if (round.pace() == v1::StorageRound::SLOW) return JudgeSlow(node, round, verdict);
  if (round.steps().empty() || round.steps().rbegin()->name() != v1::StorageStep::UNLINK) {
    return verdict.Unknown(node.name(), absl::StrCat("a round of work on ", round.mount_point(),
                                                     " was not reported in full"));
  }
  verdict.Pass(node.name(), absl::StrCat("work on ", round.mount_point(), " succeeds"));
}

// The server has the last word on who owns a file: as which it was made tells why it stays.
Cause WhyItStays(const v1::StorageRound& round, const v1::Mount* mount) {
  constexpr char kAccessPoint[] = "accesspoint=";
  const std::string& owner = round.owner_seen();
  if (mount != nullptr && absl::StrContains(mount->unit().mount_options(), kAccessPoint)) {
    return {absl::StrCat("all is ", owner, "'s there, by the identity of its access point"),
            {ByHand("", "mount an access point without a POSIX user, or the file system itself")}};
  }
  if (absl::StartsWith(owner, "65534:") || absl::StartsWith(owner, "4294967294:")) {
    return {absl::StrCat("its server takes root for nobody, ", owner, " (root squash)"),
            Refused().fixes};
  }
  if (!owner.empty() && !absl::StartsWith(owner, "0:")) {
    return {absl::StrCat("its server takes root for ", owner,
                         " (root squash, or an access point with an identity)"),
            Refused().fixes};
  }
  return {"its server lets root change no owner", Refused().fixes};
}

void JudgeOwnership(const v1::Snapshot&, const v1::NodeSnapshot& node,
                    const v1::StorageRound& round, Verdict& verdict) {
  const std::string& point = round.mount_point();
  const auto change = std::find_if(
      round.steps().begin(), round.steps().end(),
      [](const v1::StorageStep& step) { return step.name() == v1::StorageStep::CHANGE_OWNER; });
  if (change == round.steps().end()) {
    return verdict.Unknown(
        node.name(), absl::StrCat("no round on ", point, " came as far as to change an owner"));
  }
  if (change->passed()) {
    return verdict.Pass(node.name(), absl::StrCat("root may change owners on ", point));
  }
  const Cause cause = WhyItStays(round, FindMount(node.facts(), point));
  verdict.Fail(node.name(), FailsText(round, *change, cause.text), cause.fixes);
}

bool HasRound(const v1::StorageFacts& storage, const std::string& mount_point) {
  return std::any_of(
      storage.rounds().begin(), storage.rounds().end(),
      [&mount_point](const v1::StorageRound& round) { return round.mount_point() == mount_point; });
}

// Of the mounts that must have had one.
void JudgeWithoutRound(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::StorageFacts& storage = node.facts().storage();
  bool any = !storage.rounds().empty();
  for (const v1::DataDirectory& directory : storage.directories()) {
    const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
    if (!IsSharedKey(directory.key()) || mount == nullptr) continue;
    if (ReachOf(mount->fs_type()) == Reach::kLocal) continue;
    any = true;
    if (HasRound(storage, directory.mount_point())) continue;
    return verdict.Unknown(node.name(),
                           absl::StrCat("no round of work on ", directory.mount_point(),
                                        " was reported yet; one is made each minute"));
  }
  if (!any) verdict.NotApplicable(node.name(), "no data directory is on a network file system");
}

using Judge = void (*)(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                       const v1::StorageRound& round, Verdict& verdict);

v1::Finding JudgeRounds(const v1::Snapshot& cluster, Judge judge) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (ProvesNoStorage(cluster, node, verdict)) continue;
    for (const v1::StorageRound& round : node.facts().storage().rounds()) {
      judge(cluster, node, round, verdict);
    }
    if (verdict.Unobserved(node, "storage.rounds") || StorageUnobserved(node, verdict)) continue;
    JudgeWithoutRound(node, verdict);
  }
  return verdict.Finish();
}

}  // namespace

v1::Finding StorageWorks(const v1::Snapshot& cluster) { return JudgeRounds(cluster, JudgeRound); }

v1::Finding StorageAllowsOwnership(const v1::Snapshot& cluster) {
  return JudgeRounds(cluster, JudgeOwnership);
}

}  // namespace connect_ha
