// Who leaves service, starts Connect and takes users again for a change of the cluster.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {

// That all nodes stop for the newest generation: by a word, in the window where there is one.
bool World::IsApproved(const Knowledge& known) const {
  if (known.next.generation == 0) return false;
  if (known.window_is_open) return true;
  const bool has_window = known.next.spec->rollout().has_maintenance_window();
  return std::any_of(known.words.begin(), known.words.end(), [&](const v1::Word& word) {
    return word.kind() == v1::Word::APPROVE && word.generation() == known.next.generation &&
           word.role() >= v1::OPERATOR && (word.now() || !has_window);
  });
}

// A start that may migrate the database, as what is in force and the newest: in the same way.
bool World::IsStartApproved(const Knowledge& known) const {
  if (known.next.generation != 0) return false;
  const std::optional<WindowTime> window = WindowOf(*known.spec, known.clock);
  if (window && window->IsOpen(known.clock)) return true;
  return std::any_of(known.words.begin(), known.words.end(), [&](const v1::Word& word) {
    return word.kind() == v1::Word::APPROVE && word.generation() == known.generation &&
           word.role() >= v1::OPERATOR && (word.now() || !window);
  });
}

// Nothing more is begun.
const v1::Word* World::PauseOf(const Knowledge& known) {
  const bool stops = known.together && !known.in_force;
  const uint64_t generation = stops ? known.next.generation : known.generation;
  for (const v1::Word& word : known.words) {
    if (word.kind() == v1::Word::PAUSE) return &word;
    if (word.kind() == v1::Word::ABORT && word.generation() == generation) return &word;
  }
  return nullptr;
}

// But for the first, which is not known to be right yet.
bool World::AllRest(const Knowledge& known) {
  return known.together && known.in_force && !known.verified;
}

// It was away while the others went on.
bool World::RunsOlder(size_t slot, const Knowledge& known) {
  const Report& report = known.views[slot].report;
  const bool is_left_behind = report.generation != 0 && report.generation < known.not_before;
  // Its agent has heard of it since, and its Connect has not stopped.
  const bool was_before = ((known.before_that >> slot) & 1U) != 0;
  const bool has_not_stopped = was_before && report.generation == known.generation &&
                               report.connect_runs && report.looked &&
                               report.needs == v1::Change::TOGETHER;
  return is_left_behind || has_not_stopped ||
         (report.running != 0 && report.running < known.newest);
}

// All the others have stopped for what is in force, while nobody heard of it.
bool World::IsLeftBehind(size_t slot, const Knowledge& known) {
  return ((known.left_behind >> slot) & 1U) != 0;
}

// It has something to be stopped for: all nodes do, or what it said of itself.
bool World::LeavesForChange(size_t slot, const Knowledge& known) const {
  if (AllRest(known) || (known.together && IsApproved(known))) return true;
  const Report& report = known.views[slot].report;
  const bool is_listed = ((known.listed >> slot) & 1U) != 0;
  // One that is about to serve has been told so, and has heard it.
  const Given* obeyed = Find(slot, report.epoch, report.serial);
  const bool is_to_serve = obeyed != nullptr && obeyed->state == v1::SERVING;
  if (report.state == v1::OBSERVED && !is_listed && !is_to_serve) return false;
  if (RunsOlder(slot, known) || IsLeftBehind(slot, known)) return true;
  return report.generation == known.generation && report.looked &&
         report.needs >= v1::Change::RESTART;
}

bool World::MayLeaveTooFew(const Knowledge& known) const {
  return std::any_of(known.words.begin(), known.words.end(), [&](const v1::Word& word) {
    return word.kind() == v1::Word::APPROVE && word.generation() == known.generation &&
           word.role() == v1::ADMIN && word.downtime();
  });
}

bool World::FailsByRule(size_t slot, const Knowledge& known) {
  for (size_t rule = 0; rule < kRules; ++rule) {
    const bool fails = known.lines[slot][rule].outcome == v1::FAIL && rule != kLicense;
    if (fails && ActionOf(known, rule) >= v1::HOLD) return true;
  }
  return false;
}

// Others that were on their way out of service, or back, and that nobody holds.
size_t World::OutAsKnown(size_t slot, size_t knowledge) const {
  const Knowledge& known = knowledge_[knowledge];
  size_t out = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const NodeView& view = known.views[i];
    const Report& report = view.report;
    const Given* told = ToldBy(i, knowledge);
    const bool counts = i != slot && view.member && view.fresh && !view.cloned &&
                        report.can_serve && report.allow == v1::ALLOW_SERVE &&
                        NoticeDue(known, i) == Notice::kNone && told != nullptr;
    const bool is_held =
        std::any_of(known.words.begin(), known.words.end(),
                    [&](const v1::Word& word) { return word.node() == NameOf(i); });
    if (!counts || is_held) continue;
    // A rule may have had it leave with the same decision.
    const bool is_else = told->decided == knowledge && FailsByRule(i, known);
    if (is_else) continue;
    const bool is_out =
        told->state == v1::DRAINING || told->state == v1::PREPARING || told->state == v1::READY;
    if (is_out || (told->state == v1::SERVING && told->closed)) ++out;
  }
  return out;
}

// From node to node; where all are to stop nobody counts those that are left.
void World::CheckLeavesForChange(size_t slot, size_t decided) {
  const Knowledge& known = knowledge_[decided];
  const bool is_behind = known.together && RunsOlder(slot, known);
  if (AllRest(known) || (known.together && IsApproved(known)) || is_behind) return;
  const bool is_older = RunsOlder(slot, known) || IsLeftBehind(slot, known);
  if (!is_older) CheckEnoughServe(slot);
  const size_t minimum = is_older ? 1 : known.spec->nodes().minimum_serving();
  const size_t others = OthersAsKnown(slot, decided);
  if (others < minimum && !MayLeaveTooFew(known)) {
    Break("minimum-serving-is-kept",
          absl::StrCat(NameOf(slot), " is taken out of service for a change, and ", others,
                       " others were known to serve; it takes ", minimum));
  }
  const v1::RolloutSpec& spec = known.spec->rollout();
  const size_t most = spec.has_max_unavailable() ? spec.max_unavailable() : 1;
  const size_t out = OutAsKnown(slot, decided);
  if (out >= most && !was_restored_ && !is_older) {
    Break("one-after-the-other",
          absl::StrCat(NameOf(slot), " is taken out of service for a change, and ", out,
                       " others were out of it; there may be ", most));
  }
  if (IsLeftBehind(slot, known)) return;
  const uint32_t wanted = RuntimesIn(*known.spec);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Report& report = known.views[i].report;
    const bool counts = ServedAsKnown(known, i) && report.state == v1::SERVING &&
                        report.generation == known.generation && report.looked;
    if (!counts || (wanted & ~report.runtimes) == 0) continue;
    Break("what-is-added-comes-first",
          absl::StrCat(NameOf(slot), " is taken out of service for a change, and ", NameOf(i),
                       " has not the runtimes yet that content may ask for"));
  }
}

// Connect is stopped for what differs from what the node once was, and for nothing else.
void World::CheckRestarts(size_t slot, const Before& before, const Knowledge& known) {
  const Report& report = known.views[slot].report;
  const bool stops = before.state == v1::DRAINING && before.running && report.connect_runs;
  const bool differs = report.generation == known.generation && report.looked &&
                       report.needs >= v1::Change::RESTART && been_[slot] >= known.generation;
  const bool by_person =
      std::any_of(known.words.begin(), known.words.end(),
                  [&](const v1::Word& word) { return word.node() == NameOf(slot); });
  const bool is_else = by_person || known.together || FailsByRule(slot, known) ||
                       NoticeDue(known, slot) != Notice::kNone;
  if (!stops || !differs || is_else || !IsAtRest(hosts_[slot].held.state())) return;
  restarts_.push_back(known.at);
  const auto recent = std::count_if(restarts_.begin(), restarts_.end(), [&known](Time at) {
    return at > known.at - std::chrono::hours(1);
  });
  if (clock_jumped_ || was_restored_ || recent <= known.spec->rollout().restarts_per_hour()) return;
  Break("so-many-restarts-an-hour",
        absl::StrCat("Connect is restarted for what differs ", recent, " times within an hour"));
}

void World::CheckStartsInTurn(size_t slot, const Given& given) {
  const Knowledge& known = knowledge_[given.decided];
  const Report& report = known.views[slot].report;
  if (report.connect_runs || !IsAtRest(report.state)) return;
  if (report.installed > known.newest) {
    Break("is-remembered-before-it-starts",
          absl::StrCat(NameOf(slot), " is to start Connect ", VersionText(report.installed),
                       ", and it is not remembered that the database may know it"));
  }
  if (!given.closed) {
    Break("starts-closed",
          absl::StrCat(NameOf(slot), " is to start Connect, and to take users at once"));
  }
  if (AllRest(known) && known.first != NameOf(slot)) {
    Break("the-first-goes-alone",
          absl::StrCat(NameOf(slot), " is to start, and ", known.first, " is not right yet"));
  }
}

// Its gate opens: by what was known then it is right.
void World::CheckOpens(size_t slot, const Given& given) {
  const Knowledge& known = knowledge_[given.decided];
  const NodeView& view = known.views[slot];
  // An older store does not know that it was to stay closed: it is told to be what it was.
  if (was_restored_) return;
  const Version wanted = VersionIn(*known.spec);
  std::string why;
  if (!view.fresh || view.cloned) why = "nothing is known of it";
  if (!view.report.answers) why = "Connect does not answer";
  if (wanted != 0 && view.report.running != wanted) why = "another version runs there";
  const bool unfenced = FindWord(known, v1::Word::UNFENCE, NameOf(slot)) != nullptr;
  for (size_t rule = 0; rule < kRules; ++rule) {
    const v1::RuleAction action = ActionOf(known, rule);
    const v1::Outcome outcome = known.lines[slot][rule].outcome;
    const bool holds = outcome == v1::PASS || outcome == v1::NOT_APPLICABLE;
    const bool lowered = IsWaived(known, rule, NameOf(slot)) || (unfenced && action == v1::FENCE);
    if (holds || lowered || action < v1::HOLD || rule == kService || rule == kLicense) continue;
    why = absl::StrCat(RuleName(rule), " is ", v1::Outcome_Name(outcome));
  }
  if (why.empty()) return;
  Break("opens-only-what-is-right", absl::StrCat("the gate of ", NameOf(slot), " opens: ", why));
}

// Whatever else its agent goes by.
void World::CheckGate(size_t slot) {
  const Host& host = hosts_[slot];
  if (setup_.health_by_connect != 0 || host.held.state() != v1::SERVING) return;
  const Given* given = Find(slot, host.held.order().epoch(), host.held.order().serial());
  if (given == nullptr || !given->closed || !Serves(host, Around())) return;
  Break("a-closed-gate-lets-nobody-in",
        absl::StrCat(host.name, " takes users, and its gate is to stay closed"));
}

// A start has moved the database.
void World::CheckMigrated(size_t slot) {
  const Host& host = hosts_[slot];
  if (database_->failed) Count(Sometimes::kMigrationFails);
  has_migration_failed_ = has_migration_failed_ || database_->failed;
  database_->failed = false;
  if (!database_->moved) return;
  database_->moved = false;
  // The first of all makes the tables; and of what a person started nobody was asked.
  if (database_->moved_from == 0 || database_->by_hand) return;
  // This coordinator has known no other version, and the database says nothing of itself.
  const v1::DatabaseMemory& known = store_.memory.database();
  if (setup_.migration_unsaid != 0 && known.before_version().empty() &&
      known.right_version().empty()) {
    return;
  }
  Count(Sometimes::kMigrates);
  const uint64_t generation = host.held.desired().generation();
  if (approved_.count(generation) == 0) {
    Break("nothing-migrates-unapproved",
          absl::StrCat("Connect ", VersionText(database_->schema), " is started on ", host.name,
                       " as generation ", generation, ", which nobody has approved"));
  }
  for (const Host& other : hosts_) {
    const bool runs = &other != &host && other.exists && other.power && other.running;
    if (!runs || other.by_hand || other.mistaken) continue;
    Break("one-version-runs",
          absl::StrCat(host.name, " migrates the database, and Connect runs on ", other.name));
  }
}

}  // namespace connect_ha::simulation
