// What a node says of itself, and whether that is of this coordinator's history. Pure. What it is
// to be is decided elsewhere (decide.h).
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

// Whether the node goes by something that is not of this coordinator's history: its store was
// restored from an older copy, or made anew. Only what a person applies from then on moves the
// node. An odd one is not ahead.
bool IsAhead(const v1::Desired& desired, const Reported& node);
// It speaks of a generation or an order that nobody gave it. That counts for nothing, and nothing
// that is applied moves the node.
bool IsOdd(const v1::Desired& desired, const Reported& node);

// What of that it is, for a person, and what to do; "": it is neither.
std::string WhyLeftAlone(const v1::Desired& desired, const Reported& node);

}  // namespace connect_ha
