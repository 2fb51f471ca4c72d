#include "coordinator/cluster/node/step_order.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/cluster/node/generations.h"
#include "coordinator/cluster/node/node_events.h"

namespace connect_ha {
namespace {

// An epoch is about the microsecond in which a coordinator took its store up (Store::epoch): one
// that lies ahead by more than clocks differ is none. Nor was anything applied so long after now.
constexpr std::chrono::microseconds kClocksDiffer = std::chrono::hours(24);

bool IsOwn(const v1::HeartbeatRequest& request, const StepInputs& in) {
  return request.has_order() && request.order().lineage() == in.desired.lineage();
}

// (epoch, serial) of a is later.
bool IsLater(const v1::Order& a, uint64_t epoch, uint64_t serial) {
  return a.epoch() != epoch ? a.epoch() > epoch : a.serial() > serial;
}

bool IsOddOrder(const v1::HeartbeatRequest& request, const StepInputs& in) {
  if (!IsOwn(request, in)) return false;
  const v1::Order& held = request.order();
  if (held.epoch() == in.epoch) return held.serial() > in.serial;
  const auto now = static_cast<uint64_t>(in.now.time_since_epoch().count());
  return held.epoch() > std::max(in.epoch, now) + static_cast<uint64_t>(kClocksDiffer.count());
}

// Whatever is applied would be older than that, for ever.
bool IsYetToCome(const google::protobuf::Timestamp& applied_at, const StepInputs& in) {
  return FromProto(applied_at) >
         std::max(in.now, FromProto(in.newest.applied_at())) + kClocksDiffer;
}

// Told when it begins and when it ends.
void NoteStanding(const std::string& name, bool odd, bool ahead, const std::string& why, Time now,
                  StepResult& result) {
  KnownNode& node = result.after;
  if (std::exchange(node.odd, odd) != odd) {
    TellOrWait(node.pace,
               MakeEvent(v1::Event::NODE_ORDERS_ODD, name,
                         odd ? why : "what it says that it goes by is no longer odd", now),
               now, result.events);
  }
  if (std::exchange(node.ahead, ahead) != ahead) {
    TellOrWait(node.pace,
               MakeEvent(v1::Event::NODE_AHEAD, name, ahead ? why : "it is no longer ahead", now),
               now, result.events);
  }
}

bool IsSame(const v1::Order& a, const v1::Order& b) {
  return a.epoch() == b.epoch() && a.serial() == b.serial() && a.lineage() == b.lineage();
}

// It stays what it is. Who has taken an order is told no state, since on its way to another one it
// would turn back. An agent of release 0.1 takes none.
void LeaveAsItIs(const v1::HeartbeatRequest& request, const StepInputs& in,
                 v1::HeartbeatResponse& answer) {
  answer.set_assigned_generation(request.reported_generation());
  if (IsOwn(request, in)) *answer.mutable_order() = request.order();
  const v1::Order& taken = request.order();
  if (taken.epoch() != 0 || taken.serial() != 0) return;
  const v1::NodeState said = request.reported_state();
  answer.set_assigned_state(said == v1::PREPARING || said == v1::READY ? said : v1::OBSERVED);
}

// Of two machines under one name only the one that goes by what was given: neither gets anything
// new. What has no order is not given yet.
bool IsGiven(const v1::HeartbeatRequest& request, const StepInputs& in, bool frozen) {
  if (in.assigned == nullptr || !in.assigned->has_order()) return false;
  return !frozen || IsSame(request.order(), in.assigned->order());
}

void Tell(const v1::NodeAssignment& assigned, const GateTerms& terms,
          v1::HeartbeatResponse& answer) {
  answer.set_no_other_serves(terms.no_other_serves.value_or(false));
  answer.set_others_not_known(!terms.no_other_serves);
  for (const auto& [rule, until] : terms.waived) {
    v1::WaivedRule& waived = *answer.add_waived();
    waived.set_rule(rule);
    if (until) *waived.mutable_until() = ToProto(*until);
  }
  answer.set_assigned_state(assigned.state());
  answer.set_assigned_generation(assigned.generation());
  answer.set_assigned_reason(assigned.reason());
  if (assigned.has_since()) *answer.mutable_assigned_since() = assigned.since();
  answer.set_release(assigned.release());
  answer.set_closed(assigned.closed());
  if (assigned.has_database_restored()) {
    *answer.mutable_database_restored() = assigned.database_restored();
  }
  answer.set_not_before(assigned.not_before());
  *answer.mutable_order() = assigned.order();
}

// All that there is to get ready for.
bool IsToBeReadyFor(const StepInputs& in) {
  return HasNext(in.desired, in.newest) && in.newest.spec().enforcement() == v1::ENFORCE;
}

// What is in force comes first, and not both in one answer: each may be of a megabyte.
void GiveSpecs(const v1::HeartbeatRequest& request, const StepInputs& in, const KnownNode& node,
               v1::HeartbeatResponse& answer) {
  const uint64_t assigned = in.assigned->generation();
  const bool holds = node.said.own_lineage && request.reported_generation() == assigned;
  if (assigned == in.desired.generation() && !holds) {
    *answer.mutable_desired() = in.desired;
    return;
  }
  const bool speaks_of = node.staged != nullptr && SpeaksOf(*node.staged, in.newest);
  if (IsToBeReadyFor(in) && !speaks_of) *answer.mutable_ahead() = in.newest;
}

}  // namespace

bool HoldsLaterOrder(const v1::HeartbeatRequest& request, const StepInputs& in) {
  if (!IsOwn(request, in)) return false;
  const v1::Order& held = request.order();
  const v1::Order given = in.assigned == nullptr ? v1::Order() : in.assigned->order();
  return IsLater(held, in.epoch, in.serial) && IsLater(held, given.epoch(), given.serial());
}

std::string WhatNobodyGave(const v1::HeartbeatRequest& request, const StepInputs& in) {
  if (IsOddOrder(request, in)) {
    return absl::StrCat("order ", request.order().epoch(), ".", request.order().serial(),
                        ", the latest is ", in.epoch, ".", in.serial);
  }
  if (request.has_reported_applied_at() && IsYetToCome(request.reported_applied_at(), in)) {
    return absl::StrCat("what was applied at ", FormatUtc(FromProto(request.reported_applied_at())),
                        ", which is yet to come");
  }
  return "";
}

void GiveOrders(const v1::HeartbeatRequest& request, const StepInputs& in, StepResult& result) {
  const KnownNode& node = result.after;
  v1::HeartbeatResponse& answer = result.answer;
  const bool frozen = node.in_conflict;
  const bool is_given = IsGiven(request, in, frozen);
  if (is_given) {
    Tell(*in.assigned, in.terms, answer);
  } else {
    LeaveAsItIs(request, in, answer);
  }
  // To those that are given nothing, too: they keep what they have got ready.
  if (IsToBeReadyFor(in)) answer.set_ahead_generation(in.newest.generation());
  if (frozen) return;
  const bool odd = IsOdd(in.newest, node.said);
  const bool ahead = IsAhead(in.newest, node.said);
  NoteStanding(request.node(), odd, ahead, WhyLeftAlone(in.newest, node.said), in.now, result);
  if (is_given && !odd && !ahead) GiveSpecs(request, in, node, answer);
}

}  // namespace connect_ha
