#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

using WantedList = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

struct Kind {
  v1::RuntimeKind kind;
  const char* name;
  const char* install;  // VERSION becomes the version
};

constexpr Kind kR = {v1::R, "R",
                     "on NODE: apt-get install ./r-VERSION_1_amd64.deb (from "
                     "https://cdn.posit.co/r/), then: systemctl restart rstudio-connect"};
constexpr Kind kPython = {v1::PYTHON, "Python",
                          "on NODE: apt-get install ./python-VERSION_1_amd64.deb (from "
                          "https://cdn.posit.co/python/), then: systemctl restart rstudio-connect"};
constexpr Kind kQuarto = {v1::QUARTO, "Quarto",
                          "on NODE: mkdir -p /opt/quarto/VERSION && tar -xzf "
                          "quarto-VERSION-linux-amd64.tar.gz -C /opt/quarto/VERSION "
                          "--strip-components=1, then: systemctl restart rstudio-connect"};

std::string InstallFix(const Kind& kind, const std::string& version) {
  return absl::StrJoin(absl::StrSplit(kind.install, "VERSION"), version);
}

struct NodeRuntimes {
  const v1::NodeSnapshot* node;
  std::map<std::string, std::string> builds;  // by version; "" where not known
};

bool IsOfAnother(const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                 const std::string& reason) {
  const auto& runtimes = node.facts().runtimes().runtimes();
  return std::any_of(runtimes.begin(), runtimes.end(), [&](const v1::Runtime& other) {
    return other.executable() != runtime.executable() &&
           absl::StartsWith(reason, absl::StrCat(other.executable(), ": "));
  });
}

// Why a fact of one of the installations was not observed. All of them share one path in the
// facts; the reason begins with the executable that it is about.
std::optional<std::string> WhyLacking(const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                                      const std::string& field) {
  for (const v1::Unobserved& entry : node.facts().unobserved()) {
    if (entry.path() != absl::StrCat("runtimes.runtimes.", field)) continue;
    if (IsOfAnother(node, runtime, entry.reason())) continue;
    absl::string_view reason = entry.reason();
    absl::ConsumePrefix(&reason, absl::StrCat(runtime.executable(), ": "));
    return std::string(reason);
  }
  return std::nullopt;
}

void SayUnknown(const v1::NodeSnapshot& node, const v1::Runtime& runtime, const std::string& field,
                const std::string& text, Verdict& verdict) {
  const std::optional<std::string> why = WhyLacking(node, runtime, field);
  verdict.Unknown(node.name(), why ? absl::StrCat(text, ": ", *why) : text);
}

void JudgeStatus(const std::string& what, const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                 Verdict& verdict) {
  if (absl::EndsWith(runtime.package().status(), " ok installed")) return;
  verdict.Fail(node.name(),
               absl::StrCat(what, " is not installed in full: dpkg says \"",
                            runtime.package().status(), "\""),
               "on NODE: dpkg --configure -a");
}

// By the package that owns them, or by the manifest of the archive that they were unpacked from.
// Without either there is nothing to verify them by but the other nodes' build.
void JudgeFiles(const Kind& kind, const std::string& what, const v1::NodeSnapshot& node,
                const v1::Runtime& runtime, Verdict& verdict) {
  const bool owner_unknown =
      !runtime.has_package() && WhyUnobserved(node.facts(), "runtimes.runtimes.package");
  if (owner_unknown) {
    SayUnknown(node, runtime, "package", absl::StrCat("whose ", what, " is"), verdict);
  }
  const v1::Integrity& files = runtime.integrity();
  const bool verifiable =
      runtime.has_package() || runtime.has_integrity() || WhyLacking(node, runtime, "integrity");
  if (files.files_changed() + files.files_missing() > 0) {
    const std::string reinstall =
        absl::StrCat("on NODE: apt-get install --reinstall ", runtime.package().name());
    verdict.Fail(node.name(),
                 absl::StrCat(what, ": ", files.files_changed(), " files changed, ",
                              files.files_missing(), " missing, first: ",
                              files.examples().empty() ? "not named" : files.examples(0)),
                 runtime.has_package() ? reinstall : InstallFix(kind, runtime.version()));
  } else if (files.files_checked() == 0 && verifiable && !owner_unknown) {
    SayUnknown(node, runtime, "integrity",
               absl::StrCat("the files of ", what, " were not checked yet"), verdict);
  }
}

void JudgeSmoke(const std::string& what, const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                Verdict& verdict) {
  if (!runtime.has_smoke()) {
    return SayUnknown(node, runtime, "smoke", absl::StrCat(what, " was not tried yet"), verdict);
  }
  if (runtime.smoke().passed()) return;
  const std::vector<std::string> lines = absl::StrSplit(runtime.smoke().output(), '\n');
  verdict.Fail(node.name(), absl::StrCat(what, " does not work: ", lines.front()),
               absl::StrCat("on NODE: ", runtime.executable(), " --version"));
}

// What the node has of this kind; the faults of each go into the verdict.
NodeRuntimes Take(const Kind& kind, const v1::NodeSnapshot& node, Verdict& verdict) {
  NodeRuntimes taken{&node, {}};
  for (const v1::Runtime& runtime : node.facts().runtimes().runtimes()) {
    if (runtime.kind() != kind.kind) continue;
    if (!runtime.has_exists() && WhyUnobserved(node.facts(), "runtimes.runtimes.exists")) {
      SayUnknown(node, runtime, "exists", absl::StrCat("whether there is a ", runtime.executable()),
                 verdict);
    } else if (!runtime.exists()) {
      verdict.Fail(node.name(),
                   absl::StrCat(kind.name, ".Executable names ", runtime.executable(),
                                ", which is not there"),
                   absl::StrCat("on NODE: install it or take it out of ", ConfigPath(node.facts()),
                                ", then: systemctl restart rstudio-connect"));
    } else if (!runtime.has_version()) {
      SayUnknown(node, runtime, "version",
                 absl::StrCat(runtime.executable(), " does not say its version"), verdict);
    } else {
      std::string& build = taken.builds[runtime.version()];
      if (build.empty()) build = runtime.build_digest();
      const std::string what = absl::StrCat(kind.name, " ", runtime.version());
      if (runtime.has_package()) JudgeStatus(what, node, runtime, verdict);
      JudgeFiles(kind, what, node, runtime, verdict);
      JudgeSmoke(what, node, runtime, verdict);
    }
  }
  return taken;
}

// The versions that each node should have: the specification's, else what any node has.
std::set<std::string> WantedVersions(const WantedList& spec,
                                     const std::vector<NodeRuntimes>& nodes) {
  std::set<std::string> versions;
  for (const v1::RuntimeSpec& runtime : spec) versions.insert(runtime.version());
  if (!versions.empty()) return versions;
  for (const NodeRuntimes& node : nodes) {
    for (const auto& [version, build] : node.builds) versions.insert(version);
  }
  return versions;
}

// One version can have been built twice, with and without a security fix.
void JudgeBuilds(const Kind& kind, const std::string& version,
                 const std::vector<NodeRuntimes>& nodes, Verdict& verdict) {
  constexpr size_t kDigitsShown = 12;
  std::vector<Seen> seen;
  std::vector<std::string> unknown;
  for (const NodeRuntimes& node : nodes) {
    const auto build = node.builds.find(version);
    if (build == node.builds.end()) continue;
    if (build->second.empty()) {
      unknown.push_back(node.node->name());
    } else {
      seen.push_back({node.node->name(), build->second.substr(0, kDigitsShown)});
    }
  }
  Agree(verdict, absl::StrCat(kind.name, " ", version, " is build"), seen,
        absl::StrCat("install the same package on every node: ", InstallFix(kind, version)));
  if (seen.size() + unknown.size() < 2) return;
  for (const std::string& node : unknown) {
    verdict.Unknown(node, absl::StrCat("which build of ", kind.name, " ", version,
                                       " this is was not reported"));
  }
}

void JudgeVersions(const Kind& kind, const std::set<std::string>& wanted, const NodeRuntimes& node,
                   Verdict& verdict) {
  std::vector<std::string> has;
  std::vector<std::string> extra;
  for (const auto& [version, build] : node.builds) {
    (wanted.count(version) > 0 ? has : extra).push_back(version);
  }
  for (const std::string& version : wanted) {
    if (node.builds.count(version) > 0) continue;
    verdict.Fail(node.node->name(), absl::StrCat(kind.name, " ", version, " is missing"),
                 InstallFix(kind, version));
  }
  std::string text = absl::StrCat(kind.name, " ", has.empty() ? "none" : absl::StrJoin(has, ", "));
  if (!extra.empty()) {
    absl::StrAppend(&text, "; not in the specification: ", absl::StrJoin(extra, ", "));
  }
  verdict.Pass(node.node->name(), text);
}

v1::Finding RuntimesMatch(const v1::Snapshot& cluster, const Kind& kind, const WantedList& spec) {
  Verdict verdict;
  std::vector<NodeRuntimes> nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!verdict.Unobserved(node, "runtimes.runtimes")) {
      nodes.push_back(Take(kind, node, verdict));
    }
  }
  const std::set<std::string> wanted = WantedVersions(spec, nodes);
  for (const NodeRuntimes& node : nodes) {
    if (wanted.empty()) {
      verdict.NotApplicable(node.node->name(), absl::StrCat("no ", kind.name));
    } else {
      JudgeVersions(kind, wanted, node, verdict);
    }
  }
  for (const std::string& version : wanted) JudgeBuilds(kind, version, nodes, verdict);
  return verdict.Finish();
}

}  // namespace

v1::Finding RuntimesMatchR(const v1::Snapshot& cluster) {
  return RuntimesMatch(cluster, kR, cluster.spec().runtimes().r());
}

v1::Finding RuntimesMatchPython(const v1::Snapshot& cluster) {
  return RuntimesMatch(cluster, kPython, cluster.spec().runtimes().python());
}

v1::Finding RuntimesMatchQuarto(const v1::Snapshot& cluster) {
  return RuntimesMatch(cluster, kQuarto, cluster.spec().runtimes().quarto());
}

}  // namespace connect_ha
