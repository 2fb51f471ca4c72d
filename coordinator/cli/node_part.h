// A checklist as far as it is about one node.
#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// The findings that have evidence of the node, each judged anew by that evidence and by what no
// single node said: the worst of it is the outcome, it alone makes the summary, and `since` is not
// known. What is so of the cluster and not of any node (it has one node only) stays as it is.
v1::Checklist PartOfNode(const v1::Checklist& checklist, const std::string& node);

}  // namespace connect_ha
