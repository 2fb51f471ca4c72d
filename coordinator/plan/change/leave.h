// Why a node is to leave service for a change of the cluster.
#pragma once

#include <optional>
#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

struct ForChange {
  std::string why;
  v1::NodeState to = v1::DRAINING;
  bool downtime = false;  // fewer than minimum_serving may be left
  bool start_failed = false;
};

// Of one that takes users: it is to be stopped as all are, or its turn has come; nullopt: neither,
// and `waits` says what keeps it from its turn, where it is to be changed.
std::optional<ForChange> LeavesForChange(Situation& situation, const Change& change,
                                         const Member& member, std::string& waits);

// It was away while the others went on together, and runs what it ran before, which the database
// takes no more, or with another database, key or data directory: why it is to be stopped, at once
// and ahead of whatever is paused or has gone wrong. "": that is not so, or nobody but a person
// stops it, which is said.
std::string WhyTooOld(Situation& situation, const Change& change, const Member& member);

}  // namespace connect_ha
