// What must hold where a node takes an order: in the world, and by what was known to whoever gave
// it.
#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/hysteresis.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

using std::chrono::microseconds;

constexpr std::chrono::minutes kDrainTimeout{5};
// So long before EC2 does what it has said Connect is stopped, whoever uses it.
constexpr std::chrono::seconds kStopping{30};
constexpr v1::Word::Kind kOut[] = {v1::Word::DRAIN, v1::Word::STOP, v1::Word::FENCE};

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

}  // namespace

void World::CheckObeyed(size_t slot, const Before& before) {
  Host& host = hosts_[slot];
  const v1::NodeState state = host.held.state();
  const Given* given = Find(slot, host.held.order().epoch(), host.held.order().serial());
  if (host.mistaken && host.running) Count(Sometimes::kReturnsRunning);
  host.mistaken = host.mistaken && host.running;
  if (given == nullptr) {
    return Break("orders-are-given", absl::StrCat(host.name, " took an order that nobody gave"));
  }
  if (given->knowledge == 0) return;  // from before this began
  CheckStored(slot);
  CheckOlderStore(slot, *given, knowledge_[given->knowledge]);
  if (given->decided != 0) CheckDecided(slot, *given, before);
  const bool opens = state == v1::SERVING && before.closed && !host.held.closed();
  if (opens && before.state == v1::SERVING && given->decided != 0) {
    CheckOpens(slot, *given);
  }
  if (state == v1::SERVING && before.state != v1::SERVING) {
    const bool adopted = before.state == v1::OBSERVED && before.running;
    Count(adopted ? Sometimes::kAdopted : Sometimes::kEntered);
  }
  if (before.state == v1::FENCED && state != v1::FENCED) Count(Sometimes::kBackAfterFence);
  if (before.state == v1::DRAINING && IsAtRest(state)) Count(Sometimes::kDrainEnded);
  if (host.held.release()) Count(Sometimes::kReleased);
}

// By what was known when it was decided that the node is to be that.
void World::CheckDecided(size_t slot, const Given& given, const Before& before) {
  const Knowledge& known = knowledge_[given.decided];
  if (!TakesUsers(given.state)) {
    // But for one that was told to stop before, and has not yet.
    if (before.served && !IsAtRest(before.state)) {
      CheckSomebodyIsLeft();
      CheckLeaves(slot, given.decided);
    }
    CheckCause(slot, before, given.decided);
    CheckDrainTime(slot, before, given.decided);
    CheckRestarts(slot, before, known);
    CheckDrainsAsBefore(slot, before, known);
  }
  // One that is told to serve on was seen to.
  if (given.state == v1::SERVING && !before.running && before.state != v1::SERVING) {
    CheckEnters(slot, known);
    CheckStartsFirst(slot, given);
    CheckStartsInTurn(slot, given);
  }
  if (given.state == v1::FENCED) CheckFenced(slot, known);
  if (given.state == v1::OBSERVED) CheckAccused(slot, before, known);
  CheckBack(slot, given, before);
}

// Where no machine, Connect or agent fails, and nobody asked for downtime, one always serves.
void World::CheckSomebodyIsLeft() {
  const auto serves = [this](const Host& host) { return Serves(host, Around()); };
  if (harmed_ || std::any_of(hosts_.begin(), hosts_.end(), serves)) return;
  Break("somebody-is-left", "the last node that served is out, though nothing failed by itself");
}

// A coordinator that dies now has told nothing that the next one does not know.
void World::CheckStored(size_t slot) {
  if (was_restored_) return;
  const v1::Order& held = hosts_[slot].held.order();
  for (const v1::NodeMemory& node : store_.memory.nodes()) {
    if (node.node() != NameOf(slot)) continue;
    const bool below =
        node.order().epoch() < held.epoch() ||
        (node.order().epoch() == held.epoch() && node.order().serial() < held.serial());
    if (!below) return;
  }
  if (!store_.records[slot].member) return;  // removed since
  Break("what-is-told-is-stored",
        absl::StrCat(NameOf(slot), " took an order that the store does not have"));
}

void World::CheckLeaves(size_t slot, size_t decided) {
  const Knowledge& known = knowledge_[decided];
  const std::string& name = NameOf(slot);
  if (!ServedAsKnown(known, slot)) return;  // it was known to be out; it takes nothing from users
  // Where all are to stop nobody counts those that are left.
  if (AllRest(known) || (known.together && IsApproved(known))) return;
  bool by_word = false;
  for (const v1::Word::Kind kind : kOut) {
    const v1::Word* word = FindWord(known, kind, name);
    if (word == nullptr) continue;
    if (word->downtime()) return;
    by_word = true;
  }
  const Report& report = known.views[slot].report;
  const Notice notice = NoticeDue(known, slot);
  bool goes_anyway = IsCertain(notice) || report.start_failed;
  std::vector<size_t> holding;
  for (size_t rule = 0; rule < kRules; ++rule) {
    const v1::RuleAction action = ActionOf(known, rule);
    const bool fails = known.lines[slot][rule].outcome == v1::FAIL && rule != kLicense;
    if (!fails || IsWaived(known, rule, name)) continue;
    goes_anyway = goes_anyway || action >= v1::CLOSE;
    if (action == v1::HOLD) holding.push_back(rule);
  }
  const bool by_notice = notice != Notice::kNone;
  const bool for_change = LeavesForChange(slot, known);
  if (for_change && !by_word && !by_notice && !goes_anyway && holding.empty()) {
    return CheckLeavesForChange(slot, decided);
  }
  if (known.together && RunsOlder(slot, known)) return;  // no gate is open yet
  const bool needs_one = goes_anyway || RunsOlder(slot, known) || IsLeftBehind(slot, known);
  const size_t minimum = needs_one ? 1 : known.spec->nodes().minimum_serving();
  const size_t others = OthersAsKnown(slot, decided);
  if (others < minimum && !(for_change && MayLeaveTooFew(known))) {
    Break("the-last-one-stays", absl::StrCat(name, " is taken out of service, and ", others,
                                             " others were known to serve; it takes ", minimum));
  }
  if (goes_anyway || by_word || by_notice || for_change || holding.empty()) return;
  const auto is_enough = [&](size_t rule) { return SoundAsKnown(slot, rule, decided) >= minimum; };
  if (std::any_of(holding.begin(), holding.end(), is_enough)) return;
  Break("what-holds-leaves-enough",
        absl::StrCat(name, " is taken out of service by ", RuleName(holding.front()),
                     ", and fewer than ", minimum, " others were known to be without it"));
}

// Its agent is not told to leave alone a Connect that it has stopped itself.
void World::CheckAccused(size_t slot, const Before& before, const Knowledge& known) {
  const Report& report = known.views[slot].report;
  const bool is_accused = IsAtRest(before.state) && report.state == before.state;
  if (!is_accused || !report.connect_runs || !report.found_before_it_stopped) return;
  Break("nobody-is-accused-for-nothing",
        absl::StrCat(NameOf(slot), " is left alone, as if somebody had started Connect there"));
}

// Nobody is taken out of service for nothing, and nothing is changed under a Connect that was
// found running.
void World::CheckCause(size_t slot, const Before& before, size_t decided) {
  const Knowledge& known = knowledge_[decided];
  const std::string& name = NameOf(slot);
  const Report& report = known.views[slot].report;
  // What was declared gone and is back begins anew.
  bool by_word = FindWord(known, v1::Word::RELEASE, name) != nullptr ||
                 FindWord(known, v1::Word::GONE, name) != nullptr;
  for (const v1::Word::Kind kind : kOut) {
    by_word = by_word || FindWord(known, kind, name) != nullptr;
  }
  const v1::NodeState state = hosts_[slot].held.state();
  // One that lost what it held is only told again what it was.
  const bool is_observed = before.state == v1::OBSERVED && report.state == v1::OBSERVED;
  if (is_observed && before.running && report.connect_runs) {
    if (!by_word && NoticeDue(known, slot) == Notice::kNone && !LeavesForChange(slot, known)) {
      Break("nothing-is-changed-under-a-running-connect",
            absl::StrCat(name, " is to be ", v1::NodeState_Name(state)));
    }
    return;
  }
  if (before.state != v1::SERVING || !before.served) return;
  bool by_rule = false;
  bool has_lasted = clock_jumped_ || was_restored_;
  for (size_t rule = 0; rule < kRules; ++rule) {
    const bool fails = known.lines[slot][rule].outcome == v1::FAIL && rule != kLicense &&
                       ActionOf(known, rule) >= v1::HOLD && !IsWaived(known, rule, name);
    by_rule = by_rule || fails;
    const auto span = FailAfter(*known.spec, RuleName(rule));
    has_lasted = has_lasted || (fails && FailedFor(slot, rule, decided) >= span);
  }
  if (by_rule && state == v1::DRAINING && !by_word) Count(Sometimes::kClosedByRule);
  if (by_word && state == v1::DRAINING) Count(Sometimes::kDrained);
  if (by_word && state == v1::STOPPED) Count(Sometimes::kStoppedByWord);
  const bool by_notice = NoticeDue(known, slot) != Notice::kNone;
  if (by_notice) Count(Sometimes::kNoticeDrains);
  const bool less = !report.can_serve || report.allow != v1::ALLOW_SERVE ||
                    known.spec->enforcement() != v1::ENFORCE;
  // Of a Connect that rests nobody takes anything from users.
  const bool rests = !report.connect_runs || report.start_failed;
  if (by_word || by_notice || rests || less) return;
  if (by_rule && has_lasted) return;
  // It was told to serve before it says so, and was as it should be then.
  const bool has_drifted =
      report.generation == known.generation && report.looked && report.needs >= v1::Change::RESTART;
  if (has_drifted || LeavesForChange(slot, known)) {
    const bool must = AllRest(known) || RunsOlder(slot, known) || IsLeftBehind(slot, known);
    if (PauseOf(known) == nullptr || must) return;
    return Break("a-pause-is-kept",
                 absl::StrCat(name, " is to be ", v1::NodeState_Name(state),
                              " for a change that a person has paused, or ended"));
  }
  if (by_rule) {
    return Break("what-takes-out-has-lasted",
                 absl::StrCat(name, " is to be ", v1::NodeState_Name(state),
                              ", and nothing has failed there for long enough"));
  }
  Break("nobody-leaves-for-nothing", absl::StrCat(name, " is to be ", v1::NodeState_Name(state),
                                                  ", and nothing was known to be wrong there"));
}

// A store that is an older copy: nothing moves by that.
void World::CheckOlderStore(size_t slot, const Given& given, const Knowledge& known) {
  if (!restored_ || given.knowledge < restored_->knowledge || clock_jumped_) return;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& view = known.views[i];
    // Heard, it said so; not heard, and not lost, it is waited for.
    const bool counts = view.heard ? view.report.epoch != 0 : view.has_report;
    const bool is_known = restored_->later[i] && view.member && counts && !view.lost &&
                          hosts_[i].machine == restored_->machine[i] &&
                          FindWord(known, v1::Word::GONE, NameOf(i)) == nullptr;
    if (!is_known) continue;
    return Break("an-older-store-moves-nobody",
                 absl::StrCat(NameOf(slot), " is moved, though ", NameOf(i),
                              " goes by a later order than the store that was put back has"));
  }
}

// The latest time at which something was decided while its gate was not known to be closed.
Time World::SeenOpen(size_t slot, size_t decided) const {
  for (size_t i = decided; i > 0; --i) {
    const Knowledge& known = knowledge_[i];
    if (known.stored && known.views[slot].report.state != v1::DRAINING) return known.at;
  }
  return Time{};
}

void World::CheckDrainTime(size_t slot, const Before& before, size_t decided) {
  const Knowledge& known = knowledge_[decided];
  const v1::NodeState state = hosts_[slot].held.state();
  const bool ends = state == v1::STOPPED || state == v1::READY || state == v1::PREPARING;
  if (!ends || !before.has_users || clock_jumped_ || was_restored_) return;
  const Report& report = known.views[slot].report;
  const bool is_known = report.connect_runs && (report.jobs > 0 || !report.jobs_known);
  const bool is_short = NoticeDue(known, slot) != Notice::kNone && report.notice_at_us != 0 &&
                        known.clock >= Time(microseconds(report.notice_at_us)) - kStopping;
  if (!is_known || is_short || report.start_failed) return;
  // Once all had stopped nobody is to run anything; and whose gate is closed has no users.
  const bool is_older = RunsOlder(slot, known) || IsLeftBehind(slot, known);
  if (AllRest(known) || is_older || report.closed) return;
  for (const v1::Word::Kind kind : kOut) {
    const v1::Word* word = FindWord(known, kind, NameOf(slot));
    if (word != nullptr && word->now()) return;
  }
  const Time::duration drained_for = known.at - SeenOpen(slot, decided);
  const bool drained = before.state == v1::DRAINING && drained_for >= kDrainTimeout;
  if (drained || (before.state != v1::DRAINING && before.state != v1::SERVING)) return;
  Break("users-have-their-time",
        absl::StrCat("Connect is stopped on ", NameOf(slot), " while its users still have ",
                     FormatSpan(kDrainTimeout - drained_for)));
}

}  // namespace connect_ha::simulation
