// One node of the roster, and its locks. Only the roster's own files see it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "connect_ha/v1/plan.pb.h"
#include "connect_ha/v1/store.pb.h"
#include "coordinator/cluster/node/known_node.h"
#include "coordinator/cluster/roster.h"

namespace connect_ha {

// Who changes what is known holds both locks; who reads it, either.
struct Roster::Node {
  const std::string name;

  // Held while a call of this node is answered, its writes included: its reports reach the store
  // one after the other, and its orders are given one after the other. Taken before every other
  // lock.
  std::mutex call_mutex;
  std::atomic<int> calls{0};  // that hold it or wait for it

  mutable std::mutex mutex;  // held for moments
  KnownNode known;
  uint64_t gathered_change = 0;                  // Roster::changes() once known.gathered had grown
  std::shared_ptr<const v1::NodeRecord> record;  // null: on its way from the store
  bool let_go = false;                           // no longer in the map
  uint64_t changed_at = 0;                       // as of PlanLook
  uint64_t admission = 0;                        // as of PlanLook; 0: it was not taken in
  // What the plan gave it, and to what it was then; null: nothing yet. Changed under `mutex` alone.
  std::shared_ptr<const v1::NodeAssignment> assigned;
  PlanLook assigned_to;
  GateTerms terms;

  explicit Node(std::string node_name) : name(std::move(node_name)) {}
};

}  // namespace connect_ha
