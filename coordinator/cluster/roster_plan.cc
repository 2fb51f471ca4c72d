// The nodes as the plan looks at them, and what it gives them.
#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/text/shell_word.h"
#include "common/version.h"
#include "coordinator/cluster/node/bounds.h"
#include "coordinator/cluster/node/brief.h"
#include "coordinator/cluster/node/step.h"
#include "coordinator/cluster/planning/plan_specs.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"
#include "coordinator/plan/look/generation.h"

namespace connect_ha {
namespace {

void RaiseTo(std::atomic<uint64_t>& value, uint64_t at_least) {
  uint64_t before = value.load();
  while (before < at_least && !value.compare_exchange_weak(before, at_least)) {
  }
}

// What is on its way up or down may be running.
v1::ConnectSeen Seen(const UnitSeen& unit) {
  if (!unit.unknown.empty()) return v1::CONNECT_UNKNOWN;
  const bool rests = !unit.exists || unit.state == "inactive" || unit.state == "failed";
  return rests ? v1::CONNECT_RESTS : v1::CONNECT_RUNS;
}

// One spelling for one version.
std::string Spelled(const std::string& version, const v1::ClusterSpec& spec) {
  if (version.empty() || !spec.connect().has_version()) return version;
  return SameVersion(version, spec.connect().version()) ? PlainVersion(spec.connect().version())
                                                        : version;
}

// The first so many are left.
template <typename Message>
void CutTo(int most, google::protobuf::RepeatedPtrField<Message>* list) {
  if (list->size() > most) list->DeleteSubrange(most, list->size() - most);
}

// Those that need most come first.
void FillConvergence(const v1::Convergence& said, v1::Convergence* of_plan) {
  *of_plan = said;
  if (said.changes_size() > kMostChangesPlanned) {
    std::stable_sort(of_plan->mutable_changes()->begin(), of_plan->mutable_changes()->end(),
                     [](const v1::Change& a, const v1::Change& b) {
                       return NeedsOfChange(a) > NeedsOfChange(b);
                     });
  }
  CutTo(kMostChangesPlanned, of_plan->mutable_changes());
}

// What it says of another generation than the next one is of no use.
void FillStaged(const KnownNode& known, const Generations& specs, v1::PlanNode* plan) {
  const bool of_next = HasNext(*specs.in_force, *specs.newest) && known.staged != nullptr &&
                       SpeaksOf(*known.staged, *specs.newest);
  if (!of_next) return;
  v1::Ahead& staged = *plan->mutable_staged();
  staged = *known.staged;
  CutTo(kMostChangesPlanned, staged.mutable_changes());
  CutTo(kMostTroublesPlanned, staged.mutable_troubles());
}

void FillNewestStart(const v1::NewestStart& said, const v1::ClusterSpec& spec,
                     v1::NewestStart* of_plan) {
  *of_plan = said;
  of_plan->set_version(Spelled(PlainVersion(said.version()), spec));
}

void FillService(const v1::ServiceReport& service, v1::PlanNode* plan) {
  plan->set_refused(service.refused());
  plan->set_gate(service.gate_open() ? v1::GATE_OPEN : v1::GATE_CLOSED);
  plan->set_gate_reason(service.gate_reason());
  if (service.jobs_known()) plan->set_jobs(service.jobs());
  plan->set_start_failed(service.start_failed());
}

// But for its facts.
void FillSaidForPlan(const KnownNode& known, const Generations& specs, v1::PlanNode* plan) {
  const v1::Desired& newest = *specs.newest;
  plan->set_heard(known.heard);
  plan->set_own_lineage(known.said.own_lineage);
  plan->set_odd(IsOdd(newest, known.said));
  plan->set_ahead(IsAhead(newest, known.said));
  plan->set_standing(WhyLeftAlone(newest, known.said));
  if (known.taken && known.taken->lineage() == newest.lineage() && !plan->odd()) {
    *plan->mutable_obeys() = *known.taken;
  }
  if (known.said.convergence != nullptr) {
    FillConvergence(*known.said.convergence, plan->mutable_convergence());
  }
  FillStaged(known, specs, plan);
  plan->set_can_serve(known.can_serve);
  if (known.service == nullptr) return;
  FillService(*known.service, plan);
  if (known.refused_before) plan->set_refused(*known.refused_before);
  // What nobody gave it counts for nothing, this too.
  if (known.service->has_newest_start() && !plan->odd()) {
    FillNewestStart(known.service->newest_start(), specs.in_force->spec(),
                    plan->mutable_newest_start());
  }
}

bool IsSame(const v1::Order& a, const v1::Order& b) {
  return a.epoch() == b.epoch() && a.serial() == b.serial();
}

// In place: who has been a member for longest is the first.
void Rank(const std::vector<Time>& enrolled_at, v1::PlanInput* input) {
  std::vector<int> order(enrolled_at.size());
  std::iota(order.begin(), order.end(), 0);
  // They are sorted by name already.
  std::stable_sort(order.begin(), order.end(), [&enrolled_at](int a, int b) {
    return enrolled_at[static_cast<size_t>(a)] < enrolled_at[static_cast<size_t>(b)];
  });
  uint64_t member = 0;
  for (const int index : order) input->mutable_nodes(index)->set_member(++member);
}

// Facts in which it is known come first, then those that came last.
bool IsBetterForPinned(const HeldFacts& facts, const HeldFacts& than) {
  const bool known = facts.pinned_unknown.empty();
  if (known != than.pinned_unknown.empty()) return known;
  return facts.received_at > than.received_at;
}

void FillPinned(const HeldFacts* facts, v1::PlanInput* input) {
  if (facts == nullptr) return input->set_pinned_unknown("no node's facts count now");
  for (const v1::PinnedRuntime& pinned : facts->pinned) *input->add_pinned() = pinned;
  if (!facts->pinned_unknown.empty()) input->set_pinned_unknown(facts->pinned_unknown);
}

}  // namespace

// Of a node, beside what the plan sees.
struct Roster::PlanSeen {
  PlanLook look;
  Time enrolled_at{};
  std::shared_ptr<const HeldFacts> facts;  // that count; null: none do
};

std::vector<PlanLook> Roster::LookForPlan(Time now, v1::PlanInput* input) const {
  const Generations specs = SpecsNow();
  *input->mutable_now() = ToProto(now);
  input->set_lineage(store_.lineage());
  input->set_epoch(store_.epoch());
  input->set_generation(specs.in_force->generation());
  *input->mutable_spec() = PlanSpec(specs.in_force->spec());
  if (HasNext(*specs.in_force, *specs.newest)) {
    *input->mutable_next() = PlanNext(*specs.newest, specs.newest_by);
  }
  FillWindow(now, input);
  std::vector<PlanLook> looks;
  std::vector<Time> enrolled_at;
  std::shared_ptr<const HeldFacts> of_pinned;
  for (const NodePointer& node : Nodes()) {
    PlanSeen seen;
    if (!FillPlanNode(*node, specs, now, input->add_nodes(), &seen)) {
      input->mutable_nodes()->RemoveLast();
      continue;
    }
    looks.push_back(std::move(seen.look));
    enrolled_at.push_back(seen.enrolled_at);
    const bool better = seen.facts != nullptr &&
                        (of_pinned == nullptr || IsBetterForPinned(*seen.facts, *of_pinned));
    if (better) of_pinned = std::move(seen.facts);
  }
  FillPinned(of_pinned.get(), input);
  Rank(enrolled_at, input);
  return looks;
}

bool Roster::FillPlanNode(const Node& node, const Generations& specs, Time now, v1::PlanNode* plan,
                          PlanSeen* seen) const {
  const v1::Desired& desired = *specs.in_force;
  PlanLook* look = &seen->look;
  const auto stale_after = StaleAfter();
  std::shared_ptr<const HeldFacts> held;
  {
    std::lock_guard lock(node.mutex);
    const KnownNode& known = node.known;
    if (known.removed || node.record == nullptr) return false;
    if (node.record->has_enrolled_at()) seen->enrolled_at = FromProto(node.record->enrolled_at());
    held = known.facts;
    look->admission = node.admission;
    if (held != nullptr) look->machine_id = held->machine_id;
    look->changed_at = std::max(node.changed_at, spec_changed_at_.load());
    FillSaid(node.name, known, plan->mutable_brief());
    FillSaidForPlan(known, specs, plan);
    look->obeys = known.taken.has_value();
    look->refused_before = known.refused_before;
    const CountedFacts counted = Count(known, stale_after, now);
    plan->set_fresh(counted.facts != nullptr && IsSettled(known));
    if (counted.facts == nullptr) {
      plan->set_not_fresh(counted.why_not);
    } else if (!plan->fresh()) {
      plan->set_not_fresh(
          "another machine spoke under its name a moment ago; whether that one is gone is not "
          "known yet");
    }
  }
  // What it was last: a node that dies while it starts, say, is no riddle to those that join.
  if (held != nullptr) {
    plan->set_running_version(Spelled(held->running_version, desired.spec()));
    plan->set_installed_version(Spelled(held->installed_version, desired.spec()));
  }
  if (!plan->fresh()) {
    plan->set_connect_unknown(plan->not_fresh());
    return true;
  }
  plan->set_connect(Seen(held->unit));
  plan->set_connect_unknown(held->unit.unknown);
  for (const v1::InstanceNotice& notice : held->notices) *plan->add_notices() = notice;
  if (held->migration) plan->set_migration(*held->migration);
  seen->facts = held;
  *plan->mutable_brief()->mutable_facts() = BriefOf(*held, desired);
  return true;
}

namespace {

bool WasToRun(const std::shared_ptr<const v1::NodeAssignment>& assigned) {
  return assigned != nullptr &&
         (assigned->state() == v1::SERVING || assigned->state() == v1::DRAINING);
}

// Whoever is no member holds up no change that all have to stop for.
absl::Status WaitedFor(const std::string& name, const std::string& operand) {
  return absl::FailedPreconditionError(absl::StrCat(
      name,
      " is not heard, was told to run Connect, and another generation is to come: where its "
      "machine goes on, so does its Connect, beside what the others start then\nfix: look whether "
      "that machine is switched off; where it is: connect-ha node remove --force ",
      operand));
}

}  // namespace

absl::Status Roster::CheckRemoval(const std::string& name, Time now) const {
  const NodePointer node = Find(name);
  const Generations specs = SpecsNow();
  if (node == nullptr || specs.in_force->spec().enforcement() != v1::ENFORCE) {
    return absl::OkStatus();
  }
  std::lock_guard lock(node->mutex);
  const bool is_released = node->assigned != nullptr && node->assigned->release();
  const CountedFacts counted = Count(node->known, StaleAfter(), now);
  const std::string operand = ShellOperand(name) + " --reason TEXT";
  const bool is_waited_for = HasNext(*specs.in_force, *specs.newest) && WasToRun(node->assigned);
  if (!is_released && counted.facts == nullptr && is_waited_for) return WaitedFor(name, operand);
  if (is_released || counted.facts == nullptr || Seen(counted.facts->unit) != v1::CONNECT_RUNS) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "Connect runs on ", name,
      ", and would go on there with nobody who looks: its gate stays open, and another version may "
      "be started beside it\nfix: first connect-ha node stop ",
      operand, "; where only Connect is to go on, by itself: connect-ha release ", operand,
      "; all the same: connect-ha node remove --force ", operand));
}

absl::Status Roster::CheckGone(const std::string& name, Time now) const {
  const NodePointer node = Find(name);
  if (node == nullptr) return absl::OkStatus();
  std::lock_guard lock(node->mutex);
  const KnownNode& known = node->known;
  if (known.removed || !known.last_seen) return absl::OkStatus();
  const Time since = known.heard ? *known.last_seen : std::max(*known.last_seen, started_.load());
  const auto left = StaleAfter() - (now - since);
  if (left < std::chrono::microseconds(0)) return absl::OkStatus();
  const std::string ago = FormatSpan(std::max(now - since, std::chrono::microseconds(0)));
  return absl::FailedPreconditionError(
      absl::StrCat(known.heard ? absl::StrCat(name, " was heard ", ago, " ago: it is not gone")
                               : absl::StrCat("the coordinator started ", ago, " ago, and ", name,
                                              " has had no time to call since"),
                   "\nfix: where its machine was switched off a moment ago, the same again in ",
                   FormatSpan(left + std::chrono::seconds(1)),
                   "; where Connect is to stop there: connect-ha node stop ", ShellOperand(name),
                   " --reason TEXT"));
}

std::vector<std::string> Roster::Assign(
    const std::vector<PlanLook>& looks,
    const google::protobuf::RepeatedPtrField<v1::NodeAssignment>& assignments,
    const std::vector<GateTerms>& terms, uint64_t serial) {
  RaiseTo(serial_, serial);
  std::vector<std::string> moved;
  bool changed = false;
  const size_t count =
      std::min({looks.size(), static_cast<size_t>(assignments.size()), terms.size()});
  for (size_t i = 0; i < count; ++i) {
    const v1::NodeAssignment& given = assignments.Get(static_cast<int>(i));
    const NodePointer node = Find(given.node());
    if (node == nullptr || given.state() == v1::NODE_STATE_UNSPECIFIED) continue;
    std::lock_guard lock(node->mutex);
    if (node->known.removed || node->admission != looks[i].admission) continue;
    if (looks[i].refused_before) node->known.refused_before.reset();
    GateTerms told = terms[i];
    const bool is_same_machine = node->assigned_to.admission == looks[i].admission;
    if (!told.no_other_serves && is_same_machine) {
      told.no_other_serves = node->terms.no_other_serves;
    }
    node->assigned_to = looks[i];
    const v1::NodeAssignment* before = node->assigned.get();
    const bool is_news =
        before == nullptr || !IsSame(before->order(), given.order()) || node->terms != told;
    if (is_news) moved.push_back(node->name);
    node->terms = std::move(told);
    changed |= before == nullptr || before->state() != given.state();
    if (before != nullptr && before->SerializeAsString() == given.SerializeAsString()) continue;
    node->assigned = std::make_shared<const v1::NodeAssignment>(given);
  }
  if (changed) ++changes_;  // rules see the state; the plan knows it
  return moved;
}

}  // namespace connect_ha
