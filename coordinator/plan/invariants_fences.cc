// Who is fenced by rules.
#include <algorithm>
#include <chrono>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kHour{1};

// An admin's word that has not ended: no rule fences the node.
bool IsUnfenced(const v1::PlanInput& input, const v1::Decision& decision, const std::string& node) {
  const v1::Word* word = WordOn(input, node, v1::Word::UNFENCE);
  const auto& ended = decision.ended_words();
  return word != nullptr && word->has_until() && word->role() == v1::ADMIN &&
         std::find(ended.begin(), ended.end(), word->number()) == ended.end();
}

// A waiver that has not ended.
bool IsWaivedFor(const v1::PlanInput& input, const v1::Decision& decision, const std::string& node,
                 const std::string& rule) {
  const auto now = FromProto(input.now());
  const auto& ended = decision.ended_words();
  return std::any_of(input.words().begin(), input.words().end(), [&](const v1::Word& word) {
    if (std::find(ended.begin(), ended.end(), word.number()) != ended.end()) return false;
    return word.kind() == v1::Word::WAIVE && word.rule() == rule && word.has_until() &&
           FromProto(word.until()) > now && word.role() == v1::ADMIN &&
           (word.node().empty() || word.node() == node);
  });
}

// Of the nodes that served, three or more are known, and more than half hold.
bool MajorityHolds(const std::vector<Judged>& nodes, const std::string& rule) {
  size_t known = 0;
  size_t right = 0;
  for (const Judged& judged : nodes) {
    const v1::NodeRule* line = judged.served ? RuleOn(*judged.node, rule) : nullptr;
    if (line == nullptr || (line->outcome() != v1::PASS && line->outcome() != v1::FAIL)) continue;
    ++known;
    if (line->outcome() == v1::PASS) ++right;
  }
  return known >= 3 && 2 * right > known;
}

std::string WhyNoFence(const v1::PlanInput& input, const v1::Decision& decision,
                       const Judged& judged, const std::string& rule,
                       const std::vector<Judged>& nodes) {
  const v1::NodeRule* line = RuleOn(*judged.node, rule);
  if (line == nullptr || line->outcome() != v1::FAIL) return "does not fail there";
  if (line->undecided() || line->basis() == v1::BASIS_UNSPECIFIED) {
    return "does not say which node is the wrong one";
  }
  if (line->basis() == v1::SPEC && judged.after.reached() < input.generation()) {
    return "is a change that is still to be made";
  }
  if (line->basis() == v1::PEERS && !MajorityHolds(nodes, rule)) return "has no majority";
  if (IsWaivedFor(input, decision, judged.name(), rule)) return "is waived";
  if (IsUnfenced(input, decision, judged.name())) return "may fence nobody there";
  return "";
}

// It was not before, neither as it was told nor as it says.
bool IsFencedNow(const Judged& judged) {
  return judged.moved && judged.given.state() == v1::FENCED &&
         judged.before.state() != v1::FENCED && judged.node->brief().reported_state() != v1::FENCED;
}

std::set<std::string> FencedLately(const v1::PlanInput& input, const v1::PlanMemory& memory) {
  std::set<std::string> fenced;
  for (const v1::FenceMade& made : memory.fences()) {
    if (FromProto(made.at()) + kHour > FromProto(input.now())) fenced.insert(made.node());
  }
  return fenced;
}

}  // namespace

void JudgeFences(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken) {
  std::set<std::string> made;
  for (const Judged& judged : nodes) {
    if (!IsFencedNow(judged) || WordOn(input, judged.name(), v1::Word::FENCE) != nullptr) continue;
    made.insert(judged.name());
    if (judged.after.out_for_size() == 0) {
      broken.push_back(absl::StrCat(judged.name(), " is fenced for no reason"));
    }
    for (const std::string& rule : judged.after.out_for()) {
      const std::string why = WhyNoFence(input, decision, judged, rule, nodes);
      if (!why.empty()) {
        broken.push_back(absl::StrCat(judged.name(), " is fenced by ", rule, ", which ", why));
      }
    }
  }
  const std::set<std::string> before = FencedLately(input, input.memory());
  const std::set<std::string> after = FencedLately(input, decision.remember());
  std::set<std::string> all = before;
  all.insert(made.begin(), made.end());
  const v1::NodesSpec& spec = input.spec().nodes();
  const size_t most = spec.has_fences_per_hour() ? spec.fences_per_hour() : 1;
  if (all.size() > before.size() && all.size() > most) {
    broken.push_back("more nodes are fenced in an hour than may be");
  }
  if (!std::includes(after.begin(), after.end(), all.begin(), all.end())) {
    broken.push_back("a fence is not remembered");
  }
}

}  // namespace connect_ha
