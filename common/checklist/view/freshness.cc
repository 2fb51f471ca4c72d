#include "common/checklist/view/freshness.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/limits.h"
#include "common/text/short_text.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

constexpr size_t kIdShown = 8;

}  // namespace

bool IsStale(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  return node.has_last_seen() && FromProto(cluster.taken_at()) - FromProto(node.last_seen()) >
                                     microseconds(StaleAfterUs(cluster.spec()));
}

std::vector<std::string> LiveClaimants(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  const microseconds limit(StaleAfterUs(cluster.spec()));
  std::vector<std::string> live;
  for (const v1::Claimant& claimant : node.claimants()) {
    if (FromProto(cluster.taken_at()) - FromProto(claimant.last_seen()) > limit) continue;
    live.push_back(absl::StrCat(FirstCharacters(claimant.machine_id(), kIdShown), "/",
                                FirstCharacters(claimant.boot_id(), kIdShown), " at ",
                                claimant.address()));
  }
  return live;
}

std::optional<std::string> WhyNotHeard(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  if (!node.has_last_seen()) return "has never reported";
  if (IsStale(cluster, node)) {
    return absl::StrCat("not heard for ",
                        FormatSpan(FromProto(cluster.taken_at()) - FromProto(node.last_seen())),
                        " (limit ", FormatSpan(microseconds(StaleAfterUs(cluster.spec()))), ")");
  }
  if (!node.has_facts()) return "heard, but its facts have not come yet";
  return std::nullopt;
}

std::optional<std::string> WhyNotCounted(const v1::Snapshot& cluster,
                                         const v1::NodeSnapshot& node) {
  if (auto why = WhyNotHeard(cluster, node)) return why;
  if (LiveClaimants(cluster, node).size() > 1) {
    return "several live machines have this name, and no one knows which is the node";
  }
  return std::nullopt;
}

}  // namespace connect_ha
