#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

// The kernel's own word.
void JudgeKernel(const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "clock.synchronized")) return;
  const v1::ClockFacts& clock = node.facts().clock();
  if (!clock.has_synchronized()) {
    verdict.Unknown(node.name(), "the kernel's clock state was not reported");
  } else if (!clock.synchronized()) {
    verdict.Fail(node.name(),
                 clock.has_time_service()
                     ? absl::StrCat(clock.time_service(), " runs, but has no time yet")
                     : "nothing keeps the clock",
                 {Type(node.name(), {"timedatectl set-ntp true", "timedatectl status"},
                       "where there is no time service: apt-get install chrony")});
  } else {
    verdict.Pass(node.name(), clock.has_time_service()
                                  ? absl::StrCat("kept by ", clock.time_service())
                                  : "synchronised");
  }
}

// An offset is known within its error: over the limit for sure, within it for sure, or neither.
void JudgeDatabaseOffset(const v1::Snapshot& cluster, const v1::NodeSnapshot& node,
                         Verdict& verdict) {
  if (verdict.Unobserved(node, "database.clock_offset_us") ||
      verdict.Unobserved(node, "database.clock_error_us") || !node.facts().has_database()) {
    return;
  }
  const v1::DatabaseFacts& database = node.facts().database();
  if (!database.has_clock_offset_us() || !database.has_clock_error_us()) {
    return verdict.Unknown(node.name(), "the offset to the database was not measured");
  }
  const int64_t limit = ClockOffsetLimitUs(cluster.spec());
  const int64_t offset = std::abs(database.clock_offset_us());
  const std::string text =
      absl::StrCat(ShortSpan(offset), " off the database's clock, give or take ",
                   ShortSpan(database.clock_error_us()), " (limit ", ShortSpan(limit), ")");
  if (offset - database.clock_error_us() > limit) {
    verdict.Fail(node.name(), text, {Type(node.name(), {"timedatectl status"})});
  } else if (offset + database.clock_error_us() > limit) {
    verdict.Unknown(node.name(), text);
  }
}

int64_t Lower(const v1::NodeSnapshot& node) {
  return node.clock().offset_us() - node.clock().error_us();
}
int64_t Upper(const v1::NodeSnapshot& node) {
  return node.clock().offset_us() + node.clock().error_us();
}

using Nodes = std::vector<const v1::NodeSnapshot*>;

// Two nodes, and how far the first can be ahead of the second.
struct Pair {
  const v1::NodeSnapshot* ahead;
  const v1::NodeSnapshot* behind;
  int64_t AtMost() const { return Upper(*ahead) - Lower(*behind); }
  int64_t AtLeast() const { return Lower(*ahead) - Upper(*behind); }
};

// The pair that can be furthest apart. `upper` and `lower` are sorted by those bounds; a node is
// no pair with itself.
Pair FurthestAtMost(const Nodes& upper, const Nodes& lower) {
  const Pair pair{upper.back(), lower.front()};
  if (pair.ahead != pair.behind) return pair;
  const Pair one{upper.back(), lower[1]};
  const Pair other{upper[upper.size() - 2], lower.front()};
  return one.AtMost() > other.AtMost() ? one : other;
}

Nodes Measured(const v1::Snapshot& cluster, Verdict& verdict) {
  Nodes nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (WhyUnobserved(node.facts(), "")) continue;  // said already
    if (node.has_clock()) {
      nodes.push_back(&node);
    } else {
      verdict.Unknown(
          node.name(), "the offset to the coordinator was not measured yet",
          {Type("", {"connect-ha status"}, "its column CLOCK has the offset once it is measured")});
    }
  }
  return nodes;
}

// Every pair at once: the two that are furthest apart decide.
void JudgePairs(const v1::Snapshot& cluster, Verdict& verdict) {
  const int64_t limit = ClockOffsetLimitUs(cluster.spec());
  Nodes upper = Measured(cluster, verdict);
  if (upper.size() < 2) return;
  Nodes lower = upper;
  const auto by = [](int64_t (*bound)(const v1::NodeSnapshot&)) {
    return [bound](const v1::NodeSnapshot* a, const v1::NodeSnapshot* b) {
      return bound(*a) < bound(*b);
    };
  };
  std::stable_sort(upper.begin(), upper.end(), by(Upper));
  std::stable_sort(lower.begin(), lower.end(), by(Lower));
  const Pair apart{lower.back(), upper.front()};
  const Pair perhaps = FurthestAtMost(upper, lower);
  if (apart.AtLeast() > limit) {
    verdict.Fail(apart.ahead->name(),
                 absl::StrCat("at least ", ShortSpan(apart.AtLeast()), " ahead of ",
                              apart.behind->name(), " (limit ", ShortSpan(limit), ")"),
                 {Type(apart.ahead->name(), {"timedatectl status"}),
                  Type(apart.behind->name(), {"timedatectl status"})});
  } else if (perhaps.AtMost() > limit) {
    verdict.Unknown(
        perhaps.ahead->name(),
        absl::StrCat("perhaps up to ", ShortSpan(perhaps.AtMost()), " ahead of ",
                     perhaps.behind->name(), " (limit ", ShortSpan(limit), ")"),
        {Type("", {"connect-ha status"}, "a slow network makes the error bar under CLOCK wide")});
  } else {
    verdict.Pass(
        "", absl::StrCat("no two nodes are more than ", ShortSpan(perhaps.AtMost()), " apart"));
  }
}

}  // namespace

v1::Finding ClocksAreSynchronised(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    JudgeKernel(node, verdict);
    if (!WhyUnobserved(node.facts(), "")) JudgeDatabaseOffset(cluster, node, verdict);
  }
  // One node is not apart from itself.
  if (cluster.nodes_size() > 1) JudgePairs(cluster, verdict);
  return verdict.Finish();
}

}  // namespace connect_ha
