// What the agent does to go from the state that it has reached to the one that it is assigned. One
// row for every pair: a node that was away, or lost what it held, may be told any state from any.
// Every transition may be begun again until it succeeds. Pure.
#pragma once

#include <vector>

#include "connect_ha/v1/state.pb.h"

namespace connect_ha {

// What is to become of Connect's unit.
enum class UnitWanted {
  kAsItIs,   // neither started nor stopped, nor masked or unmasked
  kHeld,     // stopped, then masked
  kRunning,  // unmasked, enabled, and active, by a start that the preflight let through
};

// What /healthz answers. Of a node that is told to serve `closed`: kClosed.
enum class GateWanted {
  kAsConnect,  // 200 where Connect answers on its own port
  kClosed,     // 503
  kOpen,       // 200 where Connect answers and no rule that closes the gate fails here
};

struct Transition {
  v1::NodeState from;
  v1::NodeState to;
  GateWanted gate;  // from the moment on at which `to` is assigned
  UnitWanted unit;
  // Resources are changed: all, or those for which Connect need not be stopped.
  enum Resources { kNone, kWithoutRestart, kAll } resources;
  const char* does;  // for people, in the order in which it is done
};

// Each pair of states once.
const std::vector<Transition>& Transitions();
// Null: one of them is no state.
const Transition* FindTransition(v1::NodeState from, v1::NodeState to);

}  // namespace connect_ha
