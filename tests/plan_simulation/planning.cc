// The coordinator asks the plan, in one go or in pieces between which anything can happen.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/invariants.h"
#include "tests/plan_simulation/decision_checks.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

// Every so many decisions one is asked for again in other ways, which takes five times as long.
constexpr uint32_t kCloserEvery = 16;

bool IsBeyondInstalling(v1::NodeState state) {
  return state == v1::SERVING || state == v1::DRAINING || state == v1::STOPPED ||
         state == v1::FENCED;
}

// What permits ends early where the clock was set back, and GONE once its node is heard, or the
// store is known to be an older copy.
bool IsOver(const v1::Word& word, const v1::Decision& decision) {
  const bool may_end = word.kind() == v1::Word::WAIVE || word.kind() == v1::Word::UNFENCE ||
                       word.kind() == v1::Word::GONE;
  const auto& ended = decision.ended_words();
  return may_end && std::find(ended.begin(), ended.end(), word.number()) != ended.end();
}

}  // namespace

void World::PlanAll(int coordinator) {
  if (coordinator < 0) return;
  const auto index = static_cast<size_t>(coordinator);
  Coordinator& planner = coordinators_[index];
  if (planner.stage() == Coordinator::Stage::kIdle && !planner.IsDue(ClockOf(index))) return;
  do {
    PlanStep(coordinator);
  } while (planner.up() && planner.stage() != Coordinator::Stage::kIdle && !failure_);
}

void World::PlanStep(int coordinator) {
  const auto index = static_cast<size_t>(coordinator);
  Coordinator& planner = coordinators_[index];
  if (!planner.up()) return;
  switch (planner.stage()) {
    case Coordinator::Stage::kIdle:
      return DecideNow(coordinator);
    case Coordinator::Stage::kDecided: {
      const v1::PlanMemory before = store_.memory;
      if (!planner.Write(store_, subject_.coordinator)) {
        Count(Sometimes::kOvertaken);
        Note(absl::StrCat("coordinator ", coordinator, " cannot write: another has the store"));
      } else if (planner.stage() == Coordinator::Stage::kStored) {
        Knowledge& known = knowledge_[pending_[index]];
        known.stored = true;
        CheckChange(before, planner.decision(), known);
        CountChange(before, planner.decision());
        if (planner.decision().has_back_up()) BackUp(planner.decision().back_up(), known);
      }
      return;
    }
    case Coordinator::Stage::kStored:
      Publish(coordinator);
      planner.Publish(store_, subject_.coordinator);
      NoteWhoStays(pending_[index]);
      return;
  }
}

void World::DecideNow(int coordinator) {
  const auto index = static_cast<size_t>(coordinator);
  Coordinator& planner = coordinators_[index];
  RunBackup(ClockOf(index));
  const v1::PlanInput& input = planner.Gather(store_, beside_, ClockOf(index));
  v1::Decision decision = subject_.decide(input);
  Knowledge& known = knowledge_.emplace_back();
  known.at = now_;
  known.clock = ClockOf(index);
  known.views = planner.views();
  known.lines = planner.lines();
  for (const v1::Word& word : store_.words) {
    if (!IsOver(word, decision)) known.words.push_back(word);
  }
  NoteChange(input, known);
  pending_[index] = knowledge_.size() - 1;
  for (size_t i = 0; i < been_.size(); ++i) {
    const NodeView& view = known.views[i];
    const bool is =
        view.fresh && view.report.converged && view.report.generation == known.generation;
    if (is) been_[i] = std::max(been_[i], known.generation);
  }
  // What another coordinator has overtaken is not stored, and comes into force nowhere.
  const bool counts = planner.epoch() == store_.epoch;
  if (subject_.asks_broken && counts) {
    for (const std::string& broken : Broken(input, decision)) {
      Break("the-plan-breaks-nothing", broken);
    }
  }
  if (subject_.checks_decisions && counts) CheckDecision(input, decision);
  CountDecision(known, decision);
  planner.Decided(std::move(decision));
  if (!subject_.coordinator.publishes_first) return;
  Publish(coordinator);
  planner.Tell(store_, subject_.coordinator);
}

void World::CheckDecision(const v1::PlanInput& input, const v1::Decision& decision) {
  const auto check = [this](const char* invariant, const std::string& text) {
    if (!text.empty()) Break(invariant, text);
  };
  check("unknown-moves-nobody", CheckMoves(input, decision));
  if (decisions_++ % kCloserEvery != setup_.closer) return;
  const Plan& plan = subject_.decide;
  const int nodes = std::max(input.nodes_size(), 1);
  check("same-input-same-decision", CheckSame(plan, input, decision));
  check("stored-is-settled", CheckSettled(plan, input, decision));
  // What a clock that was set back shows to be in the future comes to pass unasked.
  if (!clock_jumped_) check("wakes-in-time", CheckWake(plan, input, decision));
  check("names-do-not-matter", CheckRenamed(plan, input, decision));
  check("unknown-moves-nobody",
        CheckUnknown(plan, input, decision, static_cast<int>(decisions_) % nodes));
}

void World::CountDecision(const Knowledge& known, const v1::Decision& decision) {
  for (const v1::Hazard& hazard : decision.hazards()) {
    if (hazard.undecided()) Count(Sometimes::kNobodyKnowsWho);
  }
  for (const v1::Said& said : decision.said()) {
    if (said.text().find("so few others serve") != std::string::npos) {
      Count(Sometimes::kLastOneStays);
    }
    if (said.text().find("within the hour") != std::string::npos) Count(Sometimes::kFencesUsedUp);
  }
  if (decision.remember().has_restored_at()) Count(Sometimes::kOlderStoreSeen);
  for (const v1::NodeAssignment& assignment : decision.assignments()) {
    const std::string& waits = assignment.waits_for();
    if (waits.find("not every node was heard") != std::string::npos) {
      Count(Sometimes::kWaitsForAll);
    }
    if (waits.find("may run on") != std::string::npos) Count(Sometimes::kTwoVersionsKeptApart);
  }
  for (const v1::Word& word : known.words) {
    if (word.kind() == v1::Word::WAIVE && IsInForce(known, word)) Count(Sometimes::kWaived);
    if (word.kind() == v1::Word::UNFENCE && IsInForce(known, word)) Count(Sometimes::kUnfenced);
  }
}

// What was published first under an order is what that order means.
void World::Publish(int coordinator) {
  const auto index = static_cast<size_t>(coordinator);
  const Coordinator& planner = coordinators_[index];
  for (const v1::NodeAssignment& assignment : planner.decision().assignments()) {
    for (size_t slot = 0; slot < hosts_.size(); ++slot) {
      if (hosts_[slot].name != assignment.node() || !assignment.has_order()) continue;
      if (!planner.IsStillOf(store_, slot)) continue;
      const v1::Order& order = assignment.order();
      const Given* earlier = Find(slot, order.epoch(), order.serial());
      // What an older copy of the store does not know begins again as what the node says.
      if (earlier != nullptr && !earlier->forgotten) {
        if (earlier->state != assignment.state() || earlier->release != assignment.release() ||
            earlier->closed != assignment.closed() ||
            earlier->generation != assignment.generation()) {
          Break("an-order-means-one-thing",
                absl::StrCat(assignment.node(), ": order ", order.epoch(), ".", order.serial(),
                             " is ", v1::NodeState_Name(earlier->state), ", and now ",
                             v1::NodeState_Name(assignment.state())));
        }
        continue;
      }
      Note(absl::StrCat(
          "coordinator ", coordinator, ": ", assignment.node(), " to be ",
          v1::NodeState_Name(assignment.state()), assignment.closed() ? ", closed" : "", " (",
          order.epoch(), ".", order.serial(), ")",
          assignment.reason().empty() ? "" : absl::StrCat(": ", assignment.reason())));
      const Given* last = given_[slot].empty() ? nullptr : &given_[slot].back();
      const bool goes_on = last != nullptr && !last->forgotten &&
                           last->state == assignment.state() && last->closed == assignment.closed();
      // Nothing is decided where it is told again what it goes by.
      const bool is_again = earlier != nullptr && earlier->state == assignment.state() &&
                            earlier->release == assignment.release();
      const Given given = {order.epoch(),
                           order.serial(),
                           assignment.state(),
                           assignment.generation(),
                           assignment.release(),
                           assignment.closed(),
                           pending_[index],
                           is_again  ? earlier->decided
                           : goes_on ? last->decided
                                     : pending_[index],
                           false};
      CheckPublished(slot, assignment, knowledge_[pending_[index]]);
      given_[slot].push_back(given);
    }
  }
}

void World::CheckPublished(size_t slot, const v1::NodeAssignment& assignment,
                           const Knowledge& known) {
  const NodeView& view = known.views[slot];
  const bool may = view.report.can_serve && view.report.allow == v1::ALLOW_SERVE;
  if (view.fresh && !may && IsBeyondInstalling(assignment.state())) {
    Break("no-more-than-the-agent-allows",
          absl::StrCat(NameOf(slot), " is to be ", v1::NodeState_Name(assignment.state())));
  }
  const bool was = !given_[slot].empty() && given_[slot].back().state == v1::FENCED;
  const bool by_word = FindWord(known, v1::Word::FENCE, NameOf(slot)) != nullptr;
  if (assignment.state() != v1::FENCED || was || by_word) return;
  const auto is_recent = [&known](const std::pair<const size_t, Time>& fence) {
    return fence.second > known.at - std::chrono::hours(1);
  };
  const auto before = rule_fences_.find(slot);
  const bool again = before != rule_fences_.end() && is_recent(*before);  // no other one
  rule_fences_[slot] = known.at;
  const auto recent = std::count_if(rule_fences_.begin(), rule_fences_.end(), is_recent);
  if (again || clock_jumped_ || was_restored_) return;
  if (recent > static_cast<int64_t>(known.spec->nodes().fences_per_hour())) {
    Break("so-many-fences-an-hour", absl::StrCat(recent, " nodes were fenced within an hour"));
  }
}

}  // namespace connect_ha::simulation
