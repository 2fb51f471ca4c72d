#pragma once

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// `facts` where they are no larger than `limit` bytes: the coordinator would refuse the whole
// report, and with it the node. Else without their largest parts, which are then unobserved for
// that reason: whoever can make one part of a node large does not hide the others.
v1::Facts LimitReport(v1::Facts facts, size_t limit);

}  // namespace connect_ha
