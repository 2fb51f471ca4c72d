// The live view of the cluster's nodes: who was heard when, from which machine, with which facts,
// and what each is told to be. Facts are in the store before a heartbeat that brought them is
// answered. All calls may be made from any thread; none holds a lock that another node's heartbeat
// needs while it writes.
//
// What a heartbeat makes of a node is pure (node/step.h); here are the locks, the store, and what
// the nodes have in common.
#pragma once

#include <google/protobuf/repeated_field.h>

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
#include "connect_ha/v1/brief.pb.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/node_service.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/node/gate_terms.h"
#include "coordinator/cluster/node/generations.h"
#include "coordinator/store/store.h"

namespace connect_ha {

struct StepInputs;
struct StepResult;

// Of which taking-in of a name, and of which machine, something was said.
struct PlanLook {
  uint64_t admission = 0;                  // another one each time that the name is taken in
  std::string machine_id;                  // whose facts they are; "": it has none
  bool obeys = false;                      // it had taken an order
  std::optional<uint64_t> refused_before;  // as of KnownNode
  // Roster::changes() since which its facts, its loss and the specification are as they are.
  uint64_t changed_at = 0;
};

class Roster {
 public:
  // Borrows the store.
  Roster(Store& store, Time started);
  ~Roster();

  // Takes nodes and their latest reports from the store. Before anything else.
  absl::Status Load();

  // The newest specification, as nodes are told it, and who applied it. It is in force, too, as
  // long as nothing else was said to be. Its lineage is set here.
  void SetSpec(const v1::Desired& newest, const std::string& applied_by = "");
  // The one that is in force from now on, whatever is the newest: nodes are judged by it.
  void SetInForce(const v1::Desired& desired);
  Generations SpecsNow() const;
  // SetInForce was called.
  bool HasInForce() const;
  // The highest that a node holds of this store's history, as it said, of those that are not above
  // `most`; 0: none does.
  uint64_t NewestGenerationHeld(uint64_t most) const;
  // limits.stale_after of the spec.
  std::chrono::microseconds StaleAfter() const;

  // In roster_plan.cc. What the plan looks at: all of the input but what it remembers, what people
  // said, and of each node its rules. Returns for each node, in the input's order, whom that is of.
  std::vector<PlanLook> LookForPlan(Time now, v1::PlanInput* input) const;
  // What each node is to be from now on, and on which terms its gate closes, in that same order;
  // one without a state is left out, and so is a name that another machine has taken since. Returns
  // the nodes to which that is news. `serial` is that of the latest order of this epoch that is
  // stored.
  std::vector<std::string> Assign(
      const std::vector<PlanLook>& looks,
      const google::protobuf::RepeatedPtrField<v1::NodeAssignment>& assignments,
      const std::vector<GateTerms>& terms, uint64_t serial);
  // Called, with locks held, when something is another one that a rule or the plan could see.
  // Before everything else, once.
  void OnChange(std::function<void()> changed);
  // What the balancer answered lately, for the checklist.
  void SetBalancer(std::shared_ptr<const v1::BalancerLook> look);
  // load_balancer of the specification in force.
  v1::LoadBalancerSpec LoadBalancer() const;

  // Whether this certificate of a node still stands; PermissionDenied, with what to type, when the
  // node was removed. A node that the store does not know (it is of an older backup) is taken in.
  absl::Status Admit(const Certificate& certificate, Time now);
  // After enrolling: the store has a new record of the node. Whatever else is done to the node at
  // the same time, what the store has then is what counts.
  void Enrolled(const v1::NodeRecord& record);
  // In roster_plan.cc. FailedPrecondition, with what to type, where the specification is enforced:
  // Connect runs there, as the node said lately, and nobody let go of it (Word.RELEASE); or it is
  // lost, was to run Connect, and another generation is to come.
  absl::Status CheckRemoval(const std::string& node, Time now) const;
  // In roster_plan.cc. FailedPrecondition, with what to type: it was heard lately, or its call is
  // awaited since the coordinator started. One that was never heard may be gone.
  absl::Status CheckGone(const std::string& node, Time now) const;
  // Runs `remove`, which removes the node from the store, and forgets it when that went well.
  absl::Status Remove(const std::string& node, const std::function<absl::Status()>& remove);

  // The node must have been admitted. The caller sets coordinator_sent_us and digest_key_id. An
  // error: nothing that is to be stored was taken, the node shall call again. ResourceExhausted: it
  // calls more often than it waits for answers.
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request,
                                                  const std::string& address, Time now);

  // Asks every node to gather. The number grows across restarts.
  uint64_t Refresh(Time now);
  // Done is what a checklist shows that took in everything up to `judged` (of changes()).
  v1::RefreshStatusResponse RefreshStatus(uint64_t number, uint64_t judged, Time now) const;

  // Every node that is not removed, by name; removed ones are in none of these.
  std::vector<v1::NodeBrief> Briefs(Time now) const;
  v1::Snapshot TakeSnapshot(Time now, bool with_facts = true) const;
  // Of facts those that count alone. `snapshot` may be of an arena: facts are parsed into it.
  void TakeCounted(Time now, v1::Snapshot* snapshot) const;
  // NotFound names the nodes there are.
  absl::StatusOr<v1::NodeSnapshot> TakeNode(const std::string& node, Time now) const;

  // Finds nodes that were lost and conflicts that ended; once a day, removed nodes of which no
  // certificate can be valid any more leave the store. Every second or so.
  void Tick(Time now);
  // Grows with every change that a rule could see, but for clock offsets.
  uint64_t changes() const { return changes_.load(); }
  // Whether every node that was alive when the coordinator stopped was heard, or had its time.
  bool Settled(Time now) const;

 private:
  struct Node;
  struct PlanSeen;
  using NodePointer = std::shared_ptr<Node>;

  // With specs_changing_ and spec_mutex_ held.
  void BeginToJudgeBy(const v1::Desired& desired);
  void Judge();
  uint64_t Changed();  // returns changes()
  void TellChanged() const;
  NodePointer Find(const std::string& name) const;  // null: not known
  NodePointer FindOrAdd(const std::string& name);
  std::vector<NodePointer> Nodes() const;
  std::shared_ptr<const v1::Desired> InForce() const;
  std::shared_ptr<const v1::BalancerLook> Balancer() const;
  // Of these nodes those that were removed, as many as one answer has room for.
  std::vector<std::string> RemovedAmong(const std::vector<std::string>& nodes) const;

  // roster_load.cc
  absl::Status LoadNodes();
  absl::Status LoadReports();
  absl::Status LoadLosses();
  absl::Status LoadLastSeen();

  // roster_heartbeat.cc; with the node's call_mutex held.
  absl::StatusOr<v1::HeartbeatResponse> Call(Node& node, const v1::HeartbeatRequest& request,
                                             StepInputs& inputs);
  absl::Status Write(const v1::HeartbeatRequest& request, StepResult& result);
  void Publish(Node& node, StepResult& result);

  absl::Status RecordEvents(const std::vector<v1::Event>& events);
  // roster_tick.cc
  void TellLossesAgain(const std::vector<v1::Event>& events);
  void Purge(Time now);
  void LetGo(const std::string& name);
  // roster_snapshot.cc; false for a removed node.
  enum class FactsWanted { kNone, kHeld, kCounted };
  void TakeAll(Time now, FactsWanted wanted, v1::Snapshot* snapshot) const;
  bool FillSnapshot(const Node& node, Time now, FactsWanted wanted,
                    v1::NodeSnapshot* snapshot) const;
  bool FillBrief(const Node& node, Time now, v1::NodeBrief* brief) const;
  bool FillPlanNode(const Node& node, const Generations& specs, Time now, v1::PlanNode* plan,
                    PlanSeen* seen) const;

  Store& store_;
  std::atomic<Time> started_;          // about: set back with the clock
  const std::string proof_challenge_;  // nobody can have seen it before this coordinator began
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> refresh_{0};
  std::atomic<uint64_t> serial_{0};  // of the latest order in this epoch that is stored
  std::atomic<int64_t> stale_after_us_;

  std::atomic<uint64_t> admissions_{0};
  std::atomic<uint64_t> spec_changed_at_{0};  // changes() since which the specification is in force
  std::function<void()> on_change_;

  std::mutex specs_changing_;  // one change after the other; taken before spec_mutex_
  mutable std::mutex spec_mutex_;
  std::shared_ptr<const v1::Desired> newest_;
  std::string newest_by_;
  std::shared_ptr<const v1::Desired> in_force_;       // null: the newest
  std::shared_ptr<const v1::BalancerLook> balancer_;  // null: it was not looked at

  mutable std::shared_mutex nodes_mutex_;  // the map
  std::map<std::string, NodePointer> nodes_;

  std::mutex tick_mutex_;  // one tick at a time
  Time purge_due_{};
};

}  // namespace connect_ha
