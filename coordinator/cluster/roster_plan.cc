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
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"

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

void FillSpec(const v1::ClusterSpec& spec, v1::ClusterSpec* of_plan) {
  if (spec.connect().has_version()) {
    of_plan->mutable_connect()->set_version(PlainVersion(spec.connect().version()));
  }
  of_plan->set_enforcement(spec.enforcement());
  // Where it is known which file system is to be mounted, that it is has to be known, too.
  if (spec.storage().source_case() != v1::StorageSpec::SOURCE_NOT_SET) {
    of_plan->mutable_storage()->set_mount_point(spec.storage().mount_point());
  }
  *of_plan->mutable_nodes() = spec.nodes();
  *of_plan->mutable_load_balancer() = spec.load_balancer();
  *of_plan->mutable_rollout() = spec.rollout();
  *of_plan->mutable_rules() = spec.rules();
}

// Those for which Connect has to rest come first.
void FillConvergence(const v1::Convergence& said, v1::Convergence* of_plan) {
  *of_plan = said;
  if (said.changes_size() <= kMostChangesPlanned) return;
  std::stable_partition(of_plan->mutable_changes()->begin(), of_plan->mutable_changes()->end(),
                        [](const v1::Change& change) { return !change.interrupts().empty(); });
  of_plan->mutable_changes()->DeleteSubrange(kMostChangesPlanned,
                                             said.changes_size() - kMostChangesPlanned);
}

void FillService(const v1::ServiceReport& service, v1::PlanNode* plan) {
  plan->set_gate(service.gate_open() ? v1::GATE_OPEN : v1::GATE_CLOSED);
  plan->set_gate_reason(service.gate_reason());
  if (service.jobs_known()) plan->set_jobs(service.jobs());
  plan->set_start_failed(service.start_failed());
}

// But for its facts.
void FillSaidForPlan(const KnownNode& known, const v1::Desired& desired, v1::PlanNode* plan) {
  plan->set_heard(known.heard);
  plan->set_own_lineage(known.said.own_lineage);
  plan->set_odd(IsOdd(desired, known.said));
  plan->set_ahead(IsAhead(desired, known.said));
  plan->set_standing(WhyLeftAlone(desired, known.said));
  if (known.taken && known.taken->lineage() == desired.lineage() && !plan->odd()) {
    *plan->mutable_obeys() = *known.taken;
  }
  if (known.said.convergence != nullptr) {
    FillConvergence(*known.said.convergence, plan->mutable_convergence());
  }
  plan->set_can_serve(known.can_serve);
  if (known.service != nullptr) FillService(*known.service, plan);
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

}  // namespace

std::vector<PlanLook> Roster::LookForPlan(Time now, v1::PlanInput* input) const {
  const auto desired = InForce();
  *input->mutable_now() = ToProto(now);
  input->set_lineage(store_.lineage());
  input->set_epoch(store_.epoch());
  input->set_generation(desired->generation());
  FillSpec(desired->spec(), input->mutable_spec());
  std::vector<PlanLook> looks;
  std::vector<Time> enrolled_at;
  for (const NodePointer& node : Nodes()) {
    PlanLook look;
    Time enrolled{};
    if (!FillPlanNode(*node, *desired, now, input->add_nodes(), &look, &enrolled)) {
      input->mutable_nodes()->RemoveLast();
      continue;
    }
    looks.push_back(std::move(look));
    enrolled_at.push_back(enrolled);
  }
  Rank(enrolled_at, input);
  return looks;
}

bool Roster::FillPlanNode(const Node& node, const v1::Desired& desired, Time now,
                          v1::PlanNode* plan, PlanLook* look, Time* enrolled_at) const {
  const auto stale_after = StaleAfter();
  std::shared_ptr<const HeldFacts> held;
  {
    std::lock_guard lock(node.mutex);
    const KnownNode& known = node.known;
    if (known.removed || node.record == nullptr) return false;
    if (node.record->has_enrolled_at()) *enrolled_at = FromProto(node.record->enrolled_at());
    held = known.facts;
    look->admission = node.admission;
    if (held != nullptr) look->machine_id = held->machine_id;
    look->changed_at = std::max(node.changed_at, spec_changed_at_.load());
    FillSaid(node.name, known, plan->mutable_brief());
    FillSaidForPlan(known, desired, plan);
    look->obeys = known.taken.has_value();
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
  *plan->mutable_brief()->mutable_facts() = BriefOf(*held, desired);
  return true;
}

absl::Status Roster::CheckRemoval(const std::string& name, Time now) const {
  const NodePointer node = Find(name);
  if (node == nullptr || InForce()->spec().enforcement() != v1::ENFORCE) return absl::OkStatus();
  std::lock_guard lock(node->mutex);
  const bool is_released = node->assigned != nullptr && node->assigned->release();
  const CountedFacts counted = Count(node->known, StaleAfter(), now);
  if (is_released || counted.facts == nullptr || Seen(counted.facts->unit) != v1::CONNECT_RUNS) {
    return absl::OkStatus();
  }
  const std::string operand = ShellOperand(name) + " --reason TEXT";
  return absl::FailedPreconditionError(absl::StrCat(
      "Connect runs on ", name,
      ", and would go on there with nobody who looks: its gate stays open, and another version may "
      "be started beside it\nfix: first connect-ha node stop ",
      operand, "; where only Connect is to go on, by itself: connect-ha release ", operand,
      "; all the same: connect-ha node remove --force ", operand));
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
