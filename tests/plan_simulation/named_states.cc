// What every node is where a change of the cluster has come to rest, also where a person ended it
// or something went wrong: as coordinator/plan/change/phases.cc names it. Asked of the machines.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {
namespace {

// But for what keeps its own Connect from being changed, or from starting.
bool IsSound(const Host& host) {
  const bool reached = host.power && host.agent && !host.cut && !host.cloned &&
                       !host.held.removed() && !host.old_agent && host.allow == v1::ALLOW_SERVE;
  const bool right = host.mount == Mount::kVerified && host.database == 0 && host.key == 0 &&
                     !host.covered && !host.clock_off && !host.config_broken &&
                     host.cannot_tell == 0 && host.notice == Notice::kNone;
  return reached && right && !host.by_hand;
}

bool Stops(const v1::Word& word) {
  return word.kind() == v1::Word::PAUSE || word.kind() == v1::Word::ABORT;
}

bool IsUnderWay(const v1::Rollout& rollout) {
  return rollout.generation() != 0 && !rollout.has_ended_at();
}

bool IsOfTheChange(const v1::Word& word) {
  return word.node().empty() && word.kind() != v1::Word::WAIVE;
}

}  // namespace

// Nothing but the change is a reason for a node to be out of service.
bool World::IsElseRight() const {
  const bool is_said = !std::all_of(store_.words.begin(), store_.words.end(), IsOfTheChange);
  const bool is_new = setup_.start == kBare || setup_.version_unsaid != 0 || machine_lost_;
  // Then whatever starts waits for a person.
  const bool is_unknown = store_.memory.database().newest_version().empty();
  const v1::ClusterSpec& spec = *InForce(store_).spec;
  if (is_said || is_new || is_unknown || clock_jumped_ || was_restored_ || database_away_ ||
      database_->by_hand || spec.enforcement() != v1::ENFORCE || VersionIn(spec) == 0) {
    return false;
  }
  const v1::Rollout& rollout = store_.memory.rollout();
  const bool together = IsUnderWay(rollout) && rollout.kind() == v1::Rollout::TOGETHER;
  // What was not right with the database yet, and what differs, waits for a person.
  const bool is_right = VersionIn(spec) == database_->schema && !has_migration_failed_;
  if (!together && !is_right) return false;
  for (size_t i = 0; i < hosts_.size(); ++i) {
    const Record& record = store_.records[i];
    if (!record.member) continue;
    if (!hosts_[i].exists || record.machine != hosts_[i].machine || !IsSound(hosts_[i])) {
      return false;
    }
    if (!together && hosts_[i].installed != database_->schema) return false;
  }
  return true;
}

// It was away as it began, say, and is not started as a generation that does not go on.
bool World::WaitsForAChange(size_t slot, const v1::RolloutStatus& status) const {
  const v1::PlanMemory& memory = store_.memory;
  const auto is_new = [&](const v1::NodeMemory& node) {
    return node.node() == NameOf(slot) && node.reached() < memory.generation();
  };
  const bool stops = status.standing() == v1::RolloutStatus::HALTED ||
                     std::any_of(store_.words.begin(), store_.words.end(), Stops);
  return stops && IsUnderWay(memory.rollout()) && hosts_[slot].held.state() == v1::READY &&
         std::any_of(memory.nodes().begin(), memory.nodes().end(), is_new);
}

// "": it is as it is to be.
std::string World::WhyNotAsNamed(size_t slot) const {
  const Host& host = hosts_[slot];
  const v1::Rollout& rollout = store_.memory.rollout();
  const v1::NodeState state = host.held.state();
  const bool serves = Serves(host, Around()) && !host.held.closed();
  if (state == v1::DRAINING || state == v1::PREPARING) return "is on its way, and goes nowhere";
  if (!IsUnderWay(rollout) || rollout.kind() != v1::Rollout::TOGETHER)
    return serves ? "" : "does not serve";
  if (!rollout.has_in_force_at()) return host.running ? "runs, and all are to stop" : "";
  if (rollout.has_verified_at()) return serves || !host.running ? "" : "runs, and does not serve";
  if (host.name == rollout.first()) {
    return host.running && !host.held.closed() ? "takes users, and is not right yet" : "";
  }
  return host.running ? "runs beside the one that is changed alone" : "";
}

void World::CheckNamedStates(const v1::RolloutStatus& status) {
  if (!IsElseRight()) return;
  if (status.phase() == v1::RolloutStatus::ABORTED) Count(Sometimes::kRestsAborted);
  if (status.standing() == v1::RolloutStatus::HALTED) Count(Sometimes::kRestsHalted);
  for (size_t i = 0; i < hosts_.size(); ++i) {
    if (!store_.records[i].member || !IsAble(i) || HasFailedToStart(i)) continue;
    if (WaitsForAChange(i, status)) continue;
    const std::string why = WhyNotAsNamed(i);
    if (why.empty()) continue;
    Break("a-change-rests-as-named",
          absl::StrCat(NameOf(i), " ", why, "; the change to generation ", status.generation(),
                       " is in ", v1::RolloutStatus::Phase_Name(status.phase()), ", ",
                       v1::RolloutStatus::Standing_Name(status.standing())));
  }
}

}  // namespace connect_ha::simulation
