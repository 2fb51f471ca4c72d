#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/freshness.h"
#include "common/time.h"

namespace connect_ha {
namespace {

// A probe that has hung for longer than any probe may take will not come back by itself: the
// process waits in the kernel, mostly for a file system, until somebody sees to that. Before, it
// may be slow.
constexpr int64_t kHangsForGoodUs = 30LL * 60 * 1'000'000;

Fixes AgentFix(const std::string& node) {
  return {Type(node, {"systemctl status connect-ha-agent", "journalctl -u connect-ha-agent -n 50"},
               "if the machine is gone for good, connect-ha node remove takes it out")};
}

// Which of the machines is the copy is for a person to say.
Fixes DistinctFix(const std::string& node) {
  return {Type("", {"connect-ha nodes"}, "it shows the machines and their addresses"),
          ByHand(node,
                 "stop the machine that is the copy; to keep both, give the copy an agent of its "
                 "own: move its /var/lib/connect-ha-agent away and let it join by another name "
                 "(connect-ha token create)")};
}

// True when the node serves; when it does not or that is not known, the verdict says so.
bool JudgeServing(const v1::NodeSnapshot& node, Verdict& verdict) {
  if (verdict.Unobserved(node, "connect.unit")) return false;
  if (!IsRunning(node.facts())) {
    verdict.NotApplicable(node.name(), "Connect is not running");
    return false;
  }
  if (verdict.Unobserved(node, "connect.ping")) return false;
  if (!node.facts().connect().has_ping()) {
    verdict.Pending(node.name(), "/__ping__ was not asked yet");
    return false;
  }
  const bool serves = Serves(node.facts());
  if (!serves) verdict.NotApplicable(node.name(), "Connect does not answer");
  return serves;
}

// The evidence of `looked` with another outcome: it is enough that some nodes show something.
v1::Finding Conclude(const Verdict& looked, v1::Outcome outcome, const std::string& summary = "") {
  v1::Finding finding = looked.Finish();
  finding.set_outcome(outcome);
  finding.set_summary(summary);
  finding.clear_fixes();
  return finding;
}

// A name that a machine enrolled under, as a person tells it from another: "node-1 (first heard
// 2024-08-01T00:00:00Z, last 3s ago)".
std::string NameAndAge(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  std::string text = node.name();
  const v1::Claimant* first = nullptr;
  for (const v1::Claimant& claimant : node.claimants()) {
    if (first == nullptr || FromProto(claimant.first_seen()) < FromProto(first->first_seen())) {
      first = &claimant;
    }
  }
  absl::StrAppend(&text, " (");
  if (first != nullptr) {
    absl::StrAppend(&text, "first heard ", FormatUtc(FromProto(first->first_seen())), ", ");
  }
  absl::StrAppend(&text, "last ",
                  FormatSpan(FromProto(cluster.taken_at()) - FromProto(node.last_seen())), " ago)");
  return text;
}

// One machine that speaks by several names: nothing tells which of them is meant.
void SayOneMachine(const v1::Snapshot& cluster, const std::vector<const v1::NodeSnapshot*>& nodes,
                   Verdict& verdict) {
  std::vector<std::string> names;
  std::vector<std::string> ages;
  for (const v1::NodeSnapshot* node : nodes) {
    names.push_back(node->name());
    ages.push_back(NameAndAge(cluster, *node));
  }
  const std::string text = absl::StrCat("one machine has the names ", absl::StrJoin(names, ", "),
                                        " (boot id ", nodes.front()->facts().host().boot_id(), ")");
  const Fixes fixes = {
      Type("", {"connect-ha nodes"}),
      ByHand("", absl::StrCat("decide which name this machine keeps, and take the other out by "
                              "connect-ha node remove: ",
                              absl::StrJoin(ages, ", ")))};
  for (const v1::NodeSnapshot* node : nodes) {
    verdict.Fail(node->name(), text, fixes, {v1::PEERS, /*undecided=*/true, text});
  }
}

void SayItHangs(const v1::Snapshot& cluster, const v1::NodeSnapshot& node, const v1::ProbeRun& run,
                Verdict& verdict) {
  // What was reported is as old as the report.
  int64_t age = run.duration_us();
  if (run.has_started_at()) {
    age = std::max<int64_t>(age,
                            (FromProto(cluster.taken_at()) - FromProto(run.started_at())).count());
  }
  const std::string text = absl::StrCat("probe ", run.probe(), " has hung for ", ShortSpan(age));
  const Fixes look = {Type(node.name(), {"findmnt", "ps -eo pid,stat,wchan:32,args | grep ' D'"},
                           "a process in state D waits for a disk or a file system")};
  if (age >= kHangsForGoodUs) {
    verdict.Fail(node.name(), text, look);
  } else {
    verdict.Unknown(node.name(), text, look);
  }
}

}  // namespace

v1::Finding AtLeastTwoNodes(const v1::Snapshot& cluster) {
  Verdict looked;
  int serving = 0;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!JudgeServing(node, looked)) continue;
    ++serving;
    looked.Pass(node.name(), "serves");
  }
  const int left_out = static_cast<int>(cluster.nodes_left_out());
  const int all = cluster.nodes_size() + left_out;
  const std::string count =
      all == 1 ? absl::StrCat(serving == 1 ? "one node serves" : "no node serves",
                              ", and no other has enrolled")
               : absl::StrCat(serving, " of ", all, " nodes ", serving == 1 ? "serves" : "serve");
  if (serving >= 2) return Conclude(looked, v1::PASS, count);
  // The others would serve, but for what is said of them elsewhere.
  if (serving + left_out >= 2) return Conclude(looked, v1::FOLLOWS);
  if (looked.Has(v1::UNKNOWN) && all >= 2) {
    return Conclude(looked, v1::UNKNOWN,
                    absl::StrCat(count, " for certain; ", looked.Finish().summary()));
  }
  looked.Fail("", count);
  return Conclude(looked, v1::FAIL, count);
}

v1::Finding NodesAreDistinct(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::map<std::string, std::vector<const v1::NodeSnapshot*>> nodes_by_boot;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const std::vector<std::string> live = LiveClaimants(cluster, node);
    if (live.size() > 1) {
      verdict.Fail(
          node.name(),
          absl::StrCat(live.size(), " live machines (machine/boot): ", absl::StrJoin(live, ", ")),
          DistinctFix(node.name()));
    } else if (!verdict.Unobserved(node, "host.boot_id")) {
      if (node.facts().host().boot_id().empty()) {
        verdict.Unknown(node.name(), "the boot id was not reported");
      } else {
        nodes_by_boot[node.facts().host().boot_id()].push_back(&node);
      }
    }
  }
  for (const auto& [boot_id, nodes] : nodes_by_boot) {
    if (nodes.size() == 1) {
      verdict.Pass(nodes.front()->name(), "one live machine");
    } else {
      SayOneMachine(cluster, nodes, verdict);
    }
  }
  return verdict.Finish();
}

v1::Finding NodesSpanZones(const v1::Snapshot& cluster) {
  Verdict looked;
  std::set<std::string> zones;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (!JudgeServing(node, looked) || looked.Unobserved(node, "instance.zone")) continue;
    const v1::InstanceFacts& instance = node.facts().instance();
    if (instance.zone().empty()) {
      looked.Unknown(
          node.name(), "no availability zone: this is not an EC2 instance",
          {ByHand("", "off EC2, see by hand that the nodes share neither host nor power")});
    } else {
      zones.insert(instance.zone());
      looked.Pass(node.name(), instance.zone());
    }
  }
  if (zones.size() >= 2) {
    return Conclude(looked, v1::PASS, absl::StrCat("nodes serve in ", absl::StrJoin(zones, ", ")));
  }
  if (looked.Has(v1::UNKNOWN)) return looked.Finish();
  if (cluster.nodes_left_out() > 0) return Conclude(looked, v1::FOLLOWS);
  const std::string text = zones.empty()
                               ? "no node serves"
                               : absl::StrCat("every node that serves is in ", *zones.begin());
  looked.Fail("", text);
  return Conclude(looked, v1::FAIL, text);
}

// Only whether the node is heard: what it does not know, its other facts say, and that its name is
// several machines' is for nodes-are-distinct.
v1::Finding FactsAreFresh(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto why = WhyUnobserved(node.facts(), "");
    if (IsStale(cluster, node)) {
      verdict.Fail(node.name(), why.value_or("not heard"), AgentFix(node.name()));
    } else if (why && LiveClaimants(cluster, node).size() < 2) {
      verdict.Unknown(node.name(), *why, AgentFix(node.name()));
    } else {
      verdict.Pass(node.name(), "heard in time");
    }
  }
  return verdict.Finish();
}

v1::Finding ProbesFinish(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (node.facts().runs().empty()) {
      verdict.Unknown(node.name(), "no run of a probe was reported");
      continue;
    }
    for (const v1::ProbeRun& run : node.facts().runs()) {
      if (run.state() == v1::ProbeRun::HUNG) SayItHangs(cluster, node, run, verdict);
    }
    verdict.Pass(node.name(), "every probe comes back");
  }
  return verdict.Finish();
}

}  // namespace connect_ha
