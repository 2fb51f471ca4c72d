#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/checklist/rule.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/facts_view.h"
#include "common/checklist/view/freshness.h"

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

// Something is unknown only because a probe that takes longer has not run: it is not verified,
// checked, tried or asked yet.
bool AwaitsFullLook(const v1::Finding& finding) {
  return std::any_of(
      finding.evidence().begin(), finding.evidence().end(), [](const v1::Evidence& evidence) {
        return evidence.outcome() == v1::UNKNOWN && absl::EndsWith(evidence.text(), " yet");
      });
}

std::string LookFixOnNode(const v1::Finding& finding, bool full) {
  if (!full && AwaitsFullLook(finding)) return kCheckInFull;
  return absl::StrCat("connect-ha-agent facts", full ? " --full" : "",
                      " (it shows what was read and why not)");
}

// Rules may word a pass for the whole cluster; what the node showed is said instead.
std::string WhatOneNodeShowed(const v1::Finding& finding) {
  std::vector<std::string> texts;
  for (const v1::Evidence& evidence : finding.evidence()) texts.push_back(evidence.text());
  return absl::StrJoin(texts, "; ");
}

void SpeakOfOneNode(const Rule& rule, v1::Finding& finding) {
  if (*rule.on_one_node != '\0') {
    finding.set_title(rule.on_one_node);
    if (finding.outcome() == v1::PASS) finding.set_summary(WhatOneNodeShowed(finding));
  }
  // There may be no coordinator, and its program is not on a node.
  finding.set_fix(absl::StrReplaceAll(finding.fix(),
                                      {{"connect-ha checklist --refresh", "connect-ha-agent check"},
                                       {"connect-ha checklist --rule", "see the rule"}}));
}

// Without the fix that looking is.
v1::Finding Judge(const Rule& rule, const v1::Snapshot& cluster) {
  v1::Finding finding = rule.judge(cluster);
  finding.set_rule(rule.id);
  finding.set_title(rule.title);
  finding.set_rule_class(rule.rule_class);
  if (finding.fix().empty() && finding.outcome() == v1::FAIL) {
    finding.set_fix(NameNodes(rule.fix, NodesOf(finding)));
  }
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

// `look`: the fix of a finding that is unknown and has none of its own.
template <typename Pick, typename Look>
v1::Checklist JudgeAll(v1::Snapshot& cluster, Pick pick, Look look) {
  SortByName(cluster);
  LeaveOutWhatDoesNotCount(cluster);
  v1::Checklist checklist;
  checklist.set_cluster(cluster.spec().cluster());
  *checklist.mutable_evaluated_at() = cluster.taken_at();
  for (const Rule& rule : Rules()) {
    if (!pick(rule)) continue;
    v1::Finding& finding = *checklist.add_findings();
    finding = cluster.nodes().empty() ? NoNodes(rule) : Judge(rule, cluster);
    if (finding.fix().empty() && finding.outcome() == v1::UNKNOWN) finding.set_fix(look(finding));
  }
  return checklist;
}

}  // namespace

v1::Checklist Evaluate(v1::Snapshot cluster) {
  return JudgeAll(
      cluster, [](const Rule&) { return true; },
      [&cluster](const v1::Finding& finding) { return LookFix(cluster, NodesOf(finding)); });
}

v1::Checklist EvaluateNode(v1::Snapshot cluster, bool full) {
  v1::Checklist checklist = JudgeAll(
      cluster, [](const Rule& rule) { return rule.on_one_node != nullptr; },
      [full](const v1::Finding& finding) { return LookFixOnNode(finding, full); });
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    SpeakOfOneNode(*FindRule(finding.rule()), finding);
  }
  return checklist;
}

}  // namespace connect_ha
