#include "agent/resources/storage/mount_failure.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/checklist/fix.h"

namespace connect_ha {
namespace {

constexpr size_t kLinesShown = 3;

enum class Cause {
  kNoName,
  kNoWay,
  kRefused,
  kDenied,
  kNoExport,
  kNoProgram,
  kNoHelper,
  kOldKernel,
  kTunnel,
  kNoRole,
  kOther,
};

constexpr struct {
  const char* printed;
  Cause cause;
} kCauses[] = {
    {"Failed to resolve", Cause::kNoName},
    {"Name or service not known", Cause::kNoName},
    {"Temporary failure in name resolution", Cause::kNoName},
    {"access denied by server", Cause::kDenied},
    {"Operation not permitted", Cause::kDenied},
    {"Permission denied", Cause::kDenied},
    {"reason given by server: No such file or directory", Cause::kNoExport},
    {"Connection to the mount target IP address", Cause::kNoWay},
    {"Connection timed out", Cause::kNoWay},
    {"No route to host", Cause::kNoWay},
    {"Network is unreachable", Cause::kNoWay},
    {"Connection refused", Cause::kRefused},
    {"unknown filesystem type 'efs'", Cause::kNoHelper},
    {"mount.<type> helper program", Cause::kNoProgram},
    {"unknown filesystem type 'nfs4'", Cause::kNoProgram},
    {"an incorrect mount option was specified", Cause::kOldKernel},
    {"Protocol not supported", Cause::kOldKernel},
    {"AWS Access Key ID and Secret Access Key are not found", Cause::kNoRole},
    {"Failed to initialize tunnel", Cause::kTunnel},
    {"Failed to locate an available port", Cause::kTunnel},
};

Cause CauseOf(const std::string& result, const std::string& printed) {
  for (const auto& known : kCauses) {
    if (absl::StrContains(printed, known.printed)) return known.cause;
  }
  // mount.nfs goes on asking for longer than systemd lets it.
  return result == "timeout" ? Cause::kNoWay : Cause::kOther;
}

struct Explanation {
  std::string cause;
  std::string fix;
};

Explanation ExplainEfs(Cause cause, const MountPlan& plan) {
  switch (cause) {
    case Cause::kNoName:
      return {
          absl::StrCat("no address for ", plan.server),
          "switch on DNS resolution and DNS hostnames of the VPC, and make a mount target of the "
          "file system in this node's zone (its name is there after up to 90 s)"};
    case Cause::kNoWay:
      return {absl::StrCat("no way to ", plan.server, " at TCP ", plan.port),
              absl::StrCat("allow TCP ", plan.port,
                           " from this node in the security group of the mount target")};
    case Cause::kDenied:
      return {absl::StrCat(plan.server, " does not let this node in"),
              "look at the file system policy: it has to allow this node's role ClientMount, "
              "ClientWrite and ClientRootAccess; where it asks for a sign-in, write iam: true into "
              "storage.efs"};
    case Cause::kNoExport:
      return {absl::StrCat(plan.server, " has no such directory"),
              "look at the path of the access point"};
    case Cause::kNoRole:
      return {"this node has no role to sign in with",
              "give the instance a profile with a role that the file system policy lets in"};
    default:
      return {absl::StrCat("the tunnel to ", plan.server, " does not come up"),
              "tail /var/log/amazon/efs/mount.log"};
  }
}

Explanation ExplainNfs(Cause cause, const MountPlan& plan) {
  switch (cause) {
    case Cause::kNoName:
      return {absl::StrCat("no address for ", plan.server),
              absl::StrCat("getent ahosts ", ShellWord(plan.server),
                           " shows none: correct storage.nfs.server, or the name's entry in DNS")};
    case Cause::kNoWay:
      return {absl::StrCat("no way to ", plan.server, " at TCP ", plan.port),
              absl::StrCat("allow TCP ", plan.port, " from this node in the firewalls on the way")};
    case Cause::kDenied:
      return {absl::StrCat(plan.server, " does not let this node in"),
              absl::StrCat("export ", plan.source, " to this node, with no_root_squash")};
    default:
      return {absl::StrCat(plan.server, " does not export that"),
              "correct storage.nfs.export, or export it (exportfs -v on the server)"};
  }
}

Explanation Explain(Cause cause, const MountPlan& plan) {
  switch (cause) {
    case Cause::kRefused:
      // It is the helper's own proxy, at 127.0.0.1, that is asked.
      if (plan.type == "efs") return ExplainEfs(Cause::kTunnel, plan);
      return {absl::StrCat("nothing listens on ", plan.server, " at TCP ", plan.port),
              "start the NFS server there"};
    case Cause::kNoProgram:
      return {"nfs-common is missing", "apt-get install nfs-common"};
    case Cause::kNoHelper:
      return {"amazon-efs-utils is missing",
              "write storage: {efs_utils: {url: ..., sha256: ...}} into cluster.yaml"};
    case Cause::kOldKernel:
      return {"this kernel, or the server, has no NFS 4.1",
              "modprobe nfsv4; where that fails, take a kernel with CONFIG_NFS_V4_1"};
    case Cause::kOther:
      return {"", absl::StrCat("systemctl status ", ShellWord(plan.unit), "; journalctl -b -u ",
                               ShellWord(plan.unit))};
    default:
      return plan.is_efs ? ExplainEfs(cause, plan) : ExplainNfs(cause, plan);
  }
}

bool IsOfThisNode(Cause cause) {
  return cause == Cause::kNoProgram || cause == Cause::kNoHelper || cause == Cause::kOldKernel;
}

bool IsOfSystemd(const std::string& unit, absl::string_view line) {
  for (const absl::string_view begin : {"Mounting ", "Mounted ", "Failed to mount ", "Unmount"}) {
    if (absl::StartsWith(line, begin)) return true;
  }
  return absl::StartsWith(line, unit + ":");
}

}  // namespace

std::string PrintedByMount(const std::string& unit, const std::string& journal) {
  std::vector<std::string> lines;
  for (const absl::string_view line : absl::StrSplit(journal, '\n', absl::SkipWhitespace())) {
    if (absl::StartsWith(line, "Mounting ")) lines.clear();
    if (!IsOfSystemd(unit, line)) lines.emplace_back(absl::StripAsciiWhitespace(line));
  }
  if (lines.size() > kLinesShown) lines.erase(lines.begin(), lines.end() - kLinesShown);
  return absl::StrJoin(lines, "\n");
}

absl::Status ExplainMountFailure(const MountPlan& plan, const std::string& result,
                                 const std::string& printed) {
  const Cause cause = CauseOf(result, printed);
  const Explanation explanation = Explain(cause, plan);
  std::string text = absl::StrCat("cannot mount ", plan.source, " at ", plan.mount_point, ": ");
  if (!explanation.cause.empty()) {
    absl::StrAppend(&text, explanation.cause);
  } else if (result == "protocol") {
    text += "the mount program ended well, and nothing is mounted";
  } else {
    absl::StrAppend(&text, "systemd says ", result.empty() ? "nothing" : result);
  }
  if (!printed.empty()) {
    absl::StrAppend(&text, " (", absl::StrReplaceAll(printed, {{"\n", "; "}}), ")");
  }
  absl::StrAppend(&text, "\nfix: ", explanation.fix);
  return IsOfThisNode(cause) ? absl::FailedPreconditionError(text) : absl::UnavailableError(text);
}

}  // namespace connect_ha
