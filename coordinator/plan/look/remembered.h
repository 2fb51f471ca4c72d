// Where nodes begin from: what is remembered of them, against what they say that they obey.
#pragma once

#include <cstdint>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

inline constexpr char kOlderStore[] =
    "a node goes by a later order than this coordinator's store has given: the store is an older "
    "copy, and nothing moves by that";

inline constexpr char kHowNodesMoveAgain[] =
    "connect-ha apply has the nodes moved again; first: connect-ha status, connect-ha spec show";

// It goes by an order.
bool HasTaken(const v1::PlanNode& node);

// Fills in the members, with their memory and words.
void Remember(const v1::PlanInput& input, Situation& situation);
// Whether the store is an older copy. What was applied since that was found lets the nodes go: they
// begin as what they are.
void FindRestored(Situation& situation);
// As of Member.position.
v1::NodeState PositionOf(const v1::PlanNode& node, const v1::NodeMemory& memory, uint64_t epoch);

}  // namespace connect_ha
