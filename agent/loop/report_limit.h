#pragma once

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// `facts` where they are no larger than `limit` bytes. Else facts of which nothing is observed, for
// that reason, which names the largest part: the coordinator would refuse the whole report, and
// with it the node.
v1::Facts LimitReport(v1::Facts facts, size_t limit);

}  // namespace connect_ha
