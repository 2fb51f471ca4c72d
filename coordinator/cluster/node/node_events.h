// What is told of nodes, in words. All of them are short, whatever the node said.
#pragma once

#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/state.pb.h"

namespace connect_ha {

// By the coordinator.
v1::Event MakeEvent(v1::Event::Kind kind, const std::string& node, const std::string& text,
                    Time now);
// A change that the node made; a time that lies ahead of `now` is `now`.
v1::Event MakeChangeEvent(const std::string& node, const v1::ChangeMade& made, Time now);

// "preparing"
std::string StateName(v1::NodeState state);

// "generation 3: changing", "generation 3: stuck: package rstudio-connect: digest differs". The
// same for what is the same but for how far it is.
std::string ConvergenceText(const v1::Convergence& convergence);

// "package rstudio-connect: absent -> 2024.08.0 (generation 3, in 1m 12s, of it 20s download, 1s
// verification)".
std::string ChangeText(const v1::ChangeMade& made);

}  // namespace connect_ha
