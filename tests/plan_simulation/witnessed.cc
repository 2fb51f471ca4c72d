// What nobody may find in the world, whatever was told to whom: who serves, what migrates, and what
// is no more.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/host_parts.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

bool TakesUsers(v1::NodeState state) { return state == v1::SERVING || state == v1::OBSERVED; }

}  // namespace

size_t World::LeastMinimum() const {
  size_t least = kMostNodes;
  for (const Applied& applied : store_.applied) {
    least = std::min<size_t>(least, applied.spec->nodes().minimum_serving());
  }
  return least;
}

// Where nothing fails by itself, no rule takes anybody out, and nobody asks for downtime, so many
// others serve.
void World::CheckEnoughServe(size_t slot) {
  if (!steady_) return;
  size_t others = 0;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const v1::Assignment& held = hosts_[i].held;
    const bool serves = Serves(hosts_[i], Around()) && TakesUsers(held.state()) && !held.closed();
    if (i != slot && serves) ++others;
  }
  const size_t minimum = LeastMinimum();
  if (others >= minimum) return;
  Break("minimum-serving-is-kept-in-the-world",
        absl::StrCat(NameOf(slot), " is taken out of service for a change, and ", others,
                     " others serve; it takes ", minimum));
}

// However long that takes, and whatever became of the change that it was started for.
void World::CheckStartsBesideAMigration(size_t slot) {
  const Host& host = hosts_[slot];
  if (was_restored_ || host.by_hand || host.mistaken) return;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Host& other = hosts_[i];
    const bool migrates = i != slot && other.exists && other.power && IsMigrating(other, now_);
    if (!migrates || other.by_hand || other.mistaken) continue;
    Break("migrates-alone", absl::StrCat("Connect starts on ", host.name, ", and ", other.name,
                                         " migrates the database"));
  }
}

// By its agent. A person may have it stopped, EC2 takes the machine, and what may corrupt data is
// fenced.
void World::CheckMigrationStopped(size_t slot, bool by_hand) {
  const Host& host = hosts_[slot];
  const Given* given = Find(slot, host.held.order().epoch(), host.held.order().serial());
  const bool is_else =
      was_restored_ || machine_lost_ || by_hand || host.mistaken || host.held.state() == v1::FENCED;
  if (is_else || given == nullptr || given->decided == 0) return;
  const Knowledge& known = knowledge_[given->decided];
  const bool by_person =
      std::any_of(known.words.begin(), known.words.end(),
                  [&host](const v1::Word& word) { return word.node() == host.name; });
  const Report& report = known.views[slot].report;
  // It had not said yet that it was started.
  const bool by_notice = NoticeDue(known, slot) != Notice::kNone;
  if (by_person || by_notice || !report.connect_runs) return;
  Break("a-migration-is-not-stopped",
        absl::StrCat("Connect is stopped on ", host.name, " while it migrates the database, and ",
                     "no person has said so of that node"));
}

void World::CheckRemoved(size_t slot, uint32_t had) {
  const Host& host = hosts_[slot];
  const uint32_t removed = had & ~host.runtimes;
  if ((removed & pinned_) != 0) {
    Break("a-pinned-runtime-stays",
          absl::StrCat(host.name, " removes a runtime that content is pinned to"));
  }
  const bool is_used =
      host.running && FileNeeds(host, WantedBy(host.held.desired())) >= v1::Change::RESTART;
  if (removed == 0 || !is_used) return;
  Break(
      "a-runtime-goes-last",
      absl::StrCat(host.name, " removes a runtime, and Connect runs by a configuration of before"));
}

// It runs what all the others have stopped for, since it was away; and its agent holds no more than
// that yet, or nobody could tell.
bool World::RunsAsBefore(size_t slot) const {
  const Host& host = hosts_[slot];
  const Applied& in_force = InForce(store_);
  const bool holds_it = host.held.desired().generation() >= in_force.generation;
  const bool is_other = host.configuration.together != in_force.configuration.together;
  return host.left_behind && host.running && !holds_it &&
         (host.process < database_->schema || is_other);
}

// Its users go on writing to what was before for as long as it is drained.
void World::CheckDrainsAsBefore(size_t slot, const Before& before, const Knowledge& known) {
  const bool drains = hosts_[slot].held.state() == v1::DRAINING && before.state == v1::SERVING;
  if (!drains || !RunsAsBefore(slot) || !IsLeftBehind(slot, known)) return;
  if (clock_jumped_ || was_restored_) return;
  const bool by_person =
      std::any_of(known.words.begin(), known.words.end(),
                  [&](const v1::Word& word) { return word.node() == NameOf(slot); });
  const bool is_else = by_person || NoticeDue(known, slot) != Notice::kNone ||
                       FailsByRule(slot, known) || (known.together && !known.in_force);
  if (is_else) return;
  Break("nobody-serves-as-before",
        absl::StrCat(NameOf(slot), " is drained, and its Connect is from before a change that ",
                     "all the others have stopped for"));
}

void World::CheckServesAsBefore(size_t slot) {
  const Host& host = hosts_[slot];
  const bool is_said = std::any_of(
      store_.words.begin(), store_.words.end(),
      [](const v1::Word& word) { return !word.node().empty() || word.kind() == v1::Word::WAIVE; });
  const bool is_else = is_said || clock_jumped_ || was_restored_ || database_away_ ||
                       InForce(store_).spec->enforcement() != v1::ENFORCE;
  const bool serves = host.held.state() == v1::SERVING && Serves(host, Around());
  if (is_else || !serves || !RunsAsBefore(slot) || !IsAble(slot)) return;
  // The last one stays.
  const auto serves_else = [&](const Host& other) {
    return &other != &host && Serves(other, Around()) && !other.held.closed();
  };
  if (std::none_of(hosts_.begin(), hosts_.end(), serves_else)) return;
  Break("nobody-serves-as-before",
        absl::StrCat(NameOf(slot), " serves, and its Connect is from before a change that all ",
                     "the others have stopped for"));
}

}  // namespace connect_ha::simulation
