// Who was taken out by a rule comes back once what was wrong has been right for long enough.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/hysteresis.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

bool Holds(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

}  // namespace

// The order by which it was out, and which it was known to obey; null: there is none.
const World::Given* World::OutBefore(size_t slot, const Given& given, v1::NodeState state) const {
  const Report& report = knowledge_[given.decided].views[slot].report;
  const std::vector<Given>& all = given_[slot];
  for (size_t i = all.size(); i-- > 0;) {
    const Given& out = all[i];
    if (out.knowledge >= given.knowledge || out.forgotten || out.state != state) continue;
    const bool is_taken = report.epoch == out.epoch && report.serial == out.serial;
    return is_taken && report.state == state && out.decided != 0 ? &out : nullptr;
  }
  return nullptr;
}

// The rule that took it out; kRules: it is not known to be this one alone.
size_t World::TookOut(size_t slot, v1::NodeState state, const Knowledge& then) const {
  const std::string& name = NameOf(slot);
  const Report& report = then.views[slot].report;
  const v1::Word::Kind out[] = {v1::Word::DRAIN, v1::Word::STOP, v1::Word::FENCE};
  const bool by_word = std::any_of(std::begin(out), std::end(out), [&](v1::Word::Kind kind) {
    return FindWord(then, kind, name) != nullptr;
  });
  if (by_word || NoticeDue(then, slot) != Notice::kNone || report.start_failed) return kRules;
  if (LeavesForChange(slot, then)) return kRules;
  const v1::RuleAction least = state == v1::FENCED ? v1::FENCE : v1::HOLD;
  size_t found = kRules;
  for (size_t rule = 0; rule < kRules; ++rule) {
    const bool acts = then.lines[slot][rule].outcome == v1::FAIL && rule != kLicense &&
                      ActionOf(then, rule) >= least && !IsWaived(then, rule, name);
    if (!acts) continue;
    // Versions fence where two run, else they hold.
    if (found != kRules || rule == kSameVersion) return kRules;
    found = rule;
  }
  return found;
}

// Somebody had it do less meanwhile, or EC2 has the node out; or it had held for long enough, and
// something else kept the node out.
bool World::WasOverBefore(size_t slot, size_t rule, size_t from, size_t to) const {
  for (size_t i = from; i <= to; ++i) {
    const Knowledge& known = knowledge_[i];
    const auto span = PassAfter(*known.spec, RuleName(rule));
    if (i < to && Holds(known.lines[slot][rule].outcome) && HeldFor(slot, rule, i) >= span) {
      return true;
    }
    if (NoticeDue(known, slot) != Notice::kNone) return true;
    if (ActionOf(known, rule) < v1::HOLD || IsWaived(known, rule, NameOf(slot)) ||
        FindWord(known, v1::Word::UNFENCE, NameOf(slot)) != nullptr) {
      return true;
    }
  }
  return false;
}

void World::CheckBack(size_t slot, const Given& given, const Before& before) {
  const bool was_fenced = before.state == v1::FENCED && given.state != v1::FENCED;
  const bool was_closed = before.state == v1::DRAINING && given.state == v1::SERVING;
  if ((!was_fenced && !was_closed) || given.state == v1::OBSERVED) return;
  if (clock_jumped_ || was_restored_) return;
  // It is better than none; and where Connect itself is asked, users are sent there all the while.
  const bool alone = OthersAsKnown(slot, given.decided) == 0;
  if (was_closed && (alone || setup_.health_by_connect != 0)) return;
  const Given* out = OutBefore(slot, given, before.state);
  if (out == nullptr) return;
  const size_t rule = TookOut(slot, before.state, knowledge_[out->decided]);
  if (rule == kRules || WasOverBefore(slot, rule, out->decided, given.decided)) return;
  const Knowledge& known = knowledge_[given.decided];
  const bool holds = Holds(known.lines[slot][rule].outcome);
  const auto span = PassAfter(*known.spec, RuleName(rule));
  if (holds && HeldFor(slot, rule, given.decided) >= span) return;
  Break("what-comes-back-is-right-for-long",
        absl::StrCat(NameOf(slot), " is to be ", v1::NodeState_Name(given.state), ", and ",
                     RuleName(rule), " has not held for ", FormatSpan(span)));
}

}  // namespace connect_ha::simulation
