// Of a step: what the node is told to be, and by which order.
#pragma once

#include <string>

#include "coordinator/cluster/node/step.h"

namespace connect_ha {

// The node has taken an order of this store that is later than all that it can have been given
// here.
bool HoldsLaterOrder(const v1::HeartbeatRequest& request, const StepInputs& inputs);

// Reported.odd: an order of this store that is none, or a specification that was applied later than
// now.
std::string WhatNobodyGave(const v1::HeartbeatRequest& request, const StepInputs& inputs);

// Fills in the assignment, its order and the specification; tells what changed of it.
void GiveOrders(const v1::HeartbeatRequest& request, const StepInputs& inputs, StepResult& result);

}  // namespace connect_ha
