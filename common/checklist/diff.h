// How two nodes differ.
#pragma once

#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

struct Difference {
  v1::Difference message;
  // Whether the value could be read; else it may be the same.
  bool a_known = true;
  bool b_known = true;
};

// What two nodes of one cluster should have in common and do not: first what breaks a rule, in
// the order of the table, then the rest by path. A value that could not be observed shows as
// "unknown: REASON" and breaks no rule, since it may be the same. Pure: whether the facts are
// fresh is for the caller to say.
std::vector<Difference> Diff(const v1::NodeSnapshot& a, const v1::NodeSnapshot& b);

}  // namespace connect_ha
