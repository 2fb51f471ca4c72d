#include "common/checklist/follow.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/lesser_faults.h"
#include "common/checklist/verdict.h"

namespace connect_ha {
namespace {

bool Holds(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

// "follows storage-is-mounted on node-2"
std::string FollowsText(const std::map<std::string, std::vector<std::string>>& by_cause) {
  std::string text;
  for (const auto& [cause, nodes] : by_cause) {
    absl::StrAppend(&text, text.empty() ? "follows " : ", ", cause, " on ", JoinNames(nodes));
  }
  return text;
}

}  // namespace

Follow::Follow(v1::Snapshot& cluster)
    : cluster_(cluster), nodes_(static_cast<size_t>(cluster.nodes_size())) {
  cluster.mutable_nodes()->UnsafeArenaExtractSubrange(0, cluster.nodes_size(), nodes_.data());
}

Follow::~Follow() {
  for (v1::NodeSnapshot* node : nodes_) cluster_.mutable_nodes()->UnsafeArenaAddAllocated(node);
}

const Follow::Trouble* Follow::TroubleWith(const std::string& rule, const std::string& node) const {
  const auto of_rule = troubles_.find(rule);
  if (of_rule == troubles_.end()) return nullptr;
  const auto of_node = of_rule->second.find(node);
  return of_node == of_rule->second.end() ? nullptr : &of_node->second;
}

std::set<std::string> Follow::FailingOn(const std::string& rule) const {
  std::set<std::string> nodes;
  const auto of_rule = troubles_.find(rule);
  if (of_rule == troubles_.end()) return nodes;
  for (const auto& [node, trouble] : of_rule->second) {
    if (trouble.outcome == v1::FAIL && trouble.cause == rule) nodes.insert(node);
  }
  return nodes;
}

std::vector<Follow::Needed> Follow::NeededBy(const Rule& rule) const {
  std::vector<Needed> needed;
  for (const Need& need : rule.needs) {
    const auto of_rule = troubles_.find(need.rule);
    if (of_rule == troubles_.end() || of_rule->second.empty()) continue;
    needed.push_back({&need, &of_rule->second});
  }
  return needed;
}

const Follow::Trouble* Follow::Blocking(const std::vector<Needed>& needed,
                                        const v1::NodeSnapshot& node) {
  for (const Needed& one : needed) {
    const auto trouble = one.troubles->find(node.name());
    if (trouble == one.troubles->end()) continue;
    if (one.need->where != nullptr && !one.need->where(node.facts())) continue;
    if (one.need->unless_it_fails && trouble->second.outcome == v1::UNKNOWN) continue;
    return &trouble->second;
  }
  return nullptr;
}

v1::Finding Follow::Judge(const Rule& rule) {
  const std::vector<Needed> needed = NeededBy(rule);
  std::map<std::string, std::string> causes;  // by node
  for (v1::NodeSnapshot* node : nodes_) {
    const Trouble* blocking = Blocking(needed, *node);
    if (blocking != nullptr) {
      causes[node->name()] = blocking->cause;
    } else {
      cluster_.mutable_nodes()->UnsafeArenaAddAllocated(node);
    }
  }
  cluster_.set_nodes_left_out(static_cast<uint32_t>(causes.size()));
  v1::Finding finding;
  if (!cluster_.nodes().empty()) {
    const Explanation& explained = rule.explained;
    finding = explained.by != nullptr ? explained.judge(cluster_, FailingOn(explained.by))
                                      : rule.judge(cluster_);
  }
  cluster_.mutable_nodes()->UnsafeArenaExtractSubrange(0, cluster_.nodes_size(), nullptr);
  std::map<std::string, std::vector<std::string>> by_cause;
  for (const auto& [node, cause] : causes) {
    by_cause[cause].push_back(node);
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node(node);
    evidence.set_outcome(v1::FOLLOWS);
    evidence.set_cause(cause);
    evidence.set_text(absl::StrCat("follows ", cause));
  }
  const bool shown = finding.outcome() == v1::FAIL || finding.outcome() == v1::UNKNOWN ||
                     (finding.outcome() == v1::PASS && rule.some_suffice);
  if (!causes.empty() && !shown) {
    finding.set_outcome(v1::FOLLOWS);
    finding.set_summary(FollowsText(by_cause));
    finding.clear_fixes();
  }
  Remember(rule, finding);
  return finding;
}

void Follow::Remember(const Rule& rule, const v1::Finding& finding) {
  auto& of_rule = troubles_[rule.id];
  const bool is_lesser = OnlyTells(rule, finding.rule_class());
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (Holds(evidence.outcome()) || evidence.node().empty()) continue;
    if (is_lesser && evidence.outcome() == v1::FAIL) continue;
    const std::string cause = evidence.outcome() == v1::FOLLOWS ? evidence.cause() : rule.id;
    const auto [it, is_new] = of_rule.emplace(evidence.node(), Trouble{evidence.outcome(), cause});
    if (!is_new && evidence.outcome() == v1::FAIL) it->second.outcome = v1::FAIL;
  }
}

void Follow::NameRoots(v1::Finding& finding) const {
  bool changed = false;
  std::map<std::string, std::vector<std::string>> by_cause;
  for (v1::Evidence& evidence : *finding.mutable_evidence()) {
    if (evidence.outcome() != v1::FOLLOWS) continue;
    const Trouble* trouble = TroubleWith(evidence.cause(), evidence.node());
    if (trouble != nullptr && trouble->cause != evidence.cause()) {
      evidence.set_cause(trouble->cause);
      changed = true;
    }
    by_cause[evidence.cause()].push_back(evidence.node());
  }
  if (changed && finding.outcome() == v1::FOLLOWS) finding.set_summary(FollowsText(by_cause));
}

void Follow::Finish(v1::Checklist& checklist) const {
  for (v1::Finding& finding : *checklist.mutable_findings()) {
    NameRoots(finding);
    for (v1::Fix& fix : *finding.mutable_fixes()) {
      for (const std::string& need : fix.needs()) {
        if (TroubleWith(need, fix.on()) == nullptr) continue;
        fix.clear_commands();
        fix.set_held_by(need);
        break;
      }
    }
  }
}

}  // namespace connect_ha
