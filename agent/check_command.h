// `connect-ha-agent check`: judges what one node alone can show.
#pragma once

#include <string>

#include "common/command/command_line.h"
#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct NodeCheck {
  std::string node;     // its name
  v1::Desired held;     // the specification that it holds; generation 0: none
  Time now;             // when the facts were read
  bool full = false;    // with what takes longer
  bool strict = false;  // advice counts for the exit code too
  bool all = false;     // the whole table
  bool json = false;
};

// Prints the checklist of a node with these facts; returns the exit code.
int PrintNodeCheck(const v1::Facts& facts, const NodeCheck& check, Terminal& terminal);

}  // namespace connect_ha
