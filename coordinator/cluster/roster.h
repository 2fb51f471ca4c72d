// The live view of the cluster's nodes: who was heard when, from which machine, with which facts,
// and what each is told to be. Facts are in the store before a heartbeat that brought them is
// answered. All calls may be made from any thread; none holds a lock that another node's heartbeat
// needs while it writes.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// A node that said that its facts changed has this long to send them.
constexpr std::chrono::seconds kFactsGrace{10};

class Roster {
 public:
  // Borrows the store.
  Roster(Store& store, Time started);
  ~Roster();

  // Takes nodes and their latest reports from the store. Before anything else.
  absl::Status Load();

  // The specification in force, as nodes are told it.
  void SetSpec(const v1::Desired& desired);
  // The highest that a node holds, as it said, of those that are not above `most`; 0: none does.
  uint64_t NewestGenerationHeld(uint64_t most) const;
  // limits.stale_after of the spec.
  std::chrono::microseconds StaleAfter() const;

  // Whether this certificate of a node still stands; PermissionDenied, with what to type, when the
  // node was removed. A node that the store does not know (it is of an older backup) is taken in.
  absl::Status Admit(const Certificate& certificate, Time now);
  // After enrolling: a new record of a node.
  void Enrolled(const v1::NodeRecord& record);
  // Runs `remove`, which removes the node from the store, and forgets it when that went well.
  absl::Status Remove(const std::string& node, const std::function<absl::Status()>& remove);

  // The node must have been admitted. The caller sets coordinator_sent_us. An error: nothing was
  // taken, the node shall call again.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                  const std::string& address, Time now);

  // Asks every node to gather. The number grows across restarts.
  uint64_t Refresh(Time now);
  v1::RefreshStatusResponse RefreshStatus(uint64_t number, Time now) const;

  v1::Snapshot TakeSnapshot(Time now, bool with_facts = true) const;
  // NotFound names the nodes there are.
  absl::StatusOr<v1::NodeSnapshot> TakeNode(const std::string& node, Time now) const;

  // Finds nodes that were lost and conflicts that ended. Every second or so.
  void Tick(Time now);
  // Grows with every change that a rule could see, but for clock offsets.
  uint64_t changes() const { return changes_.load(); }
  // Whether every node that was alive when the coordinator stopped was heard, or had its time.
  bool Settled(Time now) const;

 private:
  struct Node;

  Node* Find(const std::string& name) const;
  Node& FindOrAdd(const std::string& name);
  std::vector<Node*> Nodes() const;
  std::shared_ptr<const v1::Desired> InForce() const;
  absl::Status TakeReport(Node& node, const v1::HeartbeatRequest& request, Time now);
  absl::Status TakeChanges(Node& node, const v1::HeartbeatRequest& request);
  void Assign(Node& node, const v1::HeartbeatRequest& request, Time now,
              v1::HeartbeatResponse* response);
  absl::Status LoadLastSeen();
  void RecordEvents(const std::vector<v1::Event>& events);
  v1::HeartbeatResponse Answer(Node& node, const v1::HeartbeatRequest& request, Time now);
  void FillSnapshot(const Node& node, Time now, bool with_facts, v1::NodeSnapshot* snapshot) const;

  Store& store_;
  const Time started_;
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> refresh_{0};
  std::atomic<int64_t> stale_after_us_;

  mutable std::mutex spec_mutex_;
  std::shared_ptr<const v1::Desired> desired_;

  mutable std::shared_mutex nodes_mutex_;  // the map; nodes are never taken out of it
  std::map<std::string, std::unique_ptr<Node>> nodes_;
};

}  // namespace connect_ha
