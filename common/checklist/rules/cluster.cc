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

const char kAgentFix[] =
    "on NODE: systemctl status connect-ha-agent; journalctl -u connect-ha-agent -n 50\n"
    "gone for good? connect-ha node remove NODE";

// Which of the machines is the copy is for a person to say.
std::string DistinctFix(const std::string& node) {
  return absl::StrCat("stop the machine that is not ", node,
                      ", or give it a name of its own: on it, systemctl stop connect-ha-agent; "
                      "rm -r /var/lib/connect-ha-agent; systemctl start connect-ha-agent; then "
                      "there, what this prints: connect-ha token create --node ",
                      node, "-copy");
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
    verdict.Unknown(node.name(), "/__ping__ was not asked yet");
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
  finding.clear_fix();
  return finding;
}

// A node that does not serve and would add a zone; "" when there is none.
std::string StartElsewhereFix(const v1::Snapshot& cluster, const std::set<std::string>& zones) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const std::string& zone = node.facts().instance().zone();
    if (zone.empty() || zones.count(zone) > 0) continue;
    return absl::StrCat("on ", node.name(), ", which is in ", zone,
                        ": systemctl start rstudio-connect");
  }
  return "";
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
        verdict.Fail(node, absl::StrCat("one machine under several names, boot id ", boot_id),
                     absl::StrCat("connect-ha node remove ", nodes.back()));
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
      looked.Unknown(node.name(), "no availability zone: this is not an EC2 instance",
                     "off EC2, see by hand that the nodes share neither host nor power");
    } else {
      zones.insert(instance.zone());
      looked.Pass(node.name(), instance.zone());
    }
  }
  if (zones.size() >= 2) {
    return Conclude(looked, v1::PASS, absl::StrCat("nodes serve in ", absl::StrJoin(zones, ", ")));
  }
  if (looked.Has(v1::UNKNOWN)) return looked.Finish();
  v1::Finding finding =
      Conclude(looked, v1::FAIL,
               zones.empty() ? "no node serves"
                             : absl::StrCat("every node that serves is in ", *zones.begin()));
  finding.set_fix(StartElsewhereFix(cluster, zones));
  return finding;
}

v1::Finding FactsAreFresh(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const auto why = WhyUnobserved(node.facts(), "");
    const std::string hung = ProbesThatHang(node.facts());
    if (IsStale(cluster, node)) {
      verdict.Fail(node.name(), why.value_or("not heard"), kAgentFix);
    } else if (why) {
      verdict.Unknown(node.name(), *why, kAgentFix);
    } else if (!hung.empty()) {
      verdict.Unknown(node.name(), absl::StrCat("a probe hangs: ", hung),
                      "on NODE: cat /proc/mounts; ps -eo pid,stat,wchan:32,args | grep ' D'");
    } else {
      verdict.Pass(node.name(), "heard in time");
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
