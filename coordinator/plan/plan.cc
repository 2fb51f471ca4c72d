#include "coordinator/plan/plan.h"

#include <google/protobuf/util/time_util.h>

#include <optional>

#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

// What the node is already, as far as it may go on being that.
v1::NodeState Present(const v1::NodeSnapshot& node) {
  const v1::NodeState state = node.reported_state();
  return state == v1::PREPARING || state == v1::READY ? state : v1::OBSERVED;
}

// Why it cannot be said whether Connect runs there.
std::optional<std::string> WhyUnknown(const v1::NodeSnapshot& node, const v1::Facts* facts) {
  if (node.claimants_size() > 1) return "two live machines speak under this name";
  if (facts == nullptr) return "it has not reported its facts";
  return WhyUnobserved(*facts, "connect.unit");
}

// Also on its way up or down: whatever is not known to be at rest.
bool MayRun(const v1::Facts& facts) {
  if (!facts.connect().has_unit()) return false;
  const std::string& state = facts.connect().unit().active_state();
  return state != "inactive" && state != "failed";
}

// While an agent that was started again has not looked at everything yet, what was right is right.
bool IsReady(uint64_t generation, const v1::NodeSnapshot& node) {
  if (node.reported_generation() != generation) return false;
  const v1::Convergence& convergence = node.convergence();
  const bool looked = node.has_convergence() && convergence.generation() == generation &&
                      convergence.state() != v1::Convergence::LOOKING;
  return looked ? convergence.state() == v1::Convergence::CONVERGED
                : node.reported_state() == v1::READY;
}

}  // namespace

bool IsAhead(const v1::Desired& desired, const v1::NodeSnapshot& node) {
  if (node.reported_generation() != desired.generation()) {
    return node.reported_generation() > desired.generation();
  }
  return node.has_reported_applied_at() && desired.has_applied_at() &&
         node.reported_applied_at() != desired.applied_at();
}

Assigned AssignState(const v1::Desired& desired, const v1::NodeSnapshot& node,
                     const v1::Facts* facts) {
  if (IsAhead(desired, node)) {
    return {Present(node),
            "it holds generation " + std::to_string(node.reported_generation()) +
                " of a specification that this coordinator does not know (is its store an older "
                "copy?); connect-ha apply puts one above it into force"};
  }
  if (desired.generation() == 0) return {v1::OBSERVED, "no specification was applied"};
  if (desired.spec().enforcement() != v1::ENFORCE) {
    return {v1::OBSERVED, "the specification only observes (enforcement: observe)"};
  }
  if (node.allow() == v1::ALLOW_OBSERVE) {
    return {v1::OBSERVED,
            "its agent.yaml lets it be observed alone (allow: observe); to have it changed: allow: "
            "install there, and systemctl restart connect-ha-agent"};
  }
  if (const auto unknown = WhyUnknown(node, facts)) {
    return {Present(node), "whether Connect runs here is not known: " + *unknown};
  }
  if (MayRun(*facts)) {
    return {v1::OBSERVED, "Connect runs here (" + facts->connect().unit().active_state() +
                              "); this version changes nothing under a running Connect"};
  }
  return {IsReady(desired.generation(), node) ? v1::READY : v1::PREPARING, ""};
}

}  // namespace connect_ha
