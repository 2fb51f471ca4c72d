// What was known to the coordinator that decided, as the world recorded it.
#include <algorithm>
#include <string>

#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

// As coordinator/plan/look/notices.cc: a drain, and ten minutes.
constexpr std::chrono::minutes kBeforeMaintenance{15};

bool Holds(v1::Outcome outcome) { return outcome == v1::PASS || outcome == v1::NOT_APPLICABLE; }

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

}  // namespace

bool World::IsInForce(const Knowledge& known, const v1::Word& word) {
  if (word.has_until() && FromProto(word.until()) <= known.clock) return false;
  const bool permits = word.kind() == v1::Word::WAIVE || word.kind() == v1::Word::UNFENCE;
  if (!permits) return true;
  if (!word.has_until()) return false;
  const auto action = [&] {
    for (size_t rule = 0; rule < kRules; ++rule) {
      if (word.rule() == RuleName(rule)) return ActionOf(known, rule);
    }
    return v1::FENCE;
  };
  const bool needs_admin = word.kind() == v1::Word::UNFENCE || action() == v1::FENCE;
  return !needs_admin || word.role() == v1::ADMIN;
}

const v1::Word* World::FindWord(const Knowledge& known, v1::Word::Kind kind,
                                const std::string& node) {
  const v1::Word* latest = nullptr;
  for (const v1::Word& word : known.words) {
    if (word.kind() == kind && word.node() == node && IsInForce(known, word)) latest = &word;
  }
  return latest;
}

bool World::IsWaived(const Knowledge& known, size_t rule, const std::string& node) {
  return std::any_of(known.words.begin(), known.words.end(), [&](const v1::Word& word) {
    return word.kind() == v1::Word::WAIVE && word.rule() == RuleName(rule) &&
           (word.node().empty() || word.node() == node) && IsInForce(known, word);
  });
}

v1::RuleAction World::ActionOf(const Knowledge& known, size_t rule) {
  return known.spec == nullptr ? ActionByTable(rule) : ActionIn(*known.spec, rule);
}

Notice World::NoticeDue(const Knowledge& known, size_t slot) {
  const Report& report = known.views[slot].report;
  const bool comes_later =
      report.notice == Notice::kMaintenance && report.notice_at_us != 0 &&
      known.clock < Time(std::chrono::microseconds(report.notice_at_us)) - kBeforeMaintenance;
  return comes_later ? Notice::kNone : report.notice;
}

// As it said itself, lately enough.
bool World::ServedAsKnown(const Knowledge& known, size_t slot) const {
  const NodeView& view = known.views[slot];
  if (!view.member || !view.fresh || view.cloned || !view.report.answers) return false;
  const bool gate =
      setup_.health_by_connect != 0 || !view.report.can_serve || view.report.gate_open;
  return gate && !view.report.closed && TakesUsers(view.report.state);
}

// Those that served, and that nobody had told to leave.
size_t World::OthersAsKnown(size_t slot, size_t knowledge) const {
  return SoundAsKnown(slot, kRules, knowledge);
}

// Of these those on which the rule was known to hold, and who left with this decision: of several
// that leave at once the first counts on the others. kRules: all that were to stay.
size_t World::SoundAsKnown(size_t slot, size_t rule, size_t knowledge) const {
  const Knowledge& known = knowledge_[knowledge];
  size_t others = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (i == slot || !ServedAsKnown(known, i)) continue;
    if (rule < kRules && !Holds(known.lines[i][rule].outcome)) continue;
    const Given* told = ToldBy(i, knowledge);
    const bool stays = told == nullptr || (TakesUsers(told->state) && !told->closed);
    const bool leaves_too = rule < kRules && told != nullptr && told->knowledge == knowledge;
    if (stays || leaves_too) ++others;
  }
  return others;
}

Time::duration World::FailedFor(size_t slot, size_t rule, size_t knowledge) const {
  const auto fails = [](v1::Outcome outcome) { return outcome == v1::FAIL; };
  return knowledge_[knowledge].at - Since(slot, rule, knowledge, fails, Holds);
}

Time::duration World::HeldFor(size_t slot, size_t rule, size_t knowledge) const {
  const auto fails = [](v1::Outcome outcome) { return outcome == v1::FAIL; };
  return knowledge_[knowledge].at - Since(slot, rule, knowledge, Holds, fails);
}

// What was not stored may be what a coordinator thought that was overtaken: it ends nothing.
Time World::Since(size_t slot, size_t rule, size_t knowledge, bool (*is_so)(v1::Outcome),
                  bool (*is_other)(v1::Outcome)) const {
  Time since = knowledge_[knowledge].at;
  for (size_t i = knowledge; i > 0; --i) {
    const Knowledge& known = knowledge_[i];
    const v1::Outcome outcome = known.lines[slot][rule].outcome;
    if (is_other(outcome) && (known.stored || i == knowledge)) break;
    if (is_so(outcome)) since = known.at;
  }
  return since;
}

const World::Given* World::ToldBy(size_t slot, size_t knowledge) const {
  const std::vector<Given>& given = given_[slot];
  for (size_t i = given.size(); i-- > 0;) {
    if (!given[i].forgotten && given[i].knowledge <= knowledge) return &given[i];
  }
  return nullptr;
}

const World::Given* World::Find(size_t slot, uint64_t epoch, uint64_t serial) const {
  const std::vector<Given>& given = given_[slot];
  for (size_t i = given.size(); i-- > 0;) {
    if (given[i].epoch == epoch && given[i].serial == serial) return &given[i];
  }
  return nullptr;
}

}  // namespace connect_ha::simulation
