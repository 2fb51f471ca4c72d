// What the newest generation asks of the cluster, for people.
#pragma once

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/next/kind.h"

namespace connect_ha {

// Of one that is not begun.
v1::Outlook OutlookOf(const Situation& situation, const NextKind& next);

}  // namespace connect_ha
