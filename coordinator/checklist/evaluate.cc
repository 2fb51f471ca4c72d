#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/checklist/facts_view.h"
#include "coordinator/checklist/freshness.h"
#include "coordinator/checklist/rule.h"
#include "coordinator/checklist/verdict.h"

namespace connect_ha {
namespace {

// What may not be counted becomes one reason that covers everything.
void LeaveOutWhatDoesNotCount(v1::Snapshot& cluster) {
  for (v1::NodeSnapshot& node : *cluster.mutable_nodes()) {
    const auto why = WhyNotCounted(cluster, node);
    if (!why) continue;
    node.mutable_facts()->Clear();
    node.clear_clock();
    node.mutable_facts()->add_unobserved()->set_reason(*why);
  }
}

void SortByName(v1::Snapshot& cluster) {
  std::sort(
      cluster.mutable_nodes()->pointer_begin(), cluster.mutable_nodes()->pointer_end(),
      [](const v1::NodeSnapshot* a, const v1::NodeSnapshot* b) { return a->name() < b->name(); });
}

std::vector<std::string> NodesOf(const v1::Finding& finding) {
  std::vector<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() != finding.outcome() || evidence.node().empty()) continue;
    if (nodes.empty() || nodes.back() != evidence.node()) nodes.push_back(evidence.node());
  }
  return nodes;
}

// What helps to know what is not known.
std::string LookFix(const v1::Snapshot& cluster, const std::vector<std::string>& nodes) {
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (std::find(nodes.begin(), nodes.end(), node.name()) == nodes.end()) continue;
    if (!WhyUnobserved(node.facts(), "")) continue;
    return absl::StrCat(
        "on ", node.name(),
        ": systemctl status connect-ha-agent\ngone for good? connect-ha node remove ", node.name());
  }
  if (nodes.empty()) return "connect-ha nodes";
  return absl::StrCat("connect-ha facts ", nodes.front(), " (it shows what was read and why not)");
}

v1::Finding Judge(const Rule& rule, const v1::Snapshot& cluster) {
  v1::Finding finding = rule.judge(cluster);
  finding.set_rule(rule.id);
  finding.set_title(rule.title);
  finding.set_rule_class(rule.rule_class);
  const std::vector<std::string> nodes = NodesOf(finding);
  if (!finding.fix().empty()) return finding;
  if (finding.outcome() == v1::FAIL) finding.set_fix(NameNodes(rule.fix, nodes));
  if (finding.outcome() == v1::UNKNOWN) finding.set_fix(LookFix(cluster, nodes));
  return finding;
}

v1::Finding NoNodes(const Rule& rule) {
  v1::Finding finding;
  finding.set_rule(rule.id);
  finding.set_title(rule.title);
  finding.set_rule_class(rule.rule_class);
  finding.set_outcome(v1::UNKNOWN);
  finding.set_summary("no node has enrolled");
  finding.set_fix("connect-ha token create (it prints what to type on a node)");
  return finding;
}

template <typename Pick>
v1::Checklist JudgeAll(v1::Snapshot& cluster, Pick pick) {
  SortByName(cluster);
  LeaveOutWhatDoesNotCount(cluster);
  v1::Checklist checklist;
  checklist.set_cluster(cluster.spec().cluster());
  *checklist.mutable_evaluated_at() = cluster.taken_at();
  for (const Rule& rule : Rules()) {
    if (!pick(rule)) continue;
    *checklist.add_findings() = cluster.nodes().empty() ? NoNodes(rule) : Judge(rule, cluster);
  }
  return checklist;
}

}  // namespace

v1::Checklist Evaluate(v1::Snapshot cluster) {
  return JudgeAll(cluster, [](const Rule&) { return true; });
}

v1::Checklist EvaluateNode(v1::Snapshot cluster) {
  return JudgeAll(cluster, [](const Rule& rule) { return rule.scope == Scope::kNode; });
}

}  // namespace connect_ha
