// The states that a node can be told to be, as tables that print themselves.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/state.pb.h"

namespace connect_ha {

struct StateRow {
  v1::NodeState state;
  const char* name;     // "serving", as `connect-ha status` has it
  const char* meaning;  // "takes traffic"
  const char* unit;     // Connect's: "masked, stopped"
  const char* gate;     // what /healthz answers
  const char* leaves;   // who may leave it, and when
};

// In the order of NodeState.
const std::vector<StateRow>& States();
// Null: it is none.
const StateRow* FindState(v1::NodeState state);

// A way from one state to another that a node can be told to go.
struct Way {
  v1::NodeState from;
  v1::NodeState to;
  const char* when;
};
const std::vector<Way>& Ways();
// Staying is one, too.
bool IsWay(v1::NodeState from, v1::NodeState to);

// For README.md; for graphviz.
std::string StatesMarkdown();
std::string StatesDot();

}  // namespace connect_ha
