#include "coordinator/cluster/node/known_node.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {

std::string ConflictText(const KnownNode& node) {
  return "two live machines claim this name: " + node.claimants.Describe();
}

CountedFacts Count(const KnownNode& node, std::chrono::microseconds stale_after, Time now) {
  CountedFacts counted;
  if (node.in_conflict) {
    counted.why_not = ConflictText(node);
  } else if (node.facts == nullptr) {
    counted.why_not = "it has not reported its facts";
  } else if (!node.last_seen || now - *node.last_seen > stale_after) {
    counted.why_not = node.last_seen
                          ? absl::StrCat("it was not heard for ", FormatSpan(now - *node.last_seen))
                          : "it was never heard";
    counted.stale = true;
  } else if (node.outdated_since && now - *node.outdated_since > kFactsGrace) {
    counted.why_not =
        absl::StrCat("the node has had other facts for ", FormatSpan(now - *node.outdated_since),
                     " and has not sent them");
  } else {
    counted.facts = node.facts.get();
  }
  return counted;
}

bool IsSettled(const KnownNode& node) { return node.claimants.Count() <= 1; }

}  // namespace connect_ha
