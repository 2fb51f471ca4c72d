#include "coordinator/cluster/node/step.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/heartbeat.h"
#include "common/text/short_text.h"
#include "coordinator/cluster/node/bounds.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/cluster/node/plan_sees.h"
#include "coordinator/cluster/node/step_order.h"

namespace connect_ha {
namespace {

// While something is under way: its progress is watched.
constexpr uint32_t kBusyHeartbeatMs = 1000;
// A node that did not say where it stands is asked again after this.
constexpr std::chrono::seconds kAskConvergenceAgain{60};
// Numbers of changes are signed in stores.
constexpr uint64_t kLastNumber = INT64_MAX;

std::string Name(const std::string& said) { return ShortText(said, kNameBytes); }

// The facts held are those that the node says it has.
bool Holds(const KnownNode& node, const v1::HeartbeatRequest& request) {
  const HeldFacts* facts = node.facts.get();
  return facts != nullptr && !facts->digest.empty() &&
         facts->digest == Name(request.facts_digest()) &&
         facts->machine_id == Name(request.machine_id()) &&
         facts->boot_id == Name(request.boot_id());
}

void Tell(KnownNode& node, v1::Event::Kind kind, const std::string& name, const std::string& text,
          Time now, std::vector<v1::Event>& events) {
  TellOrWait(node.pace, MakeEvent(kind, name, text, now), now, events);
}

bool NoteConflict(KnownNode& node, const std::string& name, Time now,
                  std::vector<v1::Event>& events) {
  if (node.claimants.conflict() == node.in_conflict) return false;
  node.in_conflict = !node.in_conflict;
  node.clock.Clear();  // of which machine?
  Tell(node, v1::Event::NODE_CONFLICT, name,
       node.in_conflict ? ConflictText(node)
                        : "one machine is left under this name: " + node.claimants.Describe(),
       now, events);
  return true;
}

// What is said while it goes on (steps, retries of one trouble) is no event, nor is the first that
// is heard of a node since the coordinator started: it may have been told before.
bool NoteConvergence(KnownNode& node, const std::string& name, const v1::Convergence& said,
                     Time now, std::vector<v1::Event>& events) {
  const bool first = node.said.convergence == nullptr;
  node.said.convergence = std::make_shared<const v1::Convergence>(Bounded(said));
  const bool retried =
      said.state() == v1::Convergence::CHANGING && node.told_state == v1::Convergence::WAITING;
  if (said.state() == v1::Convergence::LOOKING || retried) return false;
  std::string text = ConvergenceText(*node.said.convergence);
  if (said.state() == node.told_state && text == node.told_text) return false;
  node.told_state = said.state();
  node.told_text = text;
  if (first) return false;
  Tell(node, v1::Event::CONVERGENCE_CHANGED, name, text, now, events);
  return true;
}

void TakeSigners(const v1::HeartbeatRequest& request, KnownNode& node) {
  if (request.trusted_signers().empty()) return node.trusted_signers.reset();
  std::vector<std::string> signers;
  for (const std::string& signer : request.trusted_signers()) {
    if (signers.size() == kMostSignersKept) break;
    signers.push_back(Name(signer));
  }
  if (node.trusted_signers != nullptr && *node.trusted_signers == signers) return;
  node.trusted_signers = std::make_shared<const std::vector<std::string>>(std::move(signers));
}

void TakeOrder(const v1::HeartbeatRequest& request, KnownNode& node) {
  node.taken.reset();
  const v1::Order& order = request.order();
  if (order.epoch() == 0 && order.serial() == 0) return;
  node.taken = order;
  node.taken->set_lineage(Name(order.lineage()));
}

void TakeService(const v1::HeartbeatRequest& request, KnownNode& node) {
  node.can_serve = request.can_serve();
  if (!request.has_service()) return node.service.reset();
  const bool counts_anew =
      node.service != nullptr && request.service().refused() < node.service->refused();
  if (counts_anew && !node.refused_before && !node.in_conflict) {
    node.refused_before = node.service->refused();
  }
  v1::ServiceReport service = request.service();
  service.set_gate_reason(ShortText(service.gate_reason(), kTextBytes));
  service.set_start_failed(ShortLines(service.start_failed(), kMostLogBytes));
  if (service.has_newest_start()) {
    v1::NewestStart& start = *service.mutable_newest_start();
    start.set_version(Name(start.version()));
    start.mutable_order()->set_lineage(Name(start.order().lineage()));
  }
  node.service = std::make_shared<const v1::ServiceReport>(std::move(service));
}

void TakeSaid(const v1::HeartbeatRequest& request, const StepInputs& in, KnownNode& node) {
  Reported& said = node.said;
  said.state = request.reported_state();
  said.generation = request.reported_generation();
  // What it holds since release 0.1 has no lineage: that of its orders tells then whose it is.
  const auto is_own = [&in](const std::string& lineage) {
    return lineage.empty() || lineage == in.desired.lineage();
  };
  said.own_lineage = is_own(request.reported_lineage()) && is_own(request.order().lineage());
  said.applied_at.reset();
  if (request.has_reported_applied_at()) said.applied_at = request.reported_applied_at();
  said.order_ahead = HoldsLaterOrder(request, in);
  said.odd = WhatNobodyGave(request, in);
  said.allow = request.allow();
  TakeOrder(request, node);
  TakeService(request, node);
  node.agent_version = Name(request.agent_version());
  TakeSigners(request, node);
  if (request.has_last_exchange()) node.clock.Add(request.last_exchange());
}

// With its facts it says all that it has to say.
void TakeStaged(const v1::HeartbeatRequest& request, const StepInputs& in, KnownNode& node) {
  if (node.in_conflict) return;
  if (request.has_ahead()) {
    node.staged = std::make_shared<const v1::Ahead>(Bounded(request.ahead()));
  } else if (in.report != nullptr) {
    node.staged.reset();
  }
}

// Notes that the node called.
void Hear(const v1::HeartbeatRequest& request, const StepInputs& in, StepResult& result) {
  KnownNode& node = result.after;
  const std::string& name = request.node();
  if (!node.heard || node.lost) result.changed = true;
  if (std::exchange(node.lost, false) && std::exchange(node.loss_told, false)) {
    const auto away = node.last_seen ? in.now - *node.last_seen : std::chrono::microseconds(0);
    // As the loss: whatever else there was of it, this is told.
    result.events.push_back(MakeEvent(v1::Event::NODE_BACK, name,
                                      absl::StrCat("back after ", FormatSpan(away)), in.now));
  }
  node.claimants.Heard(Name(request.machine_id()), Name(request.boot_id()), in.address, in.now);
  node.claimants.ForgetBefore(in.now - in.stale_after);
  if (NoteConflict(node, name, in.now, result.events)) result.changed = true;
  const bool was_away = node.heard && node.last_seen && in.now - *node.last_seen >= kAwayFor;
  if (was_away) node.back_at = in.now;
  node.last_seen = in.now;
  node.heard = true;
  TakeSaid(request, in, node);
  TakeStaged(request, in, node);
  if (!request.has_convergence() || node.in_conflict) return;
  if (NoteConvergence(node, name, request.convergence(), in.now, result.events)) {
    result.changed = true;
  }
}

void TakeReport(const v1::HeartbeatRequest& request, const StepInputs& in, StepResult& result) {
  KnownNode& node = result.after;
  if (in.report != nullptr && !node.in_conflict) {
    const bool is_other = !Holds(node, request);
    if (in.store_works || !is_other) {
      result.store_report = is_other;
      const std::string told = node.facts == nullptr ? "" : node.facts->let_through;
      node.facts = in.report;
      const std::string& let_through = node.facts->let_through;
      if (!let_through.empty() && let_through != told) {
        Tell(node, v1::Event::PREFLIGHT_OVERRIDDEN, request.node(), let_through, in.now,
             result.events);
      }
      result.changed = true;
    }
  }
  if (Holds(node, request)) {
    node.outdated_since.reset();
  } else if (!node.outdated_since) {
    node.outdated_since = in.now;
  }
}

// As many as there is room for. The node keeps what was not taken, and says it again: nothing is
// lost by that.
void TakeChanges(const v1::HeartbeatRequest& request, const StepInputs& in, StepResult& result) {
  KnownNode& node = result.after;
  if (!node.in_conflict && in.store_works) {
    uint64_t last = node.changes_taken;
    for (const v1::ChangeMade& made : request.changes_made()) {
      if (made.number() <= last) continue;
      const bool taken = made.number() <= kLastNumber &&
                         node.pace.Take(1, in.now, kEventsPerMinute - kChangesPerMinute) == 1;
      if (!taken) break;
      last = made.number();
      result.changes.push_back({last, MakeChangeEvent(request.node(), made, in.now)});
    }
    node.changes_taken = last;
  }
  result.answer.set_changes_taken(node.changes_taken);
}

void Answer(const v1::HeartbeatRequest& request, const StepInputs& in, StepResult& result) {
  KnownNode& node = result.after;
  v1::HeartbeatResponse& answer = result.answer;
  answer.set_next_heartbeat_ms(static_cast<uint32_t>(kHeartbeatInterval.count()));
  answer.set_coordinator_received_us(in.now.time_since_epoch().count());
  answer.set_takes_facts_bytes(true);
  answer.set_proof_challenge(in.challenge);
  for (const std::string& beacon : in.forget) answer.add_forget_beacons(beacon);
  if (in.refresh > request.gathered()) answer.set_gather(in.refresh);
  if (node.in_conflict) {
    answer.set_conflict(ConflictText(node));
  } else if (Holds(node, request)) {
    node.gathered = std::max(node.gathered, request.gathered());
  } else {
    answer.set_send_facts(true);
  }
  const v1::Convergence* convergence = node.said.convergence.get();
  const bool changes = convergence != nullptr && convergence->state() == v1::Convergence::CHANGING;
  const bool gets_ready = node.staged != nullptr && node.staged->has_step();
  if (changes || gets_ready) answer.set_next_heartbeat_ms(kBusyHeartbeatMs);
  const bool silent = in.desired.generation() > 0 && convergence == nullptr && !node.in_conflict &&
                      request.reported_generation() == in.desired.generation();
  if (silent &&
      (!node.convergence_asked_at || in.now - *node.convergence_asked_at > kAskConvergenceAgain)) {
    node.convergence_asked_at = in.now;
    answer.set_send_facts(true);
  }
}

}  // namespace

StepResult Step(const KnownNode& before, const v1::HeartbeatRequest& request,
                const StepInputs& inputs) {
  StepResult result;
  result.after = before;
  TellWaiting(result.after.pace, request.node(), inputs.now, result.events);
  Hear(request, inputs, result);
  TakeReport(request, inputs, result);
  Answer(request, inputs, result);
  GiveOrders(request, inputs, result);
  TakeChanges(request, inputs, result);
  result.plan_changed = result.changed || !PlanSeesTheSame(before, result.after);
  return result;
}

namespace {

// What is of a time to come was so before the clock was set back. It is counted from now on, or a
// node that died just then would be heard for as long as the clock takes to come there again.
void FollowClock(KnownNode& node, std::chrono::microseconds stale_after, Time now) {
  const Time long_ago = now - stale_after - std::chrono::microseconds(1);
  if (*node.last_seen > now) node.last_seen = node.lost ? long_ago : now;
  if (node.outdated_since && *node.outdated_since > now) node.outdated_since = now;
}

}  // namespace

bool Age(KnownNode& node, const std::string& name, std::chrono::microseconds stale_after,
         Time started, Time now, std::vector<v1::Event>& events) {
  TellWaiting(node.pace, name, now, events);
  if (node.removed || !node.last_seen) return false;
  FollowClock(node, stale_after, now);
  node.claimants.ForgetBefore(now - stale_after);
  bool changed = NoteConflict(node, name, now, events);
  // What happened while the coordinator was away is not known: count from its start.
  const Time from = node.heard ? *node.last_seen : std::max(*node.last_seen, started);
  if (now - from > stale_after && !node.loss_told) {
    changed = changed || !node.lost;
    node.lost = node.loss_told = true;
    // Whatever else there was of it: this is told.
    events.push_back(MakeEvent(v1::Event::NODE_LOST, name,
                               absl::StrCat("not heard for ", FormatSpan(now - from)), now));
  }
  return changed;
}

void Forget(KnownNode& node) {
  KnownNode forgotten;
  forgotten.changes_taken = node.changes_taken;
  forgotten.pace = node.pace;
  node = std::move(forgotten);
}

}  // namespace connect_ha
