// A heartbeat is one step: what was known of the node, and the request, make what is known now, the
// answer, and what is to be stored and told. Pure: the caller (roster_heartbeat.cc) locks, stores
// and publishes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/node/gate_terms.h"
#include "coordinator/cluster/node/known_node.h"
#include "coordinator/store/store.h"

namespace connect_ha {

struct StepInputs {
  const v1::Desired& desired;  // in force; its lineage is the store's
  const v1::Desired& newest;   // the same, or the one to get ready for
  std::chrono::microseconds stale_after{};
  uint64_t epoch = 0;   // of the store's opening
  uint64_t serial = 0;  // of the latest order given to any node in this epoch
  // What the plan gave this node; null: nothing yet, or it was for another machine of its name.
  std::shared_ptr<const v1::NodeAssignment> assigned;
  GateTerms terms;        // with it
  uint64_t refresh = 0;   // the latest number under which fresh facts were asked for; 0: none
  std::string challenge;  // as of HeartbeatResponse.proof_challenge
  std::vector<std::string> forget;  // as of HeartbeatResponse.forget_beacons
  std::string address;              // that the call came from
  // What the request brings; null: no facts.
  std::shared_ptr<const HeldFacts> report;
  // False: the store takes nothing now. What must be stored is not taken, the rest is.
  bool store_works = true;
  Time now;
};

struct StepResult {
  KnownNode after;
  v1::HeartbeatResponse answer;   // but for coordinator_sent_us and digest_key_id
  std::vector<v1::Event> events;  // of the node's share of them (event_pace.h)
  // The report is another one than the store has.
  bool store_report = false;
  std::vector<NumberedEvent> changes;  // that the node made, in order
  // A rule could see it.
  bool changed = false;
  // The plan could.
  bool plan_changed = false;
};

// `request` is of an admitted node that was not removed.
StepResult Step(const KnownNode& before, const v1::HeartbeatRequest& request,
                const StepInputs& inputs);

// Time passes: conflicts end, nodes are lost. `started` is when the coordinator did: of what was
// before, it does not count what it has not heard. Appends what is to be told; true when a rule
// could see a change.
bool Age(KnownNode& node, const std::string& name, std::chrono::microseconds stale_after,
         Time started, Time now, std::vector<v1::Event>& events);

// Another machine that enrols under the name begins anew: as if it had never been heard.
void Forget(KnownNode& node);

}  // namespace connect_ha
