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

// No process of Connect can be there: not on its way up or down either.
bool IsAtRest(const v1::ConnectFacts& connect) {
  if (!connect.has_unit()) return true;
  const std::string& state = connect.unit().active_state();
  return state == "inactive" || state == "failed";
}

// The version that the node has in full: installed, and running unless Connect is stopped.
// Nullopt when that is unknown or wrong already; then the verdict says so.
std::optional<std::string> VersionInUse(const v1::NodeSnapshot& node, const std::string& wanted,
                                        Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.package") || verdict.Unobserved(node, "connect.unit") ||
      verdict.Unobserved(node, "connect.running_version")) {
    return std::nullopt;
  }
  const v1::ConnectFacts& connect = node.facts().connect();
  if (!connect.has_package()) {
    verdict.Fail(node.name(), "rstudio-connect is not installed", InstallConnectFix(wanted));
    return std::nullopt;
  }
  const std::string installed = PlainVersion(connect.package().version());
  if (!absl::EndsWith(connect.package().status(), " ok installed")) {
    verdict.Fail(node.name(),
                 absl::StrCat(installed, " is not installed in full: dpkg says \"",
                              connect.package().status(), "\""),
                 "on NODE: dpkg --configure -a");
    return std::nullopt;
  }
  if (!connect.has_running_version()) {
    if (IsAtRest(connect)) return installed;
    verdict.Unknown(node.name(),
                    absl::StrCat(installed,
                                 " is installed; the process of the unit, "
                                 "which is ",
                                 connect.unit().active_state(), ", does not say its version"));
    return std::nullopt;
  }
  if (!SameVersion(connect.running_version(), installed)) {
    verdict.Fail(
        node.name(),
        absl::StrCat(installed, " is installed, but ", PlainVersion(connect.running_version()),
                     " still runs: not restarted since"),
        "on NODE: systemctl restart rstudio-connect");
    return std::nullopt;
  }
  return installed;
}

}  // namespace

// The order matters: two versions against one database are worse than no service, and the
// package starts Connect when it is installed.
std::string InstallConnectFix(const std::string& version) {
  return absl::StrCat(
      "stop Connect on every node (systemctl stop rstudio-connect), on NODE: apt-get install "
      "./rstudio-connect_",
      version, "*.deb, then start it on one node, then on the others");
}

v1::Finding ConnectVersionMatches(const v1::Snapshot& cluster) {
  const v1::ConnectSpec& spec = cluster.spec().connect();
  Verdict verdict;
  std::vector<Seen> seen;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    auto version = VersionInUse(node, spec.version(), verdict);
    if (!version) continue;
    // One spelling, so that 2024.8.0 in the specification is not another version.
    if (spec.has_version() && SameVersion(*version, spec.version())) version = spec.version();
    seen.push_back({node.name(), *version});
  }
  const auto wanted =
      spec.has_version() ? std::optional<std::string>(spec.version()) : std::nullopt;
  Compare(verdict, "Connect", seen, wanted,
          [](const Seen&, const Seen& right) { return InstallConnectFix(right.value); });
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
      verdict.Unknown(node.name(), "no file has been checked yet");
    } else if (files.files_changed() + files.files_missing() > 0) {
      verdict.Fail(node.name(),
                   absl::StrCat(files.files_changed(), " files changed, ", files.files_missing(),
                                " missing, first: ",
                                files.examples().empty() ? "not named" : files.examples(0),
                                CheckedAt(files)));
    } else {
      verdict.Pass(node.name(), "every file of the package is as shipped");
    }
  }
  return verdict.Finish();
}

v1::Finding AgentVersionMatches(const v1::Snapshot& cluster) {
  const std::string& wanted = cluster.coordinator_version();
  Verdict verdict;
  if (wanted.empty()) verdict.Unknown("", "the coordinator's own version is not known");
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "")) continue;
    if (node.agent_version().empty()) {
      verdict.Unknown(node.name(), "the agent has not said its version");
    } else if (!wanted.empty() && node.agent_version() != wanted) {
      verdict.Fail(node.name(),
                   absl::StrCat("agent ", node.agent_version(), ", coordinator ", wanted),
                   absl::StrCat("on NODE: apt-get install ./connect-ha-agent_", wanted, "*.deb"));
    } else {
      verdict.Pass(node.name(), absl::StrCat("agent ", node.agent_version()));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
