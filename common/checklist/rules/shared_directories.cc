#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/rules/shared_proof.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"

namespace connect_ha {
namespace {

const char kNotSet[] = "not set";

int AllNodes(const v1::Snapshot& cluster) {
  return cluster.nodes_size() + static_cast<int>(cluster.nodes_left_out());
}

// Adds the directory's place where it is on a network file system; where it is not, it cannot
// be shared.
void Locate(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
            const v1::DataDirectory& directory, std::vector<Located>& located, Verdict& verdict) {
  const v1::Mount* mount = MountOf(node, directory, verdict);
  if (mount == nullptr) return;
  switch (ReachOf(mount->fs_type())) {
    case Reach::kLocal:
      return verdict.Fail(node.name(),
                          absl::StrCat(directory.path(), " is on ", mount->mount_point(), " (",
                                       mount->fs_type(), "), which only this node has"),
                          ShareFix(cluster, node, directory));
    case Reach::kUnknown:
      return verdict.Unknown(node.name(), UnknownTypeText(directory, *mount));
    case Reach::kNetwork:
      located.push_back({&node, &directory, PlaceOf(*mount, directory.path_in_source())});
  }
}

// Both unset is the same; one unset is not what the other has.
Sameness Same(const Located& a, const Located& b) {
  if (a.directory == nullptr || b.directory == nullptr) {
    return a.directory == b.directory ? Sameness::kSame : Sameness::kDifferent;
  }
  return Same(a.place, b.place);
}

std::string TextOf(const Located& one) {
  return one.directory == nullptr ? kNotSet : one.place.Text();
}

// Those that are surely not what some other is: by the text of the first of their kind, so that one
// place under two names counts as one. What is only unclear is left out.
std::vector<Seen> SurelyDifferent(const std::vector<Located>& located) {
  std::vector<const Located*> kinds;
  std::map<std::string, const Located*> kind_of;
  for (const Located& one : located) {
    const Located*& kind = kind_of[absl::StrCat(TextOf(one), " ", one.place.address)];
    if (kind != nullptr) continue;
    const auto same = std::find_if(kinds.begin(), kinds.end(), [&one](const Located* other) {
      return Same(one, *other) == Sameness::kSame;
    });
    kind = same == kinds.end() ? &one : *same;
    if (kind == &one) kinds.push_back(&one);
  }
  std::set<const Located*> different;
  for (const Located* a : kinds) {
    for (const Located* b : kinds) {
      if (Same(*a, *b) == Sameness::kDifferent) different.insert(a);
    }
  }
  std::vector<Seen> seen;
  for (const Located& one : located) {
    const Located* kind = kind_of[absl::StrCat(TextOf(one), " ", one.place.address)];
    if (different.count(kind) > 0) seen.push_back({one.node, TextOf(*kind)});
  }
  return seen;
}

Fixes AlikeFix(const std::string& key, const Seen& one, const Seen& right) {
  const v1::Facts& facts = one.node->facts();
  const v1::DataDirectory* theirs = FindDirectory(right.node->facts(), key);
  const std::string& name = one.node->name();
  // Content is only in the landing directory while it is uploaded.
  Fixes fixes;
  if (key != "Server.LandingDir") fixes.push_back(StopConnect(name));
  if (theirs == nullptr) {
    fixes.push_back(ByHand(name, TakeKeyOutNote(facts, key)));
    return fixes;
  }
  const v1::DataDirectory* here = FindDirectory(facts, key);
  const bool is_mount = here != nullptr && here->path() == theirs->path();
  const std::string as = absl::StrCat(", as on ", right.node->name(), " (", right.value, ")");
  fixes.push_back(ByHand(
      name, absl::StrCat(is_mount ? absl::StrCat("mount what ", theirs->path(), " is on")
                                  : SetKeyNote(facts, key, theirs->path()),
                         as, here == nullptr ? "" : "; what is in the other place stays there")));
  return fixes;
}

// Places of one kind are alike to every other place.
std::string KindOf(const Located& one) {
  if (one.directory == nullptr) return kNotSet;
  const Place& place = one.place;
  return absl::StrCat(place.server, "\n", place.path, "\n", place.address, "\n", place.root, "\n",
                      place.is_efs ? "efs" : "", place.is_tunnel ? "tunnel" : "");
}

// The kinds that cannot be told from some other, or from themselves.
std::set<std::string> UnclearKinds(const std::vector<Located>& located) {
  std::map<std::string, const Located*> kinds;
  for (const Located& one : located) kinds.emplace(KindOf(one), &one);
  std::set<std::string> unclear;
  for (const auto& a : kinds) {
    const bool is_unclear = std::any_of(kinds.begin(), kinds.end(), [&a](const auto& b) {
      return Same(*a.second, *b.second) == Sameness::kUnknown;
    });
    if (is_unclear) unclear.insert(a.first);
  }
  return unclear;
}

// What the nodes see of each other's writing decides. Until it does, names disprove, and never
// prove, that a directory is shared.
void JudgeSameness(const v1::Snapshot& cluster, const std::string& key,
                   const std::vector<Located>& located, Verdict& verdict) {
  if (located.empty()) return;
  if (AllNodes(cluster) == 1) {
    return verdict.Pass(located[0].node->name(),
                        absl::StrCat(TextOf(located[0]), "; no other node to compare it with"));
  }
  const SharedProof proof(cluster, key, located);
  if (proof.Judge(verdict)) return;
  const std::vector<Seen> seen = SurelyDifferent(located);
  const Comparison comparison = {
      absl::StrCat(key, " is"), std::nullopt,
      [&key](const Seen& one, const Seen& right) { return AlikeFix(key, one, right); },
      absl::StrCat("see which of them holds the content that users have, and lead ", key,
                   " of every node there; leave the others as they are")};
  Verdict apart;
  Compare(apart, seen, comparison);
  std::set<std::string> wrong;
  const v1::Finding compared = apart.Finish();
  for (const v1::Evidence& evidence : compared.evidence()) {
    if (evidence.outcome() == v1::FAIL) wrong.insert(evidence.node());
  }
  // Who is right passes the comparison, and is still not proved to share.
  Compare(verdict, seen, comparison);
  const std::set<std::string> unclear = UnclearKinds(located);
  for (const Located& one : located) {
    if (wrong.count(one.node->name()) > 0) continue;
    if (one.directory == nullptr) {
      verdict.NotApplicable(one.node->name(), kNotSet);
    } else {
      proof.SayNotProved(one, unclear.count(KindOf(one)) > 0, verdict);
    }
  }
}

// The same superblock: a bind mount is still what it was bound from.
bool IsOnMount(const v1::NodeSnapshot& node, const v1::DataDirectory& directory,
               const std::string& wanted) {
  if (directory.mount_point() == wanted) return true;
  const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
  const v1::Mount* shared = FindMount(node.facts(), wanted);
  return mount != nullptr && shared != nullptr && !mount->device().empty() &&
         mount->device() == shared->device();
}

// A network file system, but not the one that the specification gives to Connect.
bool OffTheSpecsMount(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                      const v1::DataDirectory& directory, Verdict& verdict) {
  const std::string& wanted = cluster.spec().storage().mount_point();
  if (wanted.empty() || IsOnMount(node, directory, wanted)) return false;
  const v1::Mount* mount = FindMount(node.facts(), directory.mount_point());
  if (mount == nullptr || ReachOf(mount->fs_type()) != Reach::kNetwork) return false;
  verdict.Fail(
      node.name(),
      absl::StrCat(directory.path(), " is on ", directory.mount_point(), " (", mount->source(),
                   "), not on the file system at ", wanted),
      {ByHand(node.name(), absl::StrCat("where the data is there, correct storage in cluster.yaml; "
                                        "where it is at ",
                                        wanted, ", stop Connect and ",
                                        SetKeyNote(node.facts(), directory.key(),
                                                   absl::StrCat("a directory below ", wanted))))},
      {v1::SPEC});
  return true;
}

// Every node may see one and the same file system, and that be another cluster's, or an empty one.
void JudgeMark(const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "guard.mark_fault")) return;
  const Fixes explain = {
      Type(node.name(), {"connect-ha-agent preflight --explain"},
           "its last line says what to do; until then Connect does not start again where the "
           "specification is enforced")};
  const std::string& fault = node.facts().guard().mark_fault();
  if (!fault.empty()) return verdict.Fail(node.name(), fault, explain);
  // A mark that cannot be read is no mark of this cluster.
  const auto why = WhyUnobserved(node.facts(), "guard.mark");
  if (why) verdict.Unknown(node.name(), *why, explain);
}

// A directory that need not be configured: where no node has it, the rule does not apply.
v1::Finding OptionalDirectoryIsShared(const v1::Snapshot& cluster, const char* key,
                                      const char* when_unused,
                                      bool (*is_used)(const v1::DataDirectory* directory)) {
  const bool used =
      std::any_of(cluster.nodes().begin(), cluster.nodes().end(),
                  [&](const auto& node) { return is_used(FindDirectory(node.facts(), key)); });
  Verdict verdict;
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    const v1::DataDirectory* directory = FindDirectory(node.facts(), key);
    if (!used) {
      verdict.NotApplicable(node.name(), when_unused);
    } else if (directory == nullptr) {
      located.push_back({&node, nullptr, {}});
    } else {
      Locate(cluster, node, *directory, located, verdict);
    }
  }
  JudgeSameness(cluster, key, located, verdict);
  return verdict.Finish();
}

}  // namespace

v1::Finding DataDirIsShared(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::vector<Located> located;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (StorageUnobserved(node, verdict)) continue;
    JudgeMark(node, verdict);
    const v1::DataDirectory* directory = FindDirectory(node.facts(), "Server.DataDir");
    if (directory == nullptr) {
      verdict.Unknown(node.name(), "Server.DataDir was not reported");
    } else if (!OffTheSpecsMount(cluster, node, *directory, verdict)) {
      Locate(cluster, node, *directory, located, verdict);
    }
  }
  JudgeSameness(cluster, "Server.DataDir", located, verdict);
  return verdict.Finish();
}

v1::Finding DatabaseDirIsShared(const v1::Snapshot& cluster) {
  return OptionalDirectoryIsShared(
      cluster, "Database.Dir", "Database.Dir is left at its default, below Server.DataDir",
      [](const v1::DataDirectory* directory) { return directory && !directory->is_default(); });
}

v1::Finding LandingDirIsShared(const v1::Snapshot& cluster) {
  return OptionalDirectoryIsShared(
      cluster, "Server.LandingDir", "Server.LandingDir is not set",
      [](const v1::DataDirectory* directory) { return directory != nullptr; });
}

}  // namespace connect_ha
