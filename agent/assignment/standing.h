// Which of two orders holds. Pure.
#pragma once

#include <string>

#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

// Every state but OBSERVED of a specification that enforces, on a node that was not removed:
// everything else only looks.
bool MayChange(const v1::Assignment& assignment);
// Whether a state lets the node be prepared for Connect, or Connect be started. The others take it
// out of service, and hold whatever else is with an answer, or with the disk.
bool Permits(v1::NodeState state);
// MayChange by a state that permits: gone by only once it is on disk.
bool IsPermission(const v1::Assignment& assignment);
// OBSERVED, until the coordinator says again what the node is to be.
void Pause(v1::Assignment& assignment);
// `allow`, of agent.yaml, lets a node be told this state.
bool IsAllowed(v1::NodeState state, v1::Allow allow);

// How much of an answer counts on a node that holds `held`:
//
//   an order below the one held, of the same lineage            nothing
//   of the same lineage, with an older specification            what restricts
//   of another lineage, and nothing is held                     all
//   of another lineage, its specification applied later than
//   the one held                                                all
//   of another lineage, else                                    nothing
//   no lineage on either side (release 0.1), older              nothing
//   else                                                        all
//
// A coordinator whose store was restored, or made anew, takes nothing back by that, and moves the
// node again with the next specification that is applied.
enum class Standing { kNothing, kRestriction, kAll };
Standing StandingOf(const v1::Assignment& held, const v1::HeartbeatResponse& answer);

// "": not known, of release 0.1.
const std::string& LineageOf(const v1::Assignment& held);

// Whether `offered` replaces what `held` has, where the answer counts.
bool IsNewer(const v1::Desired& offered, const v1::Assignment& held);

// Whether both are one specification. Its number alone does not say: a store that was made anew, or
// restored, gives numbers again.
bool IsOneSpecification(const v1::Desired& a, const v1::Desired& b);
// What IsOneSpecification looks at, and nothing else of it.
v1::Desired IdentityOf(const v1::Desired& desired);

// Of an assignment that stands in memory (Held) and the one on disk: whether the former holds.
bool CopyPrevails(const v1::Assignment& copy, const v1::Assignment& file);

// By epoch, then serial; of one lineage.
bool IsBelow(const v1::Order& a, const v1::Order& b);

// As which generation Connect may start at the earliest, as these orders say. Unset: they do not.
v1::GenerationMark NotBeforeOf(const v1::Assignment& orders);
v1::GenerationMark MarkOf(const v1::Desired& desired);
// It is an earlier generation, or none. Of two lineages by when they were applied; where that is
// not known, it is not.
bool IsBefore(const v1::GenerationMark& mark, const v1::GenerationMark& not_before);

}  // namespace connect_ha
