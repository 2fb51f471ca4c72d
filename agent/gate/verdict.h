// Whether a load balancer may send users to this node, by what the node itself knows. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct GateVerdict {
  bool open = false;
  std::string why;  // it is closed; "" where it is open
};

// What is known of Connect on this node.
struct ConnectLook {
  // As systemd had it just now; unset: it could not be asked.
  std::optional<v1::Unit> unit;
  // Of the latest gathering: connect.ping counts for the start that it was asked of.
  v1::ConnectFacts facts;
};

// What Connect answered counts for so long, whatever keeps it from being asked anew. It is asked
// every 5 s (GateKeeperOptions.pace) by a probe that may take 10 s (agent/probes/table.cc): one
// that is late, or did not come back once, turns nothing; after this it hangs, and so may Connect.
inline constexpr std::chrono::seconds kAnswerCounts{30};

// Connect runs, and answers on its own port. What is not known is not so.
GateVerdict JudgeConnect(const ConnectLook& look, Time now);

// Who asks, and when.
struct GateSubject {
  std::string node;
  Time now;
  // It has once served as the specification that it holds: what differs from that was changed
  // since.
  bool has_served = false;
  // What ClosedByRule said last, where that was sure; before a restart of the agent too.
  std::string closed_by = "";
};

struct RuleClosing {
  std::string text;  // "storage-is-mounted: nothing is mounted at ..."; "": no rule does
  // Nothing else was unknown of the rule: where it is later, that is what failed here.
  bool sure = false;
};

// The first rule that closes the gate of a node that serves, and fails here. Only what this node
// shows alone; nothing that is waived now. What is unknown, or only follows, closes nothing, and
// does not open what it surely closed before.
//
// Not among them is connect-version-matches, since a version that differs is no fault while no
// other one runs, which one node cannot know.
RuleClosing ClosedByRule(const v1::Facts& facts, const v1::Assignment& orders,
                         const GateSubject& subject);

}  // namespace connect_ha
