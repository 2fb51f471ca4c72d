// A heartbeat: locks the node, lets the step decide, stores what it says, and publishes.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/text/short_text.h"
#include "coordinator/cluster/node/step.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/roster_node.h"

namespace connect_ha {
namespace {

// Of one node, at once: its own, that of a clone, and what was given up waiting for.
constexpr int kCallsAtOnce = 4;

class Waiting {
 public:
  explicit Waiting(std::atomic<int>& calls) : calls_(calls), before_(calls_.fetch_add(1)) {}
  ~Waiting() { --calls_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  bool TooMany() const { return before_ >= kCallsAtOnce; }

 private:
  std::atomic<int>& calls_;
  const int before_;
};

// What was given to another machine of its name is none of this one's; nor what was given before it
// lost what it held, or enrolled again.
bool IsMeantFor(const PlanLook& look, const v1::HeartbeatRequest& request) {
  const v1::Order& order = request.order();
  if (look.obeys && order.epoch() == 0 && order.serial() == 0) return false;
  return look.machine_id.empty() || look.machine_id == ShortText(request.machine_id(), kNameBytes);
}

absl::Status Removed(const std::string& name) {
  return absl::PermissionDeniedError(absl::StrCat(
      "node ", name, " was removed\nfix: to join again: connect-ha token create --node ", name));
}

}  // namespace

absl::StatusOr<v1::HeartbeatResponse> Roster::Heartbeat(const v1::HeartbeatRequest& request,
                                                        const std::string& address, Time now) {
  const NodePointer node = Find(request.node());
  if (node == nullptr) return absl::NotFoundError("no node " + request.node());
  const Waiting waiting(node->calls);
  if (waiting.TooMany()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("node ", request.node(), " has ", kCallsAtOnce, " calls under way already"));
  }
  const auto before_facts = InForce();
  auto report = TakeFacts(request, before_facts->spec(), before_facts->generation(), now);
  if (!report.ok()) return report.status();
  std::lock_guard call(node->call_mutex);
  const Generations specs = SpecsNow();
  StepInputs inputs = {*specs.in_force, *specs.newest};
  inputs.stale_after = StaleAfter();
  inputs.epoch = store_.epoch();
  inputs.serial = serial_.load();
  inputs.refresh = refresh_.load();
  inputs.address = ShortText(address, kNameBytes);
  inputs.report = *std::move(report);
  inputs.challenge = proof_challenge_;
  {
    std::lock_guard lock(node->mutex);
    if (IsMeantFor(node->assigned_to, request)) {
      inputs.assigned = node->assigned;
      inputs.terms = node->terms;
    }
  }
  const HeldFacts* facts = inputs.report ? inputs.report.get() : node->known.facts.get();
  if (facts != nullptr) inputs.forget = RemovedAmong(facts->beacons);
  inputs.now = now;
  return Call(*node, request, inputs);
}

absl::StatusOr<v1::HeartbeatResponse> Roster::Call(Node& node, const v1::HeartbeatRequest& request,
                                                   StepInputs& inputs) {
  if (node.known.removed) return Removed(node.name);
  StepResult result = Step(node.known, request, inputs);
  const absl::Status stored = Write(request, result);
  if (!stored.ok()) {
    // It was heard all the same.
    inputs.store_works = false;
    result = Step(node.known, request, inputs);
  }
  RecordEvents(result.events).IgnoreError();  // said in the log
  Publish(node, result);
  if (absl::IsNotFound(stored)) return Removed(node.name);
  if (!stored.ok()) return stored;
  return std::move(result.answer);
}

absl::Status Roster::Write(const v1::HeartbeatRequest& request, StepResult& result) {
  KnownNode& after = result.after;
  if (result.store_report) {
    absl::Status stored =
        store_.PutReport(MakeReport(request.node(), after.agent_version, *after.facts));
    if (!stored.ok()) return stored;
  }
  if (result.changes.empty()) return absl::OkStatus();
  const auto taken = store_.AddNodeChanges(request.node(), result.changes);
  if (!taken.ok()) return taken.status();
  for (const NumberedEvent& change : result.changes) {
    spdlog::info("event=RESOURCE_CHANGED node={} text={}", request.node(),
                 LogValue(change.event.text()));
  }
  after.changes_taken = std::max(after.changes_taken, *taken);
  result.answer.set_changes_taken(after.changes_taken);
  return absl::OkStatus();
}

void Roster::Publish(Node& node, StepResult& result) {
  std::lock_guard lock(node.mutex);
  const bool gathered = result.after.gathered > node.known.gathered;
  std::swap(node.known, result.after);
  // Not after the lock: whoever finds the node as it is now finds it counted, too.
  if (result.changed) {
    node.changed_at = Changed();
  } else if (result.plan_changed) {
    TellChanged();
  }
  if (gathered) node.gathered_change = changes_.load();
}

}  // namespace connect_ha
