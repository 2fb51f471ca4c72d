// Who serves.
#pragma once

#include <cstddef>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// The load balancer asks Connect, not the gates.
bool AsksConnect(const v1::ClusterSpec& spec);
// The load balancer sends nobody there; false where it asks Connect itself.
bool GateIsClosed(const v1::PlanInput& input, const v1::PlanNode& node);
// Heard, fresh, answers, its gate open and told to be so, and told to be what it reports. What is
// not known does not serve.
bool IsServing(const v1::PlanInput& input, const Member& member);
// A person said so, and nothing that counts says otherwise.
bool IsGone(const Member& member);
// It may run Connect, now or once it is heard again: it is to, it does, or that is not known.
bool MayRunConnect(const Situation& situation, const Member& member);
bool AnotherServes(const Situation& situation, const Member& member);
// Connect does not answer there, and has not for a while: one late answer is not enough.
bool IsDown(const Situation& situation, const Member& member);
// Connect rests there for longer than it takes somebody, or a boot, to start it anew. Where there
// is no unit, nothing runs. Of a node that is fresh, and whose Connect rests.
bool RestsForLong(const Situation& situation, const Member& member);
// That serve, or of which that is not known to be otherwise for more than a moment.
size_t OthersThatMayServe(const Situation& situation, const Member& member);
// No other serves, nor may, and that is not for a moment only: not even one of which little is
// known.
bool IsAlone(const Situation& situation, const Member& member);

// minimum_serving, and never none.
size_t MinimumServing(const v1::ClusterSpec& spec);

}  // namespace connect_ha
