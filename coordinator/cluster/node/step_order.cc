#include "coordinator/cluster/node/step_order.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
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
         std::max(in.now, FromProto(in.desired.applied_at())) + kClocksDiffer;
}

// Told when it begins and when it ends.
void NoteStanding(const std::string& name, bool odd, bool ahead, const Assigned& assigned, Time now,
                  StepResult& result) {
  KnownNode& node = result.after;
  if (std::exchange(node.odd, odd) != odd) {
    TellOrWait(
        node.pace,
        MakeEvent(v1::Event::NODE_ORDERS_ODD, name,
                  odd ? assigned.reason : "what it says that it goes by is no longer odd", now),
        now, result.events);
  }
  if (std::exchange(node.ahead, ahead) != ahead) {
    TellOrWait(node.pace,
               MakeEvent(v1::Event::NODE_AHEAD, name,
                         ahead ? assigned.reason : "it is no longer ahead", now),
               now, result.events);
  }
}

void NoteState(const std::string& name, const Assigned& assigned, v1::NodeState was, Time now,
               StepResult& result) {
  if (was == v1::NODE_STATE_UNSPECIFIED || was == assigned.state) return;
  const std::string text =
      absl::StrCat("to be ", StateName(assigned.state), ", was to be ", StateName(was),
                   assigned.reason.empty() ? "" : ": ", assigned.reason);
  TellOrWait(result.after.pace, MakeEvent(v1::Event::NODE_STATE_CHANGED, name, text, now), now,
             result.events);
}

// A node that holds a later order of this store, and may be moved all the same (it holds what is in
// force here, or that was applied since), gets one above its own.
void RaiseAbove(const v1::HeartbeatRequest& request, const StepInputs& in, Ordered& ordered) {
  if (!IsOwn(request, in)) return;
  const v1::Order& held = request.order();
  if (!IsLater(held, ordered.epoch, ordered.serial)) return;
  if (held.serial() < UINT64_MAX) {
    ordered.epoch = held.epoch();
    ordered.serial = held.serial() + 1;
  } else if (held.epoch() < UINT64_MAX) {
    ordered.epoch = held.epoch() + 1;
    ordered.serial = 1;
  }
}

}  // namespace

bool HoldsLaterOrder(const Ordered& ordered, const v1::HeartbeatRequest& request,
                     const StepInputs& in) {
  if (!IsOwn(request, in)) return false;
  const v1::Order& held = request.order();
  return IsLater(held, in.epoch, in.serial) && IsLater(held, ordered.epoch, ordered.serial);
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
  KnownNode& node = result.after;
  v1::HeartbeatResponse& answer = result.answer;
  const Assigned assigned =
      AssignState(in.desired, node.said, SeenUnit(node, in.stale_after, in.now));
  const bool odd = IsOdd(in.desired, node.said);
  const bool ahead = IsAhead(in.desired, node.said);
  const bool left_alone = odd || ahead;
  // Of two machines under one name neither is given anything new.
  const bool frozen = node.in_conflict;
  const uint64_t generation = frozen ? request.reported_generation() : in.desired.generation();
  answer.set_assigned_state(assigned.state);
  answer.set_assigned_generation(generation);
  const bool holds = node.said.own_lineage && request.reported_generation() == generation;
  if (!frozen && !left_alone && !holds) *answer.mutable_desired() = in.desired;

  const Ordered before = node.ordered;
  if (before.epoch == 0 || before.state != assigned.state || before.generation != generation) {
    node.ordered = {assigned.state, generation, in.epoch, in.serial + 1};
  }
  if (!left_alone && !frozen) RaiseAbove(request, in, node.ordered);
  v1::Order& order = *answer.mutable_order();
  order.set_lineage(in.desired.lineage());
  order.set_epoch(node.ordered.epoch);
  order.set_serial(node.ordered.serial);
  if (frozen) return;
  NoteStanding(request.node(), odd, ahead, assigned, in.now, result);
  NoteState(request.node(), assigned, before.state, in.now, result);
}

}  // namespace connect_ha
