// Faults in what the plan says, in the agent, and in what the coordinator does around the plan.
#include "tests/plan_simulation/planted_subjects.h"

namespace connect_ha::simulation {
namespace {

// What is new has the number of what was before.
void KeepOrders(const v1::PlanInput& input, v1::Decision* decision) {
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    const v1::NodeMemory* before = Remembered(input.memory(), assignment.node());
    if (before == nullptr || before->order().epoch() == 0 || !assignment.has_order()) continue;
    *assignment.mutable_order() = before->order();
    v1::NodeMemory* after = Remembered(decision->mutable_remember(), assignment.node());
    if (after != nullptr) *after->mutable_order() = before->order();
  }
}

// What is as before has another number.
void RaiseOrders(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  v1::PlanMemory* remember = decision->mutable_remember();
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    v1::NodeMemory* memory = Remembered(remember, assignment.node());
    if (memory == nullptr || !assignment.has_order()) continue;
    memory->mutable_order()->set_serial(memory->order().serial() + 1);
    assignment.mutable_order()->set_serial(memory->order().serial());
    if (memory->order().epoch() == remember->epoch() &&
        memory->order().serial() > remember->serial()) {
      remember->set_serial(memory->order().serial());
    }
  }
}

void LetNobodyEnter(const v1::PlanInput& input, v1::Decision* decision) {
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    const v1::NodeMemory* before = Remembered(input.memory(), assignment.node());
    v1::NodeMemory* after = Remembered(decision->mutable_remember(), assignment.node());
    if (before == nullptr || after == nullptr || assignment.state() != v1::SERVING) continue;
    if (before->state() == v1::SERVING || before->order().epoch() == 0) continue;
    assignment.set_state(before->state());
    assignment.set_generation(before->generation());
    *assignment.mutable_order() = before->order();
    *after = *before;
  }
}

void SaySomethingElse(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  thread_local bool other = false;
  other = !other;
  if (other) decision->add_said()->set_text("it rains");
}

void LeaveOneOut(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  if (decision->assignments_size() > 0) decision->mutable_assignments()->RemoveLast();
}

void SayNoReason(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    assignment.clear_reason();
    assignment.clear_waits_for();
  }
}

void WakeNever(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  decision->clear_wake_at();
}

void WakeForNothing(const v1::PlanInput& input, v1::Decision* decision) {
  *decision->mutable_wake_at() = input.now();
  decision->mutable_wake_at()->set_seconds(input.now().seconds() + 1);
}

}  // namespace

std::vector<Planted> PlantedInWords() {
  AgentFaults any_order;
  any_order.takes_any_order = true;
  AgentFaults unasked;
  unasked.starts_unasked = true;
  AgentFaults resumes;
  resumes.resumes_at_boot = true;
  AgentFaults early;
  early.tells_too_early = true;
  CoordinatorFaults first;
  first.publishes_first = true;
  CoordinatorFaults late;
  late.writes_late = true;
  CoordinatorFaults silent;
  silent.tells_no_terms = true;
  return {
      {"uses-an-order-twice", "an-order-means-one-thing", Saying(KeepOrders)},
      {"gives-orders-anew", "stored-is-settled", Checked(Saying(RaiseOrders))},
      {"lets-nobody-enter", "all-serve-at-the-end", Saying(LetNobodyEnter)},
      {"lets-nobody-enter-at-all", "somebody-serves-at-the-end", Saying(LetNobodyEnter)},
      {"says-another-thing", "same-input-same-decision", Checked(Saying(SaySomethingElse))},
      {"leaves-one-out", "every-member-is-told", Saying(LeaveOneOut)},
      {"says-no-reason", "what-waits-says-for-what", Saying(SayNoReason)},
      {"wakes-for-nothing", "comes-to-rest", Saying(WakeForNothing)},
      {"forgets-to-wake", "wakes-in-time", Checked(Saying(WakeNever))},
      {"takes-any-order", "orders-only-grow", WithAgent(any_order)},
      {"asks-no-preflight", "starts-only-on-the-proved-mount", WithAgent(unasked)},
      {"resumes-at-boot", "starts-only-when-told", WithAgent(resumes)},
      {"says-too-early-that-it-stopped", "nobody-is-accused-for-nothing", WithAgent(early)},
      {"tells-no-terms", "the-last-gate-stays-open", WithCoordinator(silent)},
      {"tells-before-it-stores", "what-is-told-is-stored", WithCoordinator(first)},
      {"writes-when-overtaken", "what-is-told-is-stored", WithCoordinator(late)},
  };
}

}  // namespace connect_ha::simulation
