#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/clock_offsets.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/limits.h"

namespace connect_ha {
namespace {

// What the service that keeps the node's clock says of it.
Fixes LookAtClock(const v1::NodeSnapshot& node) {
  const std::string& service = node.facts().clock().time_service();
  if (absl::StartsWith(service, "chrony")) {
    return {Type(node.name(), {"chronyc tracking", "chronyc sources"})};
  }
  if (absl::StartsWith(service, "systemd-timesyncd")) {
    return {Type(node.name(), {"timedatectl timesync-status"})};
  }
  return {Type(node.name(), {"timedatectl status"})};
}

// The kernel's own word. A service need not tell the kernel that it keeps the clock (chrony does
// so with rtcsync alone); the kernel's bound of the error, which grows by itself, then stays small.
void JudgeKernel(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "clock.synchronized")) return;
  const v1::ClockFacts& clock = node.facts().clock();
  const std::string kept =
      clock.has_time_service() ? absl::StrCat("kept by ", clock.time_service()) : "synchronised";
  if (!clock.has_synchronized()) {
    return verdict.Unknown(node.name(), "the kernel's clock state was not reported");
  }
  if (clock.synchronized()) return verdict.Pass(node.name(), kept);
  if (verdict.Unobserved(node, "clock.time_service")) return;
  if (!clock.has_time_service()) {
    return verdict.Fail(node.name(), "nothing keeps the clock",
                        {Type(node.name(), {"timedatectl set-ntp true", "timedatectl status"},
                              "where it says that NTP is not supported: apt-get install chrony")});
  }
  if (verdict.Unobserved(node, "clock.max_error_us")) return;
  if (clock.has_max_error_us() && clock.max_error_us() < ClockOffsetLimitUs(cluster.spec())) {
    return verdict.Pass(node.name(),
                        absl::StrCat(kept, ", right within ", ShortSpan(clock.max_error_us())));
  }
  verdict.Fail(node.name(), absl::StrCat(clock.time_service(), " runs, but has no time yet"),
               LookAtClock(node));
}

// What a node says may be anything; sums of a few of these are still numbers.
ClockReading Reading(const v1::NodeSnapshot& node, int64_t offset_us, int64_t error_us) {
  constexpr int64_t kFar = 100'000'000'000'000'000;  // 3,000 years
  return {&node, std::clamp<int64_t>(offset_us, -kFar, kFar),
          std::clamp<int64_t>(error_us, 0, kFar)};
}

// Of each other, as the coordinator measured them. A node that is not measured is unknown.
std::vector<ClockReading> AgainstCoordinator(const v1::Snapshot& cluster, Verdict& verdict) {
  std::vector<ClockReading> readings;
  // One node is not apart from itself.
  if (cluster.nodes_size() + static_cast<int>(cluster.nodes_left_out()) == 1) return readings;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (node.has_clock()) {
      readings.push_back(Reading(node, node.clock().offset_us(), node.clock().error_us()));
    } else {
      verdict.Unknown(node.name(), "its offset to the coordinator was not measured yet",
                      {Type("", {"connect-ha status"}, "its column CLOCK shows the offset")});
    }
  }
  return readings;
}

// What the nodes that reach the database measured there; `unreached` has those that do not, for
// which database-reachable tells.
std::vector<ClockReading> AgainstDatabase(const v1::Snapshot& cluster,
                                          std::set<std::string>& unreached, Verdict& verdict) {
  std::vector<ClockReading> readings;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const v1::DatabaseFacts& database = node.facts().database();
    if (!node.facts().has_database() && !WhyUnobserved(node.facts(), "database")) continue;
    if (WhyUnobserved(node.facts(), "database.stages") || !Answers(cluster.spec(), database)) {
      unreached.insert(node.name());
    } else if (verdict.Unobserved(node, "database.clock_offset_us") ||
               verdict.Unobserved(node, "database.clock_error_us")) {
      continue;
    } else if (!database.has_clock_offset_us() || !database.has_clock_error_us()) {
      verdict.Unknown(node.name(), "its offset to the database was not measured");
    } else {
      readings.push_back(Reading(node, database.clock_offset_us(), database.clock_error_us()));
    }
  }
  return readings;
}

std::string OffText(const ClockReading& reading, const std::string& whose, int64_t limit) {
  return absl::StrCat(ShortSpan(reading.offset_us),
                      reading.offset_us < 0 ? " behind " : " ahead of ", whose, ", give or take ",
                      ShortSpan(reading.error_us), " (limit ", ShortSpan(limit), ")");
}

// Those that are out against the other nodes and, for certain, against the database, which agrees
// with some node that is not out: no majority is needed to tell who is wrong.
std::set<const v1::NodeSnapshot*> OutByTheDatabase(const ClockComparison& compared,
                                                   const std::vector<ClockReading>& by_database,
                                                   int64_t limit) {
  std::set<const v1::NodeSnapshot*> out;
  bool is_witness = false;
  for (const ClockReading& reading : by_database) {
    if (!compared.IsOut(*reading.node)) {
      is_witness |= reading.IsWithin(limit);
    } else if (reading.IsBeyond(limit)) {
      out.insert(reading.node);
    }
  }
  return is_witness && !compared.undecided ? out : std::set<const v1::NodeSnapshot*>();
}

void SayApart(const ClockComparison& compared, const std::vector<ClockReading>& by_database,
              int64_t limit, Verdict& verdict) {
  const auto by_witness = OutByTheDatabase(compared, by_database, limit);
  Why why{v1::PEERS, compared.undecided};
  if (compared.undecided) {
    std::vector<std::string> names;
    int64_t apart = 0;
    for (const ClockReading& out : compared.out) {
      names.push_back(out.node->name());
      apart = std::max(apart, std::abs(out.offset_us));
    }
    why.together = absl::StrCat("the clocks of ", JoinNames(names), " are ", ShortSpan(apart),
                                " apart (limit ", ShortSpan(limit),
                                "), and which is right cannot be seen from here");
  }
  for (const ClockReading& out : compared.out) {
    why.basis = by_witness.count(out.node) > 0 ? v1::SELF : v1::PEERS;
    verdict.Fail(out.node->name(),
                 OffText(out, compared.undecided ? "the other" : "the other nodes", limit),
                 LookAtClock(*out.node), why);
  }
  for (const ClockReading& unsure : compared.unsure) {
    verdict.Unknown(
        unsure.node->name(), absl::StrCat("perhaps ", OffText(unsure, "the other nodes", limit)),
        {Type("", {"connect-ha status"}, "a slow network makes the error bar under CLOCK wide")});
  }
}

// The database is one more witness. Where all nodes agree with each other and none with it, it is
// the one that is off, and that is said once.
void JudgeAgainstDatabase(const v1::Snapshot& cluster, const std::vector<ClockReading>& readings,
                          const ClockComparison& compared, Verdict& verdict) {
  const int64_t limit = ClockOffsetLimitUs(cluster.spec());
  std::vector<ClockReading> off;
  size_t judged = 0;
  for (const ClockReading& reading : readings) {
    if (compared.IsOut(*reading.node)) continue;  // said already
    ++judged;
    if (reading.IsBeyond(limit)) {
      off.push_back(reading);
    } else if (!reading.IsWithin(limit)) {
      verdict.Unknown(reading.node->name(),
                      absl::StrCat("perhaps ", OffText(reading, "the database's clock", limit)));
    }
  }
  if (off.size() >= 2 && off.size() == judged) {
    const std::string& host = off.front().node->facts().database().host();
    verdict.Fail(
        "",
        absl::StrCat("every node is ", OffText(off.front(), "the database's clock", limit),
                     ": it is the database's that is off"),
        {ByHand("", absl::StrCat("set the clock of the database's machine right: ", host))},
        {v1::PEERS});
    return;
  }
  for (const ClockReading& reading : off) {
    verdict.Fail(reading.node->name(), OffText(reading, "the database's clock", limit),
                 LookAtClock(*reading.node), {v1::PEERS, /*undecided=*/judged == 1});
  }
}

// Where the clocks agree as far as they are known, and the database was not asked.
void Follow(const std::set<std::string>& nodes, v1::Finding& finding) {
  if (finding.outcome() != v1::PASS || nodes.empty()) return;
  finding.set_outcome(v1::FOLLOWS);
  finding.set_summary(
      absl::StrCat("follows database-reachable on ", JoinNames({nodes.begin(), nodes.end()})));
  for (v1::Evidence& evidence : *finding.mutable_evidence()) {
    if (nodes.count(evidence.node()) == 0) continue;
    evidence.set_outcome(v1::FOLLOWS);
    evidence.set_cause("database-reachable");
    evidence.set_text(absl::StrCat(evidence.text(), "; the database's clock is not known here"));
  }
}

}  // namespace

v1::Finding ClocksAreSynchronised(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) JudgeKernel(cluster, node, verdict);
  const int64_t limit = ClockOffsetLimitUs(cluster.spec());
  const auto readings = AgainstCoordinator(cluster, verdict);
  std::set<std::string> unreached;
  const auto by_database = AgainstDatabase(cluster, unreached, verdict);
  const ClockComparison compared = CompareClocks(readings, by_database, limit);
  SayApart(compared, by_database, limit, verdict);
  JudgeAgainstDatabase(cluster, by_database, compared, verdict);
  v1::Finding finding = verdict.Finish();
  Follow(unreached, finding);
  return finding;
}

}  // namespace connect_ha
