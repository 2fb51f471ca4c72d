#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/text/short_text.h"
#include "common/version.h"

namespace connect_ha {
namespace {

using WantedList = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

struct Kind {
  v1::RuntimeKind kind;
  const char* name;         // also the section of Connect's configuration
  bool enabled_by_default;  // Enabled, where the configuration does not say
  bool scans;               // Connect looks for installations by itself, unless told otherwise
};

constexpr Kind kR = {v1::R, "R", true, true};
constexpr Kind kPython = {v1::PYTHON, "Python", false, false};
constexpr Kind kQuarto = {v1::QUARTO, "Quarto", false, false};

// Connect finds a new version when it starts. Content may land on any node: each must have it
// first.
constexpr char kRestartLater[] =
    "when every node has it, restart Connect, one node at a time, for it to be found";

// As Debian and the publishers name it.
std::string PackageArchitecture(const v1::NodeSnapshot& node) {
  return node.facts().host().architecture() == "aarch64" ? "arm64" : "amd64";
}

Fixes InstallFix(const Kind& kind, const v1::NodeSnapshot& node, const std::string& version) {
  const std::string arch = PackageArchitecture(node);
  if (kind.kind == v1::QUARTO) {
    const std::string directory = ShellWord(absl::StrCat("/opt/quarto/", version));
    const std::string archive =
        ShellWord(absl::StrCat("quarto-", version, "-linux-", arch, ".tar.gz"));
    return {Type(node.name(),
                 {absl::StrCat("mkdir -p ", directory),
                  absl::StrCat("tar -xzf ", archive, " -C ", directory, " --strip-components=1")},
                 kRestartLater)};
  }
  const std::string name = absl::AsciiStrToLower(kind.name);
  const std::string file = absl::StrCat("./", name, "-", version, "_1_", arch, ".deb");
  return {Type(node.name(), {absl::StrCat("apt-get install ", ShellWord(file))},
               absl::StrCat("from https://cdn.posit.co/", name, "/; ", kRestartLater))};
}

Fixes ReinstallFix(const v1::NodeSnapshot& node, const v1::Package& package) {
  return {ReinstallPackage(node.name(), package.name(), package.version())};
}

struct NodeRuntimes {
  const v1::NodeSnapshot* node;
  std::map<std::string, std::string> builds;  // by version; "" where not known
  std::set<std::string> used;                 // the versions that Connect offers to content
  // Of installations that do not say their version: what tells two apart, by executable.
  std::map<std::string, std::string> unnamed;
};

bool IsOfAnother(const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                 absl::string_view reason) {
  const auto& runtimes = node.facts().runtimes().runtimes();
  return std::any_of(runtimes.begin(), runtimes.end(), [&](const v1::Runtime& other) {
    absl::string_view rest = reason;
    return absl::ConsumePrefix(&rest, other.executable()) && absl::StartsWith(rest, ": ") &&
           other.executable() != runtime.executable();
  });
}

// What says that a fact of one of the installations was not observed; null where nothing does. All
// of them share one path in the facts; the reason begins with the executable that it is about.
const v1::Unobserved* Lacking(const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                              const std::string& field) {
  const std::string path = absl::StrCat("runtimes.runtimes.", field);
  for (const v1::Unobserved& entry : node.facts().unobserved()) {
    if (entry.path() != path) continue;
    if (!IsOfAnother(node, runtime, entry.reason())) return &entry;
  }
  return nullptr;
}

// `pending`: where nothing says why, the probe that takes longer has not come to it.
void SayUnknown(const v1::NodeSnapshot& node, const v1::Runtime& runtime, const std::string& field,
                const std::string& text, Verdict& verdict, bool pending = false) {
  const v1::Unobserved* lacking = Lacking(node, runtime, field);
  std::string why = text;
  if (lacking != nullptr) {
    absl::string_view reason = lacking->reason();
    absl::ConsumePrefix(&reason, absl::StrCat(runtime.executable(), ": "));
    absl::StrAppend(&why, ": ", reason);
    pending = lacking->pending();
  }
  if (pending) {
    verdict.Pending(node.name(), why);
  } else {
    verdict.Unknown(node.name(), why);
  }
}

void JudgeStatus(const std::string& what, const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                 Verdict& verdict) {
  if (absl::EndsWith(runtime.package().status(), " ok installed")) return;
  verdict.Fail(node.name(),
               absl::StrCat(what, " is not installed in full: dpkg says \"",
                            runtime.package().status(), "\""),
               {Type(node.name(), {"dpkg --configure -a"})});
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
  const bool verifiable = runtime.has_package() || runtime.has_integrity() ||
                          Lacking(node, runtime, "integrity") != nullptr;
  if (files.files_changed() + files.files_missing() > 0) {
    verdict.Fail(node.name(),
                 absl::StrCat(what, ": ", files.files_changed(), " files changed, ",
                              files.files_missing(), " missing, first: ",
                              files.examples().empty() ? "not named" : files.examples(0)),
                 runtime.has_package() ? ReinstallFix(node, runtime.package())
                                       : InstallFix(kind, node, runtime.version()));
  } else if (files.files_checked() == 0 && verifiable && !owner_unknown) {
    SayUnknown(node, runtime, "integrity", absl::StrCat("the files of ", what, " were not checked"),
               verdict,
               /*pending=*/true);
  }
}

void JudgeSmoke(const std::string& what, const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                Verdict& verdict) {
  if (!runtime.has_smoke()) {
    return SayUnknown(node, runtime, "smoke", absl::StrCat(what, " was not tried"), verdict,
                      /*pending=*/true);
  }
  if (runtime.smoke().passed()) return;
  const std::vector<std::string> lines = absl::StrSplit(runtime.smoke().output(), '\n');
  // Where a command stands, "A=b" is none.
  Fixes fixes;
  if (absl::StartsWith(runtime.executable(), "/")) {
    fixes = {Type(node.name(), {absl::StrCat(ShellWord(runtime.executable()), " --version")})};
  }
  verdict.Fail(node.name(), absl::StrCat(what, " does not work: ", lines.front()), fixes);
}

// Whether Connect runs this kind of content on the node. An executable that is named counts where
// nothing else is said.
bool IsEnabled(const Kind& kind, const v1::NodeSnapshot& node) {
  if (FindKey(node.facts(), kind.name, "Enabled") == nullptr) {
    const auto& runtimes = node.facts().runtimes().runtimes();
    return kind.enabled_by_default ||
           std::any_of(runtimes.begin(), runtimes.end(), [&kind](const v1::Runtime& runtime) {
             return runtime.kind() == kind.kind && runtime.named_by_config();
           });
  }
  return ConfigFlag(node.facts(), kind.name, "Enabled", kind.enabled_by_default);
}

void JudgeMissingExecutable(const Kind& kind, const v1::NodeSnapshot& node,
                            const v1::Runtime& runtime, Verdict& verdict) {
  if (!runtime.named_by_config()) {
    verdict.Fail(node.name(),
                 absl::StrCat(runtime.executable(), " is gone, though its package is installed"),
                 runtime.has_package() ? ReinstallFix(node, runtime.package()) : Fixes{});
    return;
  }
  const v1::ConfigKey* key = FindKey(node.facts(), kind.name, "Executable");
  const std::string file =
      key == nullptr || key->file().empty() ? ConfigPath(node.facts()) : key->file();
  verdict.Fail(
      node.name(),
      absl::StrCat(kind.name, ".Executable names ", runtime.executable(), ", which is not there"),
      {ByHand(node.name(),
              absl::StrCat("install it, or take it out of ", file, " on every node"))});
}

void JudgeRuntime(const Kind& kind, const v1::NodeSnapshot& node, const v1::Runtime& runtime,
                  Verdict& verdict) {
  const std::string what = absl::StrCat(kind.name, " ", runtime.version());
  if (runtime.has_package()) JudgeStatus(what, node, runtime, verdict);
  JudgeFiles(kind, what, node, runtime, verdict);
  JudgeSmoke(what, node, runtime, verdict);
}

// Two installations of one package version, or of one binary, are of one version.
std::string Likeness(const v1::Runtime& runtime) {
  constexpr size_t kDigitsShown = 12;
  if (runtime.has_package()) {
    return absl::StrCat(runtime.package().name(), " ", runtime.package().version());
  }
  const std::string build = FirstCharacters(runtime.build_digest(), kDigitsShown);
  return build.empty() ? "" : absl::StrCat("build ", build);
}

// What the node has of this kind; the faults of each go into the verdict.
NodeRuntimes Take(const Kind& kind, const v1::NodeSnapshot& node, Verdict& verdict) {
  NodeRuntimes taken{&node, {}, {}, {}};
  std::set<std::string> named;
  for (const v1::Runtime& runtime : node.facts().runtimes().runtimes()) {
    if (runtime.kind() != kind.kind) continue;
    if (!runtime.has_exists() && WhyUnobserved(node.facts(), "runtimes.runtimes.exists")) {
      SayUnknown(node, runtime, "exists", absl::StrCat("whether there is a ", runtime.executable()),
                 verdict);
    } else if (!runtime.exists()) {
      JudgeMissingExecutable(kind, node, runtime, verdict);
    } else if (!runtime.has_version()) {
      taken.unnamed[runtime.executable()] = Likeness(runtime);
      SayUnknown(node, runtime, "version",
                 absl::StrCat(runtime.executable(), " does not say its version"), verdict);
    } else if (!LooksLikeVersion(runtime.version())) {
      // No other node is to install what one node made up.
      taken.unnamed[runtime.executable()] = Likeness(runtime);
      verdict.Unknown(node.name(), absl::StrCat("what ", runtime.executable(),
                                                " says is no version: ", runtime.version()));
    } else {
      std::string& build = taken.builds[runtime.version()];
      if (build.empty()) build = runtime.build_digest();
      if (runtime.named_by_config()) named.insert(runtime.version());
      JudgeRuntime(kind, node, runtime, verdict);
    }
  }
  const bool scans = kind.scans && ConfigFlag(node.facts(), kind.name, "ExecutableScanning", true);
  if (named.empty() || scans) {
    for (const auto& [version, build] : taken.builds) taken.used.insert(version);
  } else {
    taken.used = named;
  }
  return taken;
}

// The versions that each node should have: the specification's, else what content may find on a
// node that serves or, where none does, on any.
std::set<std::string> WantedVersions(const WantedList& spec,
                                     const std::vector<NodeRuntimes>& nodes) {
  std::set<std::string> versions;
  for (const v1::RuntimeSpec& runtime : spec) versions.insert(runtime.version());
  if (!versions.empty()) return versions;
  const bool any_serves = std::any_of(nodes.begin(), nodes.end(), [](const NodeRuntimes& node) {
    return MayServe(node.node->facts());
  });
  for (const NodeRuntimes& node : nodes) {
    if (any_serves && !MayServe(node.node->facts())) continue;
    versions.insert(node.used.begin(), node.used.end());
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
      seen.push_back({node.node, FirstCharacters(build->second, kDigitsShown)});
    }
  }
  Agree(verdict, seen,
        {absl::StrCat(kind.name, " ", version, " is build"), std::nullopt,
         [&](const Seen& one, const Seen&) { return InstallFix(kind, *one.node, version); },
         absl::StrCat("install the same package of ", kind.name, " ", version, " on every node")});
  if (seen.size() + unknown.size() < 2) return;
  for (const std::string& node : unknown) {
    verdict.Unknown(node, absl::StrCat("which build of ", kind.name, " ", version,
                                       " this is was not reported"));
  }
}

// Installations at one place that do not say their version, but are not the same.
void JudgeUnnamed(const Kind& kind, const std::vector<NodeRuntimes>& nodes, Verdict& verdict) {
  std::map<std::string, std::vector<Seen>> by_executable;
  for (const NodeRuntimes& node : nodes) {
    for (const auto& [executable, likeness] : node.unnamed) {
      if (!likeness.empty()) by_executable[executable].push_back({node.node, likeness});
    }
  }
  for (const auto& [executable, seen] : by_executable) {
    Agree(verdict, seen,
          {absl::StrCat(executable, " is"),
           std::nullopt,
           {},
           absl::StrCat("install one version of ", kind.name, " there on every node")});
  }
}

void JudgeVersions(const Kind& kind, const std::set<std::string>& wanted, v1::Basis basis,
                   const NodeRuntimes& node, Verdict& verdict) {
  std::vector<std::string> has;
  std::vector<std::string> extra;
  for (const auto& [version, build] : node.builds) {
    (wanted.count(version) > 0 ? has : extra).push_back(version);
  }
  for (const std::string& version : wanted) {
    if (node.builds.count(version) > 0) continue;
    const std::string text = absl::StrCat(kind.name, " ", version, " is missing");
    if (node.unnamed.empty()) {
      verdict.Fail(node.node->name(), text, InstallFix(kind, *node.node, version),
                   {basis, false, ""});
    } else {
      verdict.Unknown(node.node->name(),
                      absl::StrCat("whether ", text, ": ", node.unnamed.begin()->first,
                                   " does not say its version"));
    }
  }
  std::string text = absl::StrCat(kind.name, " ", has.empty() ? "none" : absl::StrJoin(has, ", "));
  if (!extra.empty()) absl::StrAppend(&text, "; not needed: ", absl::StrJoin(extra, ", "));
  verdict.Pass(node.node->name(), text);
}

v1::Finding RuntimesMatch(const v1::Snapshot& cluster, const Kind& kind, const WantedList& spec) {
  Verdict verdict;
  std::vector<NodeRuntimes> nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "runtimes.runtimes")) continue;
    if (spec.empty() && !IsEnabled(kind, node)) {
      verdict.NotApplicable(
          node.name(), absl::StrCat(kind.name, " is switched off here (", kind.name, ".Enabled)"));
      continue;
    }
    nodes.push_back(Take(kind, node, verdict));
  }
  const std::set<std::string> wanted = WantedVersions(spec, nodes);
  for (const NodeRuntimes& node : nodes) {
    if (wanted.empty()) {
      verdict.NotApplicable(node.node->name(), absl::StrCat("no ", kind.name));
    } else {
      JudgeVersions(kind, wanted, spec.empty() ? v1::PEERS : v1::SPEC, node, verdict);
    }
  }
  for (const std::string& version : wanted) JudgeBuilds(kind, version, nodes, verdict);
  JudgeUnnamed(kind, nodes, verdict);
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
