#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "coordinator/checklist/compare.h"
#include "coordinator/checklist/facts_view.h"
#include "coordinator/checklist/rules.h"
#include "coordinator/checklist/verdict.h"

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

// The fingerprint, shortened: it tells two keys apart and gives neither away.
std::optional<std::string> Fingerprint(const v1::NodeSnapshot& node, Verdict& verdict) {
  for (const char* path :
       {"encryption_key.sources", "encryption_key.mode", "encryption_key.fingerprint"}) {
    if (verdict.Unobserved(node, path)) return std::nullopt;
  }
  const v1::EncryptionKeyFacts& key = node.facts().encryption_key();
  if (key.has_fingerprint()) return key.fingerprint();
  if (key.has_path() && !key.has_mode()) {
    verdict.Fail(node.name(), absl::StrCat("there is no key file ", key.path()));
  } else if (node.facts().has_encryption_key()) {
    verdict.Unknown(node.name(), "the key's fingerprint was not reported");
  }
  return std::nullopt;
}

}  // namespace

v1::Finding EncryptionKeyMatches(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::vector<Seen> seen;
  std::vector<std::string> without;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto fingerprint = Fingerprint(node, verdict);
    if (fingerprint) seen.push_back({node.name(), fingerprint->substr(0, kDigitsShown)});
    if (!WhyUnobserved(node.facts(), "encryption_key") && !node.facts().has_encryption_key()) {
      without.push_back(node.name());
    }
    JudgeKeeping(node, verdict);
  }
  for (const std::string& node : without) {
    if (seen.empty()) {
      verdict.Unknown(node, "there is no key yet: the first start of Connect makes one",
                      "systemctl start rstudio-connect on one node only, then: connect-ha "
                      "checklist --refresh");
    } else {
      verdict.Fail(node, "there is no key, elsewhere there is");
    }
  }
  Compare(verdict, "key fingerprint", seen, std::nullopt);
  return verdict.Finish();
}

}  // namespace connect_ha
