// What EC2 says that it is about to do with a node's instance, and what that means for the plan.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// The notice for which the node is to be out of service now: one that comes in less time than a
// drain takes. The gravest of several, of these the soonest; null: none.
const v1::InstanceNotice* NoticeDue(Situation& situation, const Member& member);
// The instance goes, whatever is done: nobody is served by keeping it in service.
bool IsCertain(const v1::InstanceNotice& notice);
// When the node's Connect is to be stopped at the latest; unset: not said.
std::optional<Time> StopBefore(const v1::InstanceNotice& notice);

std::string TextOf(const v1::InstanceNotice& notice);

// rollout.drain_timeout.
std::chrono::microseconds DrainTimeout(const v1::ClusterSpec& spec);

}  // namespace connect_ha
