// One node of the roster. Only the roster's own files see it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/store.pb.h"
#include "coordinator/cluster/claimants.h"
#include "coordinator/cluster/clock_samples.h"
#include "coordinator/cluster/roster.h"

namespace connect_ha {

struct Roster::Node {
  const std::string name;

  // Held while this node's report is written: its reports reach the store one after the other.
  std::mutex report_mutex;

  mutable std::mutex mutex;  // all below
  bool removed = false;
  v1::NodeRecord record;
  std::optional<Time> last_seen;
  bool heard = false;  // since the coordinator started
  bool lost = false;
  bool in_conflict = false;
  Claimants claimants;
  ClockSamples clock;
  std::string agent_version;
  v1::NodeState reported_state = v1::NODE_STATE_UNSPECIFIED;
  uint64_t reported_generation = 0;
  std::optional<google::protobuf::Timestamp> reported_applied_at;
  v1::Allow allow = v1::ALLOW_UNSPECIFIED;
  uint64_t gathered = 0;

  std::shared_ptr<const v1::Facts> facts;
  std::string digest, machine_id, boot_id;  // of the facts held
  std::optional<Time> facts_received_at;
  // Since when the node says that it holds others.
  std::optional<Time> outdated_since;

  std::optional<v1::Convergence> convergence;
  // When the node was asked to say it, as it does with its facts.
  std::optional<Time> convergence_asked_at;
  // What was told last in an event.
  v1::Convergence::State told_state = v1::Convergence::STATE_UNSPECIFIED;
  std::string told_text;
  v1::NodeState assigned = v1::NODE_STATE_UNSPECIFIED;  // in the latest answer
  bool ahead = false;                                   // of the coordinator, at that time

  explicit Node(std::string node_name) : name(std::move(node_name)) {}

  bool Holds(const v1::HeartbeatRequest& request) const;
  void Hold(const v1::HeartbeatRequest& request, std::shared_ptr<const v1::Facts> taken, Time now);
  // As if it had never been heard.
  void Forget();
  // `at`, or later; nothing for a node that never called.
  void WasStillHeard(Time at);
  // Notes that the node called; returns what is worth an event.
  std::vector<v1::Event> Hear(const v1::HeartbeatRequest& request, const std::string& address,
                              std::chrono::microseconds stale_after, Time now);
  void NoteConflict(Time now, std::vector<v1::Event>& events);
  void NoteConvergence(const v1::Convergence& said, Time now, std::vector<v1::Event>& events);
  // What the plan looks at, without the facts.
  v1::NodeSnapshot Said() const;
};

v1::Event MakeEvent(v1::Event::Kind kind, const std::string& node, const std::string& text,
                    Time now);

}  // namespace connect_ha
