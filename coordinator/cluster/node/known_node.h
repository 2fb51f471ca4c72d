// What is known of one node: a value, which heartbeats and time make another one of (step.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/state.pb.h"
#include "coordinator/cluster/node/claimants.h"
#include "coordinator/cluster/node/clock_samples.h"
#include "coordinator/cluster/node/event_pace.h"
#include "coordinator/cluster/node/facts_look.h"
#include "coordinator/plan/plan.h"

namespace connect_ha {

// A node that said that its facts changed has this long to send them.
constexpr std::chrono::seconds kFactsGrace{10};

// Texts are shortened before they come in here.
struct KnownNode {
  bool removed = false;
  // Its changes up to this ChangeMade.number are stored as events.
  uint64_t changes_taken = 0;

  std::optional<Time> last_seen;
  bool heard = false;  // since the coordinator started
  // When it was heard again after it had not been for kAwayFor (checklist/view/proof_matrix.h).
  std::optional<Time> back_at;
  bool lost = false;
  bool loss_told = false;  // an event of it is stored, or on its way
  bool in_conflict = false;
  Claimants claimants;
  ClockSamples clock;
  std::string agent_version;
  Reported said;
  // As HeartbeatRequest.trusted_signers; null: none.
  std::shared_ptr<const std::vector<std::string>> trusted_signers;
  uint64_t gathered = 0;

  std::shared_ptr<const HeldFacts> facts;  // the latest; null: none
  // Since when the node says that it holds others.
  std::optional<Time> outdated_since;

  // How far it is with getting ready for a generation to come, as it said last; null: for none.
  std::shared_ptr<const v1::Ahead> staged;

  // When the node was asked to say its convergence, as it does with its facts.
  std::optional<Time> convergence_asked_at;
  // What was told last of it in an event.
  v1::Convergence::State told_state = v1::Convergence::STATE_UNSPECIFIED;
  std::string told_text;

  // The greatest order that it has taken, whoever gave it; absent: none.
  std::optional<v1::Order> taken;
  bool can_serve = false;                            // as of HeartbeatRequest
  std::shared_ptr<const v1::ServiceReport> service;  // null: it has not said
  // What its gate had refused before its agent was started again, as it was heard last: the plan
  // looks at that before it looks at the new count. Absent: it has.
  std::optional<uint64_t> refused_before;

  bool ahead = false;  // as told last
  bool odd = false;    // it speaks of orders that nobody gave it; as told last
  EventPace pace;
};

// Whether facts count, and why not. Everything that judges a node asks this: what the node is to
// be, the checklist, and lists of nodes.
struct CountedFacts {
  const HeldFacts* facts = nullptr;  // null: none that count
  std::string why_not;
  // It is only that the node was not heard: they were right when it was.
  bool stale = false;
};
CountedFacts Count(const KnownNode& node, std::chrono::microseconds stale_after, Time now);

// Whether another machine spoke under its name a moment ago: a successor, or a copy that is about
// to be seen as one. Until that is known nothing is decided by what either says.
bool IsSettled(const KnownNode& node);

// "two live machines claim this name: ..."
std::string ConflictText(const KnownNode& node);

}  // namespace connect_ha
