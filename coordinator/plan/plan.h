// What each node is to be. Pure, and computed anew every time from what is given: there is no
// stored list of steps that could be out of date.
#pragma once

#include <string>

#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/state.pb.h"

namespace connect_ha {

struct Assigned {
  v1::NodeState state = v1::OBSERVED;
  // Why it is not further than this, for a person: "Connect runs here, ..."; "" when nothing holds
  // it back.
  std::string reason;
};

// Whether the node holds a specification that is not of this coordinator's history: its store was
// restored from an older copy, or made anew. Only what is applied from then on moves the node.
bool IsAhead(const v1::Desired& desired, const v1::NodeSnapshot& node);

// `desired` is in force; generation 0: nothing was applied. `node` as the node last said
// (reported_*, convergence, claimants); its own facts are not looked at but `facts` are: null when
// none are known.
//
//   the node is ahead                             what the node is
//   no specification, or one that only observes   OBSERVED
//   the node allows no more                       OBSERVED
//   Connect runs on the node                      OBSERVED: nothing is changed under it
//   whether it runs is not known                  what the node is: unknown alone never promotes
//   every resource of this generation is right    READY
//   else                                          PREPARING
Assigned AssignState(const v1::Desired& desired, const v1::NodeSnapshot& node,
                     const v1::Facts* facts);

}  // namespace connect_ha
