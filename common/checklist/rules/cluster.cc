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

Fixes AgentFix(const std::string& node) {
  return {Type(node, {"systemctl status connect-ha-agent", "journalctl -u connect-ha-agent -n 50"},
               absl::StrCat("gone for good? connect-ha node remove ", node))};
}

// Which of the machines is the copy is for a person to say.
Fixes DistinctFix(const std::string& node) {
  return {
      Type("", {"connect-ha nodes"},
           "it shows the machines, which of them is older, and which is heard"),
      ByHand(
          node,
          "stop the machine that is the copy, or on it remove /var/lib/connect-ha-agent and let it "
          "join under a name of its own: connect-ha token create")};
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
  const bool serves = node.facts().connect().ping().http_status() == 200;
  if (!serves) verdict.NotApplicable(node.name(), "Connect does not answer");
  return serves;
}

// The evidence of `looked` with another outcome: it is enough that some nodes show something.
v1::Finding Conclude(const Verdict& looked, v1::Outcome outcome, const std::string& summary) {
  v1::Finding finding = looked.Finish();
  finding.set_outcome(outcome);
  finding.set_summary(summary);
  finding.clear_fixes();
  return finding;
}

// A node that does not serve and would add a zone.
Fixes StartElsewhereFix(const v1::Snapshot& cluster, const std::set<std::string>& zones) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const std::string& zone = node.facts().instance().zone();
    if (zone.empty() || zones.count(zone) > 0) continue;
    v1::Fix start = StartConnect(node.name());
    start.set_note(absl::StrCat(node.name(), " is in ", zone));
    return {start};
  }
  return {};
}

std::string ProbesThatHang(const v1::Facts& facts) {
  std::vector<std::string> hung;
  for (const v1::ProbeRun& run : facts.runs()) {
    if (run.state() != v1::ProbeRun::HUNG) continue;
    hung.push_back(absl::StrCat(run.probe(), " for ", ShortSpan(run.duration_us())));
  }
  return absl::StrJoin(hung, ", ");
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
  const std::string count = absl::StrCat(serving, " of ", cluster.nodes_size(), " nodes serve");
  if (serving >= 2) return Conclude(looked, v1::PASS, count);
  // The others would, but for what is said of them elsewhere.
  if (serving + static_cast<int>(cluster.nodes_left_out()) >= 2) {
    return Conclude(looked, v1::FOLLOWS, count);
  }
  if (looked.Has(v1::UNKNOWN) && cluster.nodes_size() >= 2) {
    return Conclude(looked, v1::UNKNOWN,
                    absl::StrCat(count, " for certain; ", looked.Finish().summary()));
  }
  return Conclude(looked, v1::FAIL, count);
}

v1::Finding NodesAreDistinct(const v1::Snapshot& cluster) {
  Verdict verdict;
  std::map<std::string, std::vector<std::string>> nodes_by_boot;
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
        nodes_by_boot[node.facts().host().boot_id()].push_back(node.name());
      }
    }
  }
  for (const auto& [boot_id, nodes] : nodes_by_boot) {
    for (const std::string& node : nodes) {
      if (nodes.size() == 1) {
        verdict.Pass(node, "one live machine");
      } else {
        verdict.Fail(
            node, absl::StrCat("one machine under several names, boot id ", boot_id),
            {ByHand("",
                    absl::StrCat("decide which name this machine keeps, and take the other out: "
                                 "connect-ha node remove; names: ",
                                 absl::StrJoin(nodes, ", ")))});
      }
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
  if (cluster.nodes_left_out() > 0) return Conclude(looked, v1::FOLLOWS, "");
  if (looked.Has(v1::UNKNOWN)) return looked.Finish();
  v1::Finding finding =
      Conclude(looked, v1::FAIL,
               zones.empty() ? "no node serves"
                             : absl::StrCat("every node that serves is in ", *zones.begin()));
  for (const v1::Fix& fix : StartElsewhereFix(cluster, zones)) *finding.add_fixes() = fix;
  return finding;
}

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
    const std::string hung = ProbesThatHang(node.facts());
    if (hung.empty()) {
      verdict.Pass(node.name(), "every probe came back");
    } else {
      verdict.Unknown(node.name(), absl::StrCat("a probe hangs: ", hung));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
