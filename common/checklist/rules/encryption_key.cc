#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checklist/compare.h"
#include "common/checklist/lesser_faults.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/located.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

constexpr uint32_t kKeyMode = 0600;
constexpr size_t kDigitsShown = 8;

constexpr char kKeepBoth[] = "keep both keys: what was encrypted by one can be read by no other";

// "Server.EncryptionKeyFile in FILE:LINE", or "the default file".
std::string SourcesText(const v1::NodeSnapshot& node) {
  const v1::Facts& facts = node.facts();
  return absl::StrJoin(facts.encryption_key().sources(), " and ",
                       [&facts](std::string* out, const std::string& one) {
                         const std::string name = one.substr(one.find('.') + 1);
                         const v1::ConfigKey* key = FindKey(facts, "Server", name);
                         if (one == "default" || key == nullptr) {
                           out->append(one == "default" ? "the default file" : one);
                           return;
                         }
                         absl::StrAppend(out, one, " in ",
                                         key->file().empty() ? ConfigPath(facts) : key->file());
                         if (key->line() > 0) absl::StrAppend(out, ":", key->line());
                       });
}

// How the node gives its key, and how it keeps it: with one key for all, nothing is corrupted by
// that.
void JudgeKeeping(const v1::NodeSnapshot& node, LesserFaults& lesser) {
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  const std::string& name = node.name();
  if (key.sources_size() > 1) {
    lesser.Add(
        name,
        absl::StrCat("the key is given twice (", absl::StrJoin(key.sources(), ", "),
                     "): Connect does not start"),
        {ByHand(name, absl::StrCat("leave one of ", SourcesText(node),
                                   ": that of the key with which the database was written"))});
  }
  if (!key.has_mode()) return;
  const std::string file = ShellOperand(key.path());
  if (key.mode() != kKeyMode) {
    lesser.Add(name, absl::StrFormat("%s has mode %04o, wanted 0600", key.path(), key.mode()),
               {Type(name, {absl::StrCat("chmod 0600 ", file)})});
  }
  if (key.has_uid() && key.uid() != 0) {
    lesser.Add(name, absl::StrCat(key.path(), " belongs to uid ", key.uid(), ", wanted root"),
               {Type(name, {absl::StrCat("chown root ", file)},
                     "where that is refused, the file system gives every file one owner: an "
                     "access point, or a server that squashes root")});
  }
}

// The key is to be in a file that is not there.
bool LacksKeyFile(const v1::NodeSnapshot& node) {
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  return key.has_path() && !key.has_mode() && !WhyUnobserved(node.facts(), "encryption_key.mode");
}

// What the other node reads the key from is to be read here, too.
std::string PointNote(const v1::NodeSnapshot& node, const v1::NodeSnapshot& right) {
  const v1::EncryptionKeyFacts& here = node.facts().encryption_key();
  const v1::EncryptionKeyFacts& there = right.facts().encryption_key();
  const std::string as = absl::StrCat(", as on ", right.name(), " (", SourcesText(right), ")");
  if (!there.has_path()) return absl::StrCat("give the key in the configuration", as);
  if (PlaceOnNetwork(right.facts(), there.path())) {
    const bool sets = FindKey(node.facts(), "Server", "EncryptionKeyFile") != nullptr;
    const bool is_default = there.sources_size() == 1 && there.sources(0) == "default";
    const std::string set =
        is_default && sets ? TakeKeyOutNote(node.facts(), "Server.EncryptionKeyFile")
                           : SetKeyNote(node.facts(), "Server.EncryptionKeyFile", there.path());
    return absl::StrCat(set, as);
  }
  return absl::StrCat("bring ", there.path(), " of ", right.name(),
                      " here under a new name, root's ", "and 0600, and ",
                      SetKeyNote(node.facts(), "Server.EncryptionKeyFile", "that file"),
                      here.has_path() ? absl::StrCat("; leave ", here.path(), " as it is") : "");
}

// Both read their key from the shared file system, and find two keys.
bool AreOnOneShare(const v1::NodeSnapshot& a, const v1::NodeSnapshot& b) {
  const auto here = PlaceOnNetwork(a.facts(), a.facts().encryption_key().path());
  const auto there = PlaceOnNetwork(b.facts(), b.facts().encryption_key().path());
  return here && there && Same(*here, *there) != Sameness::kDifferent;
}

// No fix copies a key: which one the database was written with is not seen from here.
Fixes OtherKeyFix(const v1::NodeSnapshot& node, const v1::NodeSnapshot& right) {
  Fixes fixes;
  if (IsRunning(node.facts())) fixes.push_back(StopConnect(node.name()));
  const std::string& path = node.facts().encryption_key().path();
  if (AreOnOneShare(node, right)) {
    fixes.push_back(ByHand(
        node.name(),
        absl::StrCat(path, " is on the shared file system on ", right.name(),
                     ", too: what the nodes have mounted is not one directory. Find out which is "
                     "mounted where (findmnt), and ",
                     kKeepBoth)));
  } else {
    fixes.push_back(ByHand(node.name(), absl::StrCat(PointNote(node, right), "; ", kKeepBoth)));
  }
  return fixes;
}

// Nullopt where there is no key, or the verdict says that it is not known.
std::optional<std::string> Fingerprint(const v1::NodeSnapshot& node, Verdict& verdict) {
  for (const char* path : {"encryption_key.sources", "encryption_key.mode", "encryption_key.uid",
                           "encryption_key.fingerprint"}) {
    if (verdict.Unobserved(node, path)) return std::nullopt;
  }
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  if (key.has_mode() && !key.has_uid()) {
    verdict.Unknown(node.name(), absl::StrCat("the owner of ", key.path(), " was not reported"));
  }
  if (key.has_fingerprint()) return key.fingerprint();
  if (node.facts().has_encryption_key() && !LacksKeyFile(node)) {
    verdict.Unknown(node.name(), "the key's fingerprint was not reported");
  }
  return std::nullopt;
}

Fixes MissingFix(const v1::NodeSnapshot& node, const v1::NodeSnapshot* right) {
  if (right == nullptr) return {};
  const std::string& path = node.facts().encryption_key().path();
  if (!path.empty() && AreOnOneShare(node, *right)) {
    return {ByHand(node.name(), absl::StrCat(right->name(),
                                             " has the file on the shared file system: what is "
                                             "mounted here is another directory, or not that one "
                                             "file system (findmnt on both shows it)"))};
  }
  return {ByHand(node.name(), PointNote(node, *right))};
}

// No node has a key, and none runs a Connect that would have one.
bool IsBeforeFirstStart(const v1::Snapshot& cluster,
                        const std::vector<const v1::NodeSnapshot*>& without) {
  const auto& nodes = cluster.nodes();
  return cluster.nodes_left_out() == 0 && without.size() == static_cast<size_t>(nodes.size()) &&
         std::none_of(nodes.begin(), nodes.end(), [](const v1::NodeSnapshot& node) {
           return WhyUnobserved(node.facts(), "connect.unit") || IsRunning(node.facts());
         });
}

// A node without a key, where others may have one.
void JudgeMissing(const v1::NodeSnapshot& node, const v1::NodeSnapshot* right, bool before_first,
                  bool left_out, Verdict& verdict) {
  const Why why = {right == nullptr ? v1::SELF : v1::PEERS};
  if (LacksKeyFile(node)) {
    const std::string& path = node.facts().encryption_key().path();
    verdict.Fail(node.name(), absl::StrCat("there is no key file ", path), MissingFix(node, right),
                 why);
  } else if (right != nullptr) {
    verdict.Fail(node.name(), "there is no key, elsewhere there is", MissingFix(node, right), why);
  } else if (before_first) {
    verdict.NotApplicable(node.name(),
                          "there is no key yet: the first start of Connect makes one, on one node "
                          "alone; the others are started once that one has its key");
  } else {
    verdict.Unknown(
        node.name(),
        absl::StrCat("there is no key yet: the first start of Connect makes one",
                     left_out ? "; a node that cannot be judged may have one" : ""),
        {ByHand("", "start Connect on one node alone, and the others once that one has its key")});
  }
}

}  // namespace

v1::Finding EncryptionKeyMatches(const v1::Snapshot& cluster) {
  Verdict verdict;
  LesserFaults lesser;
  std::vector<Seen> seen;
  std::vector<const v1::NodeSnapshot*> without;
  const v1::NodeSnapshot* right = nullptr;  // serves, if any with a key does
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto fingerprint = Fingerprint(node, verdict);
    if (fingerprint) {
      // Shortened, it tells two keys apart and gives neither away.
      seen.push_back({&node, FirstCharacters(*fingerprint, kDigitsShown), /*is_digest=*/true});
      const bool is_better = Serves(node.facts()) && !(right && Serves(right->facts()));
      if (right == nullptr || is_better) right = &node;
    } else if (!WhyUnobserved(node.facts(), "encryption_key") &&
               (!node.facts().has_encryption_key() || LacksKeyFile(node))) {
      without.push_back(&node);
    }
    JudgeKeeping(node, lesser);
  }
  const bool before_first = IsBeforeFirstStart(cluster, without);
  const bool left_out = cluster.nodes_left_out() > 0;
  for (const v1::NodeSnapshot* node : without) {
    JudgeMissing(*node, right, before_first, left_out, verdict);
  }
  Compare(verdict, seen,
          {"key fingerprint", std::nullopt,
           [](const Seen& one, const Seen& other) { return OtherKeyFix(*one.node, *other.node); },
           absl::StrCat("the right one is that with which the database was written: a node with it "
                        "shows the environment variables of content without an error; ",
                        kKeepBoth)});
  return lesser.Finish(std::move(verdict));
}

}  // namespace connect_ha
