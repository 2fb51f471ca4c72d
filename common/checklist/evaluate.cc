#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/fix.h"
#include "common/checklist/follow.h"
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

// Those that the outcome is about; "" among them for what no node said.
std::set<std::string> NodesOf(const v1::Finding& finding) {
  std::set<std::string> nodes;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == finding.outcome()) nodes.insert(evidence.node());
  }
  return nodes;
}

void AddDefaultFixes(const DefaultFix& fix, v1::Finding& finding) {
  if (*fix.command == '\0') {
    *finding.add_fixes() = ByHand("", fix.note);
    return;
  }
  for (const std::string& node : NodesOf(finding)) {
    *finding.add_fixes() = Type(node, {fix.command}, fix.note);
  }
}

// What helps to know what is not known.
void AddLookFixes(v1::Finding& finding) {
  for (const std::string& node : NodesOf(finding)) {
    *finding.add_fixes() = Type(
        "",
        {node.empty() ? "connect-ha nodes" : absl::StrCat("connect-ha facts ", ShellWord(node))},
        "it shows what was read, and what could not be");
  }
}

void AddLookFixOnNode(bool full, v1::Finding& finding) {
  const bool pending = std::any_of(finding.evidence().begin(), finding.evidence().end(),
                                   [](const v1::Evidence& evidence) { return evidence.pending(); });
  *finding.add_fixes() =
      !full && pending
          ? Type("", {kCheckInFull})
          : Type("", {full ? "connect-ha-agent facts --full" : "connect-ha-agent facts"},
                 "it shows what was read, and what could not be");
}

v1::Finding NoNodes() {
  v1::Finding finding;
  finding.set_outcome(v1::UNKNOWN);
  finding.set_summary("no node has enrolled");
  *finding.add_fixes() = Type("", {"connect-ha token create"}, "it prints what to type on a node");
  return finding;
}

template <typename Pick, typename Look>
v1::Checklist JudgeAll(v1::Snapshot& cluster, Pick pick, Look add_look_fixes) {
  SortByName(cluster);
  LeaveOutWhatDoesNotCount(cluster);
  v1::Checklist checklist;
  checklist.set_cluster(cluster.spec().cluster());
  *checklist.mutable_evaluated_at() = cluster.taken_at();
  checklist.set_nodes(static_cast<uint32_t>(cluster.nodes_size()));
  checklist.set_serving(static_cast<uint32_t>(
      std::count_if(cluster.nodes().begin(), cluster.nodes().end(),
                    [](const v1::NodeSnapshot& node) { return Serves(node.facts()); })));
  const bool no_nodes = cluster.nodes().empty();
  // In the table's order, whenever they are judged.
  std::vector<std::pair<const Rule*, v1::Finding*>> rows;
  for (const Rule& rule : Rules()) {
    if (pick(rule)) rows.emplace_back(&rule, checklist.add_findings());
  }
  std::stable_partition(rows.begin(), rows.end(),
                        [](const auto& row) { return row.first->explained.by == nullptr; });
  Follow follow(cluster);
  for (const auto& row : rows) {
    const Rule& rule = *row.first;
    v1::Finding& finding = *row.second;
    finding = no_nodes ? NoNodes() : follow.Judge(rule);
    finding.set_rule(rule.id);
    finding.set_title(rule.title);
    if (finding.rule_class() == v1::RULE_CLASS_UNSPECIFIED) finding.set_rule_class(rule.rule_class);
    if (!finding.fixes().empty()) continue;
    if (finding.outcome() == v1::FAIL) AddDefaultFixes(rule.fix, finding);
    if (finding.outcome() == v1::UNKNOWN) add_look_fixes(finding);
  }
  follow.Finish(checklist);
  return checklist;
}

// Rules may word a pass for the whole cluster; what the node showed is said instead.
std::string WhatOneNodeShowed(const v1::Finding& finding) {
  std::vector<std::string> texts;
  for (const v1::Evidence& evidence : finding.evidence()) texts.push_back(evidence.text());
  return absl::StrJoin(texts, "; ");
}

// There may be no coordinator, and its program is not on a node.
void SpeakOfOneNode(const Rule& rule, v1::Finding& finding) {
  if (*rule.on_one_node != '\0') {
    finding.set_title(rule.on_one_node);
    if (finding.outcome() == v1::PASS) finding.set_summary(WhatOneNodeShowed(finding));
  }
  for (v1::Fix& fix : *finding.mutable_fixes()) {
    for (std::string& command : *fix.mutable_commands()) {
      if (command == kRefresh) command = "connect-ha-agent check";
    }
  }
}

}  // namespace

v1::Checklist Evaluate(v1::Snapshot cluster) { return EvaluateInPlace(cluster); }

v1::Checklist EvaluateInPlace(v1::Snapshot& cluster) {
  return JudgeAll(
      cluster, [](const Rule&) { return true; }, AddLookFixes);
}

v1::Checklist EvaluateNode(v1::Snapshot cluster, bool full) {
  v1::Checklist checklist = JudgeAll(
      cluster, [](const Rule& rule) { return rule.on_one_node != nullptr; },
      [full](v1::Finding& finding) { AddLookFixOnNode(full, finding); });
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    SpeakOfOneNode(*FindRule(finding.rule()), finding);
  }
  return checklist;
}

}  // namespace connect_ha
