// What is written down of a decision: the assignments with their orders, and what is remembered.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/course.h"

namespace connect_ha {

struct Decided {
  Move move;
  std::vector<std::string> fenced_by;  // the rules, where rules fence it now
  bool start_failed = false;           // it leaves since Connect does not start
};

// One for each member. What is given anew has one serial, above what its node has taken; what stays
// keeps its order, however often the coordinator starts.
v1::Decision Write(Situation& situation, const std::vector<Decided>& decided);

// What was said, which words ended, and when the next decision is due: once nothing is added any
// more.
void Finish(Situation& situation, v1::Decision& decision);

}  // namespace connect_ha
