// What a turn may do, by what the node is told and by what it has been. Pure.
#pragma once

#include "agent/assignment/transitions.h"
#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

struct Course {
  GateWanted gate = GateWanted::kAsConnect;
  UnitWanted unit = UnitWanted::kAsItIs;
  Transition::Resources resources = Transition::kNone;
  // A Connect that runs is stopped, to be held. Never of a node that was only observed: who started
  // it there was not asked, and its gate goes on as Connect does. But where it is told to stop it
  // is, whatever it was.
  bool may_stop = false;
  // What was put around Connect's unit is taken away.
  bool release = false;

  bool acts() const {
    return unit != UnitWanted::kAsItIs || resources != Transition::kNone || release;
  }
};

// `from`: the state that it has reached last.
Course CourseOf(const v1::Assignment& orders, v1::NodeState from, v1::Allow allow);

}  // namespace connect_ha
