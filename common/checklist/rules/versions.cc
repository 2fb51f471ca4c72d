#include "common/checklist/rules/versions.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"
#include "common/version.h"

namespace connect_ha {
namespace {

// The moment, not the age: it does not change while nothing is checked anew.
std::string CheckedAt(const v1::Integrity& files) {
  if (!files.has_checked_at()) return "";
  return absl::StrCat(" (checked at ", FormatUtc(FromProto(files.checked_at())), ")");
}

// In another version, two would run.
Fixes ReinstallFix(const v1::NodeSnapshot& node) {
  v1::Fix reinstall = Needing(
      ReinstallPackage(node.name(), "rstudio-connect", node.facts().connect().package().version(),
                       "where no repository has that version, from its file: apt-get install "
                       "--reinstall ./FILE.deb"),
      {"configuration-is-valid", "storage-is-mounted", "storage-is-alive"});
  reinstall.set_stops_connect(true);
  return {Type(node.name(), {"dpkg --verify rstudio-connect"}), reinstall};
}

// No process of Connect can be there: not on its way up or down either.
bool IsAtRest(const v1::ConnectFacts& connect) {
  if (!connect.has_unit()) return true;
  const std::string& state = connect.unit().active_state();
  return state == "inactive" || state == "failed";
}

// What the node has installed, in full; nullopt when that is unknown or wrong already: then the
// verdict says so.
std::optional<std::string> Installed(const v1::ConnectSpec& spec, OtherVersions& versions,
                                     const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.package")) return std::nullopt;
  const v1::ConnectFacts& connect = node.facts().connect();
  if (!connect.has_package()) {
    verdict.Fail(node.name(), "rstudio-connect is not installed",
                 InstallConnectFix(versions, node, spec.version()),
                 {spec.has_version() ? v1::SPEC : v1::SELF, false, ""});
    return std::nullopt;
  }
  const std::string installed = PlainVersion(connect.package().version());
  if (!absl::EndsWith(connect.package().status(), " ok installed")) {
    verdict.Fail(node.name(),
                 absl::StrCat(installed, " is not installed in full: dpkg says \"",
                              connect.package().status(), "\""),
                 {Type(node.name(), {"dpkg --configure -a"})});
    return std::nullopt;
  }
  // No other node is to install what one node made up.
  if (!LooksLikeVersion(installed)) {
    verdict.Unknown(node.name(), absl::StrCat("what is installed has no version: ", installed));
    return std::nullopt;
  }
  return installed;
}

// True when the process is of the installed version, or there is none; else the verdict says what
// is the matter.
bool RunsWhatIsInstalled(OtherVersions& versions, const v1::NodeSnapshot& node,
                         const std::string& installed, Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.unit") ||
      verdict.Unobserved(node, "connect.running_version")) {
    return false;
  }
  const v1::ConnectFacts& connect = node.facts().connect();
  if (!connect.has_running_version()) {
    if (IsAtRest(connect)) return true;
    verdict.Unknown(node.name(),
                    absl::StrCat(installed, " is installed; the process of the unit, which is ",
                                 connect.unit().active_state(), ", does not say its version"));
    return false;
  }
  if (SameVersion(connect.running_version(), installed)) return true;
  Fixes fixes;
  if (versions.RunningAnother(installed) == std::vector<std::string>{node.name()}) {
    fixes = {RestartConnect(node.name())};
  } else {
    fixes = versions.StopThem(installed);
    v1::Fix start = StartConnect(node.name());
    start.set_note(
        "two versions must never run against one database: start the other nodes when this one "
        "answers and they have the same version");
    fixes.push_back(start);
  }
  verdict.Fail(
      node.name(),
      absl::StrCat(installed, " is installed, but ", PlainVersion(connect.running_version()),
                   " still runs: not restarted since"),
      fixes);
  return false;
}

}  // namespace

const std::vector<std::string>& OtherVersions::RunningAnother(const std::string& version) {
  const auto [known, is_new] = by_version_.try_emplace(version);
  if (!is_new) return known->second;
  for (const v1::NodeSnapshot& node : cluster_.nodes()) {
    const v1::ConnectFacts& connect = node.facts().connect();
    if (IsAtRest(connect) || SameVersion(connect.running_version(), version)) continue;
    known->second.push_back(node.name());
  }
  return known->second;
}

Fixes OtherVersions::StopThem(const std::string& version) {
  constexpr size_t kNamed = 20;
  const std::vector<std::string>& nodes = RunningAnother(version);
  if (nodes.size() > kNamed) {
    return {ByHand("", absl::StrCat("stop Connect (systemctl stop rstudio-connect) on the ",
                                    nodes.size(), " nodes that run another version than ", version,
                                    ": connect-ha nodes shows them"))};
  }
  Fixes fixes;
  for (const std::string& node : nodes) fixes.push_back(StopConnect(node));
  return fixes;
}

Fixes InstallConnectFix(OtherVersions& others, const v1::NodeSnapshot& node,
                        const std::string& version) {
  if (version.empty()) {
    return {ByHand(node.name(), "install the version of Connect that the other nodes run")};
  }
  Fixes fixes = others.StopThem(version);
  const std::string file = ShellWord(absl::StrCat("./rstudio-connect_", version));
  v1::Fix install = Needing(
      Type(node.name(), {absl::StrCat("apt-get install ", file, "*.deb")},
           "the package starts Connect; where other nodes were stopped, start them when they have "
           "this version and this node answers"),
      {"configuration-is-valid", "storage-is-mounted", "storage-is-alive"});
  fixes.push_back(install);
  return fixes;
}

v1::Finding ConnectVersionMatches(const v1::Snapshot& cluster) {
  const v1::ConnectSpec& spec = cluster.spec().connect();
  OtherVersions versions(cluster);
  Verdict verdict;
  std::vector<Seen> seen;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    auto version = Installed(spec, versions, node, verdict);
    if (!version) continue;
    // One spelling, so that 2024.8.0 in the specification is not another version.
    const bool as_wanted = spec.has_version() && SameVersion(*version, spec.version());
    if (as_wanted) version = spec.version();
    // What is installed is wrong whatever runs.
    const bool wrong = spec.has_version() && !as_wanted;
    if (wrong || RunsWhatIsInstalled(versions, node, *version, verdict)) {
      seen.push_back({&node, *version});
    }
  }
  const auto wanted =
      spec.has_version() ? std::optional<std::string>(spec.version()) : std::nullopt;
  Compare(verdict, seen,
          {"Connect", wanted,
           [&versions](const Seen& one, const Seen& right) {
             return InstallConnectFix(versions, *one.node, right.value);
           },
           "write connect.version into cluster.yaml"});
  return verdict.Finish();
}

v1::Finding ConnectFilesIntact(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.package")) continue;
    const v1::ConnectFacts& connect = node.facts().connect();
    if (!connect.has_package()) {
      verdict.NotApplicable(node.name(), "rstudio-connect is not installed");
      continue;
    }
    if (verdict.Unobserved(node, "connect.integrity")) continue;
    const v1::Integrity& files = connect.integrity();
    if (!connect.has_integrity() || files.files_checked() == 0) {
      verdict.Pending(node.name(), "no file has been checked yet");
    } else if (files.files_changed() + files.files_missing() > 0) {
      verdict.Fail(node.name(),
                   absl::StrCat(files.files_changed(), " files changed, ", files.files_missing(),
                                " missing, first: ",
                                files.examples().empty() ? "not named" : files.examples(0),
                                CheckedAt(files)),
                   ReinstallFix(node));
    } else {
      verdict.Pass(node.name(), "every file of the package is as shipped");
    }
  }
  return verdict.Finish();
}

v1::Finding AgentVersionMatches(const v1::Snapshot& cluster) {
  const std::string& wanted = cluster.coordinator_version();
  const std::string file = ShellWord(absl::StrCat("./connect-ha-agent_", wanted));
  Verdict verdict;
  if (wanted.empty()) verdict.Unknown("", "the coordinator's own version is not known");
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "")) continue;
    if (node.agent_version().empty()) {
      verdict.Unknown(node.name(), "the agent has not said its version");
    } else if (!wanted.empty() && node.agent_version() != wanted) {
      verdict.Fail(node.name(),
                   absl::StrCat("agent ", node.agent_version(), ", coordinator ", wanted),
                   {Type(node.name(), {absl::StrCat("apt-get install ", file, "*.deb")})});
    } else {
      verdict.Pass(node.name(), absl::StrCat("agent ", node.agent_version()));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
