// Who enters service.
#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "common/checklist/lesser_faults.h"
#include "common/checklist/rule.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

// A person keeps it out. But a node that drains goes on where it is the only one: nobody said that
// there may be downtime.
bool IsKeptOut(const v1::PlanInput& input, const Judged& judged, const std::vector<Judged>& nodes) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::RELEASE, v1::Word::CORDON}) {
    if (WordOn(input, judged.name(), kind) != nullptr) return true;
  }
  const bool said = WordOn(input, judged.name(), v1::Word::STOP) != nullptr ||
                    WordOn(input, judged.name(), v1::Word::DRAIN) != nullptr;
  const bool drains = judged.before.state() == v1::DRAINING ||
                      judged.node->brief().reported_state() == v1::DRAINING;
  const bool goes_on = drains && NobodyElseServes(judged, nodes) && !HasDowntime(input, judged);
  return said && !goes_on;
}

// A person minds no failing of the rule there, for a time.
bool IsLet(const v1::PlanInput& input, const std::string& node, const std::string& rule) {
  const auto& words = input.words();
  return std::any_of(words.begin(), words.end(), [&](const v1::Word& word) {
    if (!word.has_until() || FromProto(word.until()) <= FromProto(input.now())) return false;
    if (word.kind() == v1::Word::UNFENCE) return word.node() == node;
    return word.kind() == v1::Word::WAIVE && word.rule() == rule &&
           (word.node().empty() || word.node() == node);
  });
}

// All others rest for it: what it shows only beside them is what is about to be changed there, too.
bool IsOnlyBesideOthers(const v1::PlanInput& input, const Judged& judged,
                        const v1::NodeRule& line) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool alone = IsAllStopUnderWay(input) && rollout.has_in_force_at() &&
                     !rollout.has_verified_at() && rollout.first() == judged.name();
  return alone && (line.basis() == v1::PROOF || line.basis() == v1::PEERS);
}

// What fails there that fences by the table, and not by something that only tells; "": nothing.
// Versions are compared by what runs.
std::string FailsAndFences(const v1::PlanInput& input, const Judged& judged) {
  for (const v1::NodeRule& line : judged.node->rules()) {
    if (line.outcome() != v1::FAIL || IsOnlyBesideOthers(input, judged, line)) continue;
    const Rule* row = FindRule(line.rule());
    const bool fences =
        row != nullptr && row->action == v1::FENCE && !OnlyTells(*row, line.rule_class());
    if (!fences || line.rule() == "connect-version-matches") continue;
    if (!IsLet(input, judged.name(), line.rule())) return line.rule();
  }
  return "";
}

}  // namespace

void JudgeEntering(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                   Complaints& broken) {
  std::set<std::string> versions;
  bool starts = false;
  for (const Judged& judged : nodes) {
    const v1::PlanNode& node = *judged.node;
    const bool enters = judged.moved && judged.given.state() == v1::SERVING &&
                        judged.before.state() != v1::SERVING &&
                        node.brief().reported_state() != v1::SERVING;
    const bool begins = Begins(judged);
    starts |= begins;
    const bool is_gone = WordOn(input, judged.name(), v1::Word::GONE) != nullptr;
    const bool runs = node.fresh() ? node.connect() == v1::CONNECT_RUNS : !is_gone;
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
    const std::string fails = FailsAndFences(input, judged);
    if (!fails.empty()) {
      broken.push_back(absl::StrCat(judged.name(), " enters, and ", fails, " fails there"));
    }
    if (IsKeptOut(input, judged, nodes)) {
      broken.push_back(absl::StrCat(judged.name(), " enters, though a person keeps it out"));
    }
  }
  if (starts && versions.size() > 1) {
    broken.push_back("two versions of Connect would run against one database");
  }
}

}  // namespace connect_ha
