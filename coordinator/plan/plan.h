// What each node is to be. Pure, and computed anew every time from what is given: there is no
// stored list of steps that could be out of date.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/state.pb.h"

namespace connect_ha {

// A node may hold a generation that is so much above the newest (of a store that is an older copy
// now); beyond that it is none that anybody gave.
inline constexpr uint64_t kGenerationsAbove = 1000;

// What a node said of itself last.
struct Reported {
  v1::NodeState state = v1::NODE_STATE_UNSPECIFIED;
  uint64_t generation = 0;  // of the specification that it holds; 0: none
  // The generation counts in the coordinator's own store, as far as is known: a node of release 0.1
  // does not say.
  bool own_lineage = true;
  // Desired.applied_at of that specification; absent: not said.
  std::optional<google::protobuf::Timestamp> applied_at;
  // It has taken an order above all that this coordinator has given.
  bool order_ahead = false;
  // What it says that it goes by, where nobody can have given it that: "order 9.1, the latest is
  // 2.5"; "": nothing.
  std::string odd;
  v1::Allow allow = v1::ALLOW_UNSPECIFIED;
  // Null: it has not said.
  std::shared_ptr<const v1::Convergence> convergence;
};

// What the plan looks at of a node's facts.
struct UnitSeen {
  std::string unknown;  // why it cannot be said whether Connect runs; "": it can
  bool exists = false;
  std::string state;  // systemd's word: active, inactive, failed...
};
UnitSeen LookAtUnit(const v1::Facts& facts);

struct Assigned {
  v1::NodeState state = v1::OBSERVED;
  // Why it is not further than this, for a person: "Connect runs here, ..."; "" when nothing holds
  // it back.
  std::string reason;
};

// Whether the node goes by something that is not of this coordinator's history: its store was
// restored from an older copy, or made anew. Only what a person applies from then on moves the
// node. An odd one is not ahead.
bool IsAhead(const v1::Desired& desired, const Reported& node);
// It speaks of a generation or an order that nobody gave it. That counts for nothing, and nothing
// that is applied moves the node.
bool IsOdd(const v1::Desired& desired, const Reported& node);

// `desired` is in force; generation 0: nothing was applied.
//
//   the node is odd or ahead                      what the node is
//   no specification, or one that only observes   OBSERVED
//   the node allows no more than to observe       OBSERVED
//   Connect runs on the node                      OBSERVED: nothing is changed under it
//   whether it runs is not known                  what the node is: unknown alone never promotes
//   every resource of this generation is right    READY
//   else                                          PREPARING
Assigned AssignState(const v1::Desired& desired, const Reported& node, const UnitSeen& unit);

}  // namespace connect_ha
