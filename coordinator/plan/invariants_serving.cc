// Who is taken out of service, who is fenced, and who enters it.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kHour{1};

const v1::NodeRule* RuleOn(const v1::PlanNode& node, const std::string& rule) {
  for (const v1::NodeRule& line : node.rules()) {
    if (line.rule() == rule) return &line;
  }
  return nullptr;
}

bool IsKnownToHold(const v1::PlanNode& node, const std::string& rule) {
  const v1::NodeRule* line = RuleOn(node, rule);
  return line != nullptr && (line->outcome() == v1::PASS || line->outcome() == v1::NOT_APPLICABLE);
}

bool StillServes(const Judged& judged) { return judged.served && TakesUsers(judged.given.state()); }

bool HasDowntime(const v1::PlanInput& input, const Judged& judged) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::STOP, v1::Word::DRAIN}) {
    const v1::Word* word = WordOn(input, judged.name(), kind);
    if (word != nullptr && word->downtime()) return true;
  }
  return false;
}

bool IsWanted(const v1::PlanInput& input, const Judged& judged) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::STOP, v1::Word::DRAIN, v1::Word::RELEASE}) {
    if (WordOn(input, judged.name(), kind) != nullptr) return true;
  }
  return judged.node->notices_size() > 0;
}

bool WaivedBy(const v1::PlanInput& input, const std::string& node, const std::string& rule) {
  const auto now = FromProto(input.now());
  return std::any_of(input.words().begin(), input.words().end(), [&](const v1::Word& word) {
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

std::string WhyNoFence(const v1::PlanInput& input, const Judged& judged, const std::string& rule,
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
  if (WaivedBy(input, judged.name(), rule)) return "is waived";
  return "";
}

bool SomebodyElseHolds(const Judged& judged, const std::string& rule,
                       const std::vector<Judged>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const Judged& other) {
    return &other != &judged && StillServes(other) && IsKnownToHold(*other.node, rule);
  });
}

}  // namespace

bool Judged::leaves() const { return served && !TakesUsers(given.state()); }

bool HasOrder(const v1::Order& order) { return order.epoch() != 0 || order.serial() != 0; }

bool IsAfter(const v1::Order& a, const v1::Order& b) {
  return a.epoch() != b.epoch() ? a.epoch() > b.epoch() : a.serial() > b.serial();
}

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

const v1::Word* WordOn(const v1::PlanInput& input, const std::string& node, v1::Word::Kind kind) {
  for (const v1::Word& word : input.words()) {
    const bool over = word.has_until() && FromProto(word.until()) <= FromProto(input.now());
    if (word.kind() == kind && word.node() == node && !over) return &word;
  }
  return nullptr;
}

void JudgeLeaving(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                  Complaints& broken) {
  const auto left = std::count_if(nodes.begin(), nodes.end(), StillServes);
  bool downtime = false;
  for (const Judged& judged : nodes) downtime |= judged.leaves() && HasDowntime(input, judged);
  for (const Judged& judged : nodes) {
    if (!judged.moved || !judged.leaves()) continue;
    if (left == 0 && !downtime) {
      broken.push_back("the last node that serves is taken out of service");
    }
    if (judged.node->brief().reported_state() == v1::OBSERVED && !IsWanted(input, judged)) {
      broken.push_back(absl::StrCat(judged.name(), " is observed, and taken out by no person"));
    }
    const bool by_rule = judged.after.out_for_size() > 0;
    if (!by_rule && !IsWanted(input, judged) && judged.node->start_failed().empty()) {
      broken.push_back(absl::StrCat(judged.name(), " is taken out of service for no reason"));
    }
    for (const std::string& rule : judged.after.out_for()) {
      if (!IsWanted(input, judged) && !SomebodyElseHolds(judged, rule, nodes) && !downtime) {
        broken.push_back(absl::StrCat(judged.name(), " leaves for ", rule,
                                      ", and no node that serves is known to be without it"));
      }
    }
  }
}

void JudgeFences(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken) {
  const auto now = FromProto(input.now());
  size_t made = 0;
  for (const Judged& judged : nodes) {
    const bool fenced =
        judged.moved && judged.given.state() == v1::FENCED && judged.before.state() != v1::FENCED;
    if (!fenced || WordOn(input, judged.name(), v1::Word::FENCE) != nullptr) continue;
    ++made;
    if (judged.after.out_for_size() == 0) {
      broken.push_back(absl::StrCat(judged.name(), " is fenced for no reason"));
    }
    for (const std::string& rule : judged.after.out_for()) {
      const std::string why = WhyNoFence(input, judged, rule, nodes);
      if (!why.empty()) {
        broken.push_back(absl::StrCat(judged.name(), " is fenced by ", rule, ", which ", why));
      }
    }
  }
  if (made == 0) return;
  const size_t before = static_cast<size_t>(std::count_if(
      input.memory().fences().begin(), input.memory().fences().end(),
      [&](const v1::FenceMade& fence) { return FromProto(fence.at()) + kHour > now; }));
  const v1::NodesSpec& spec = input.spec().nodes();
  const size_t most = spec.has_fences_per_hour() ? spec.fences_per_hour() : 1;
  if (before + made > most) broken.push_back("more nodes are fenced in an hour than may be");
  if (static_cast<size_t>(decision.remember().fences_size()) < before + made) {
    broken.push_back("a fence is not remembered");
  }
}

void JudgeEntering(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                   Complaints& broken) {
  std::set<std::string> versions;
  bool starts = false;
  for (const Judged& judged : nodes) {
    const v1::PlanNode& node = *judged.node;
    const bool enters = judged.moved && judged.given.state() == v1::SERVING &&
                        judged.before.state() != v1::SERVING &&
                        node.brief().reported_state() != v1::SERVING;
    const bool begins = enters && node.connect() == v1::CONNECT_RESTS;
    starts |= begins;
    const bool runs = node.fresh() && node.connect() == v1::CONNECT_RUNS;
    if (begins) versions.insert(node.installed_version());
    if (runs && !node.running_version().empty()) versions.insert(node.running_version());
    if (!enters) continue;
    const v1::FactsBrief& facts = node.brief().facts();
    if (facts.has_mount_verified() ? !facts.mount_verified() : input.spec().has_storage()) {
      broken.push_back(absl::StrCat(judged.name(), " enters without a verified mount"));
    }
    if (node.brief().reported_generation() != input.generation() && begins) {
      broken.push_back(absl::StrCat(judged.name(), " starts as another generation"));
    }
    if (IsWanted(input, judged) || WordOn(input, judged.name(), v1::Word::CORDON) != nullptr) {
      if (node.notices_size() == 0) {
        broken.push_back(absl::StrCat(judged.name(), " enters, though a person keeps it out"));
      }
    }
  }
  if (starts && versions.size() > 1) {
    broken.push_back("two versions of Connect would run against one database");
  }
}

}  // namespace connect_ha
