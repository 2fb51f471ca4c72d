// Why a change goes on, waits or halts, in words, and what to type then.
#pragma once

#include <string>
#include <vector>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

void Stand(v1::RolloutStatus& status, v1::RolloutStatus::Standing standing,
           const std::string& reason, const std::vector<std::string>& fixes);

// A person may say that its machine is no more: it is not heard, nor its call awaited; or it never
// was, and is waited for.
bool MayBeNoMore(const Member& member);
std::string WhereItIsNoMore(const std::string& node);

// Nobody may go first, or serves: `waits`, and what keeps each member from it. Whoever goes first
// may be held by a person, as all others are. `back`: what leads back; "": nothing.
void StandNobody(const Situation& situation, const std::string& waits, const std::string& back,
                 v1::RolloutStatus& status);

// Of one that is under way, as it is with this decision; the nodes of `status` are filled in.
// There is always a reason.
void StandUnderWay(const Situation& situation, const Change& change, const v1::Decision& decision,
                   v1::RolloutStatus& status);

}  // namespace connect_ha
