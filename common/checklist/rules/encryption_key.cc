#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

constexpr uint32_t kKeyMode = 0600;
constexpr size_t kDigitsShown = 8;

// How the node gives its key, and how it keeps it.
void JudgeKeeping(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  if (key.sources_size() > 1) {
    verdict.Fail(node.name(),
                 absl::StrCat("the key is given twice (", absl::StrJoin(key.sources(), ", "),
                              "): Connect does not start"),
                 absl::StrCat("on NODE: keep one of them in ", ConfigPath(node.facts())));
  }
  if (key.has_mode() && key.mode() != kKeyMode) {
    verdict.Fail(node.name(),
                 absl::StrFormat("%s has mode %04o, wanted 0600", key.path(), key.mode()),
                 absl::StrCat("on NODE: chmod 0600 ", key.path()));
  }
}

// The key is to be in a file that is not there.
bool LacksKeyFile(const v1::NodeSnapshot& node) {
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  return key.has_path() && !key.has_mode() && !WhyUnobserved(node.facts(), "encryption_key.mode");
}

// How the node gets the key that `right` has; its own is kept.
std::string CopyFix(const v1::NodeSnapshot& node, const v1::NodeSnapshot& right) {
  const v1::EncryptionKeyFacts& here = node.facts().encryption_key();
  const v1::EncryptionKeyFacts& there = right.facts().encryption_key();
  const std::string config = ConfigPath(node.facts());
  if (!there.has_path()) {
    return absl::StrCat("on NODE: give the key in ", config, " as ", right.name(), " does (",
                        absl::StrJoin(there.sources(), ", "),
                        "), then: systemctl restart rstudio-connect");
  }
  const std::string take_out =
      here.has_path() || here.sources().empty()
          ? ""
          : absl::StrCat("take ", absl::StrJoin(here.sources(), ", "), " out of ", config, "; ");
  const std::string& file = here.has_path() ? here.path() : there.path();
  const std::string keep = here.has_mode() ? absl::StrCat("cp -p ", file, " ", file, ".old; ") : "";
  return absl::StrCat("on NODE: ", take_out, "systemctl stop rstudio-connect; ", keep,
                      "scp -p root@", right.name(), ":", there.path(), " ", file,
                      "; systemctl start rstudio-connect");
}

// Nullopt where there is no key, or the verdict says that it is not known.
std::optional<std::string> Fingerprint(const v1::NodeSnapshot& node, Verdict& verdict) {
  for (const char* path :
       {"encryption_key.sources", "encryption_key.mode", "encryption_key.fingerprint"}) {
    if (verdict.Unobserved(node, path)) return std::nullopt;
  }
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  if (key.has_fingerprint()) return key.fingerprint();
  if (node.facts().has_encryption_key() && !LacksKeyFile(node)) {
    verdict.Unknown(node.name(), "the key's fingerprint was not reported");
  }
  return std::nullopt;
}

// A node without a key, where others may have one.
void JudgeMissing(const v1::NodeSnapshot& node, const v1::NodeSnapshot* right, Verdict& verdict) {
  const std::string fix = right == nullptr ? "" : CopyFix(node, *right);
  if (LacksKeyFile(node)) {
    verdict.Fail(node.name(),
                 absl::StrCat("there is no key file ", node.facts().encryption_key().path()), fix);
  } else if (right != nullptr) {
    verdict.Fail(node.name(), "there is no key, elsewhere there is", fix);
  } else {
    verdict.Unknown(node.name(), "there is no key yet: the first start of Connect makes one",
                    "systemctl start rstudio-connect on one node only, then: connect-ha "
                    "checklist --refresh");
  }
}

}  // namespace

v1::Finding EncryptionKeyMatches(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::vector<Seen> seen;
  std::map<std::string, const v1::NodeSnapshot*> with;
  std::vector<const v1::NodeSnapshot*> without;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto fingerprint = Fingerprint(node, verdict);
    if (fingerprint) {
      // Shortened, it tells two keys apart and gives neither away.
      seen.push_back({node.name(), fingerprint->substr(0, kDigitsShown)});
      with[node.name()] = &node;
    } else if (!WhyUnobserved(node.facts(), "encryption_key") &&
               (!node.facts().has_encryption_key() || LacksKeyFile(node))) {
      without.push_back(&node);
    }
    JudgeKeeping(node, verdict);
  }
  const v1::NodeSnapshot* right = seen.empty() ? nullptr : with[seen.front().node];
  for (const v1::NodeSnapshot* node : without) JudgeMissing(*node, right, verdict);
  Compare(verdict, "key fingerprint", seen, std::nullopt,
          [&with](const Seen& one, const Seen& other) {
            return CopyFix(*with[one.node], *with[other.node]);
          });
  return verdict.Finish();
}

}  // namespace connect_ha
