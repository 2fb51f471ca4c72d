#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "coordinator/checklist/facts_view.h"
#include "coordinator/checklist/limits.h"
#include "coordinator/checklist/rules.h"
#include "coordinator/checklist/verdict.h"

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
                 "on NODE: timedatectl set-ntp true; timedatectl status (no service: apt-get "
                 "install chrony)");
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
    verdict.Fail(node.name(), text, "on NODE: timedatectl timesync-status, or: chronyc tracking");
  } else if (offset + database.clock_error_us() > limit) {
    verdict.Unknown(node.name(), text);
  }
}

// The outermost bounds of the nodes' offsets to the coordinator, and who has them.
struct Bounds {
  const v1::NodeSnapshot* earliest_at_most = nullptr;   // least upper bound
  const v1::NodeSnapshot* latest_at_least = nullptr;    // greatest lower bound
  const v1::NodeSnapshot* earliest_at_least = nullptr;  // least lower bound
  const v1::NodeSnapshot* latest_at_most = nullptr;     // greatest upper bound
};

int64_t Lower(const v1::NodeSnapshot& node) {
  return node.clock().offset_us() - node.clock().error_us();
}
int64_t Upper(const v1::NodeSnapshot& node) {
  return node.clock().offset_us() + node.clock().error_us();
}

void Widen(const v1::NodeSnapshot& node, Bounds& bounds) {
  if (!bounds.earliest_at_most) bounds = {&node, &node, &node, &node};
  if (Upper(node) < Upper(*bounds.earliest_at_most)) bounds.earliest_at_most = &node;
  if (Lower(node) > Lower(*bounds.latest_at_least)) bounds.latest_at_least = &node;
  if (Lower(node) < Lower(*bounds.earliest_at_least)) bounds.earliest_at_least = &node;
  if (Upper(node) > Upper(*bounds.latest_at_most)) bounds.latest_at_most = &node;
}

// Every pair at once: the two that are furthest apart decide.
void JudgePairs(const v1::Snapshot& cluster, Verdict& verdict) {
  const int64_t limit = ClockOffsetLimitUs(cluster.spec());
  Bounds bounds;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (WhyUnobserved(node.facts(), "")) continue;  // said already
    if (node.has_clock()) {
      Widen(node, bounds);
    } else {
      verdict.Unknown(node.name(), "the offset to the coordinator was not measured yet");
    }
  }
  if (!bounds.earliest_at_most) return;
  const int64_t at_least = Lower(*bounds.latest_at_least) - Upper(*bounds.earliest_at_most);
  const int64_t at_most = Upper(*bounds.latest_at_most) - Lower(*bounds.earliest_at_least);
  if (at_least > limit) {
    verdict.Fail(bounds.latest_at_least->name(),
                 absl::StrCat("at least ", ShortSpan(at_least), " ahead of ",
                              bounds.earliest_at_most->name(), " (limit ", ShortSpan(limit), ")"),
                 "on NODE and every other node: timedatectl timesync-status, or: chronyc tracking");
  } else if (at_most > limit) {
    verdict.Unknown("", absl::StrCat(bounds.latest_at_most->name(), " and ",
                                     bounds.earliest_at_least->name(), " may be up to ",
                                     ShortSpan(at_most), " apart (limit ", ShortSpan(limit), ")"));
  } else {
    verdict.Pass("", absl::StrCat("no two nodes are more than ", ShortSpan(at_most), " apart"));
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
