#include "tests/plan_simulation/coordinator.h"

#include <algorithm>
#include <string>
#include <utility>

#include "coordinator/cluster/planning/gate_terms_of.h"

namespace connect_ha::simulation {
namespace {

constexpr std::chrono::seconds kAskedEvery{10};

uint64_t Microseconds(Time time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }

v1::Desired DesiredOf(const Applied& applied) {
  v1::Desired desired;
  desired.set_generation(applied.generation);
  desired.set_lineage(kLineage);
  *desired.mutable_applied_at() = ToProto(applied.at);
  *desired.mutable_spec() = *applied.spec;
  desired.set_connect_config(TextOf(applied.configuration));
  return desired;
}

// Null: the store has it no more.
const Applied* FindApplied(const Store& store, uint64_t generation) {
  for (const Applied& applied : store.applied) {
    if (applied.generation == generation) return &applied;
  }
  return nullptr;
}

}  // namespace

const Applied& NewestOf(const Store& store) { return store.applied.back(); }

const Applied& InForce(const Store& store) {
  const Applied* applied = FindApplied(store, store.memory.generation());
  return applied == nullptr ? NewestOf(store) : *applied;
}

bool Coordinator::IsDue(Time now) const {
  return due_ || (wake_at_ && now >= *wake_at_) || now - asked_ >= kAskedEvery || now < asked_;
}

void Coordinator::Start(Store& store, Time now) {
  *this = Coordinator();
  up_ = true;
  started_ = now;
  store.epoch = std::max(store.epoch + 1, Microseconds(now));
  epoch_ = store.epoch;
  for (size_t i = 0; i < seen_.size(); ++i) seen_[i].last_seen = store.records[i].last_seen;
}

void Coordinator::Forget(size_t slot) {
  seen_[slot] = Seen();
  published_[slot].reset();
  terms_[slot] = GateTerms();
  due_ = true;
}

std::optional<Answer> Coordinator::Hear(Store& store, size_t slot, const Report& report,
                                        bool cloned, Time now) {
  Record& record = store.records[slot];
  const bool is_other = !record.has_report || !(record.report == report);
  if (is_other && store.epoch != epoch_) {
    Die();
    return std::nullopt;
  }
  Answer answer;
  if (record.member && record.machine != report.machine) return std::nullopt;  // of one before
  if (!record.member && record.machine == report.machine) {
    answer.removed = true;
    return answer;
  }
  if (!record.member) {  // of an older copy of the store, which does not know it
    record.member = true;
    record.machine = report.machine;
    record.rank = ++store.last_rank;
    ++store.memberships;
  }
  Seen& seen = seen_[slot];
  due_ = due_ || is_other || !seen.heard || now - seen.last_seen > kStaleAfter ||
         seen.cloned != cloned;
  seen.heard = true;
  seen.cloned = cloned;
  seen.last_seen = now;
  if (is_other) record.report = report;
  record.has_report = true;
  record.last_seen = now;
  const std::optional<v1::NodeAssignment>& told = published_[slot];
  // What is told without an order is what the node is already; and of two machines under one name
  // neither is told anything new.
  if (!told || !told->has_order()) return answer;
  const bool obeys =
      report.epoch == told->order().epoch() && report.serial == told->order().serial();
  if (cloned && !obeys) return answer;
  const GateTerms& terms = terms_[slot];
  answer.response.set_no_other_serves(terms.no_other_serves.value_or(false));
  answer.response.set_others_not_known(!terms.no_other_serves);
  for (const auto& [rule, until] : terms.waived) {
    v1::WaivedRule& waived = *answer.response.add_waived();
    waived.set_rule(rule);
    if (until) *waived.mutable_until() = ToProto(*until);
  }
  answer.response.set_assigned_state(told->state());
  answer.response.set_assigned_generation(told->generation());
  answer.response.set_release(told->release());
  *answer.response.mutable_order() = told->order();
  answer.response.set_closed(told->closed());
  answer.response.set_not_before(told->not_before());
  if (told->has_database_restored()) {
    *answer.response.mutable_database_restored() = told->database_restored();
  }
  if (LeavesAlone(slot)) return answer;
  TellAhead(store, report, answer.response);
  const Applied* in_force = FindApplied(store, in_force_);
  if (in_force == nullptr || told->generation() != in_force_) return answer;
  const bool holds = report.generation == in_force_ &&
                     report.applied_at_us == static_cast<int64_t>(Microseconds(in_force->at));
  if (!holds) *answer.response.mutable_desired() = DesiredOf(*in_force);
  return answer;
}

bool Coordinator::LeavesAlone(size_t slot) const {
  return seen_[slot].odd || seen_[slot].ahead || seen_[slot].cloned;
}

// What is newer than what is in force, so that the node gets ready for it.
void Coordinator::TellAhead(const Store& store, const Report& report,
                            v1::HeartbeatResponse& response) const {
  const Applied& newest = NewestOf(store);
  const bool is_to_come =
      newest.generation > in_force_ && newest.spec->enforcement() == v1::ENFORCE;
  if (!is_to_come) return;
  response.set_ahead_generation(newest.generation);
  const bool speaks = report.ahead == newest.generation &&
                      report.ahead_applied_at_us == static_cast<int64_t>(Microseconds(newest.at));
  if (!speaks) *response.mutable_ahead() = DesiredOf(newest);
}

void Coordinator::Decided(v1::Decision decision) {
  decision_ = std::move(decision);
  stage_ = Stage::kDecided;
  wake_at_.reset();
  if (decision_.has_wake_at()) wake_at_ = FromProto(decision_.wake_at());
}

bool Coordinator::Write(Store& store, const CoordinatorFaults& faults) {
  if (store.epoch != epoch_ && !faults.writes_late) {
    Die();
    return false;
  }
  // Who joined or left meanwhile is in no decision: it is asked again.
  if (store.memberships != memberships_) {
    stage_ = Stage::kIdle;
    due_ = true;
    return true;
  }
  store.memory = decision_.remember();
  for (const uint64_t ended : decision_.ended_words()) {
    const auto is_ended = [ended](const v1::Word& word) { return word.number() == ended; };
    store.words.erase(std::remove_if(store.words.begin(), store.words.end(), is_ended),
                      store.words.end());
    due_ = true;
  }
  stage_ = Stage::kStored;
  return true;
}

void Coordinator::Publish(const Store& store, const CoordinatorFaults& faults) {
  stage_ = Stage::kIdle;
  Tell(store, faults);
}

bool Coordinator::IsStillOf(const Store& store, size_t slot) const {
  return store.records[slot].member && store.records[slot].rank == looked_at_[slot];
}

// As Roster::Assign: nothing is told to who is another one by now, and what is not known of a
// node's gate stays as it was told last.
void Coordinator::Tell(const Store& store, const CoordinatorFaults& faults) {
  const uint64_t generation = decision_.remember().generation();
  in_force_ = generation != 0 ? generation : input_.generation();
  std::vector<GateTerms> terms;
  if (!faults.tells_no_terms) terms = GateTermsOf(input_, decision_);
  terms.resize(static_cast<size_t>(std::max(input_.nodes_size(), decision_.assignments_size())));
  for (size_t i = 0; i < published_.size(); ++i) {
    published_[i].reset();
    if (!IsStillOf(store, i)) continue;
    for (int j = 0; j < decision_.assignments_size(); ++j) {
      const v1::NodeAssignment& assignment = decision_.assignments(j);
      if (assignment.node() != kNodeNames[i]) continue;
      published_[i] = assignment;
      GateTerms& told = terms[static_cast<size_t>(j)];
      if (!told.no_other_serves) told.no_other_serves = terms_[i].no_other_serves;
      terms_[i] = std::move(told);
    }
  }
}

}  // namespace connect_ha::simulation
