#include "coordinator/plan/look/may.h"

namespace connect_ha {

May MayDo(const v1::PlanInput& input, const Member& member, std::string& why) {
  const v1::PlanNode& node = *member.node;
  if (input.generation() == 0) {
    why = "no specification was applied";
  } else if (input.spec().enforcement() != v1::ENFORCE) {
    why = "the specification only observes (enforcement: observe)";
  } else if (member.words.release != nullptr) {
    why = SaidBy(*member.words.release);
  } else if (node.brief().allow() == v1::ALLOW_OBSERVE) {
    why =
        "its agent.yaml lets it be observed alone (allow: observe); to have it changed: allow: "
        "serve there, and systemctl restart connect-ha-agent";
  } else if (!node.can_serve()) {
    why = "its agent knows no way to start Connect: install this release of connect-ha-agent there";
    return May::kInstall;
  } else if (node.brief().allow() != v1::ALLOW_SERVE) {
    why =
        "its agent.yaml lets nobody start or stop Connect (allow: install); to have it serve: "
        "allow: serve there, and systemctl restart connect-ha-agent";
    return May::kInstall;
  } else {
    return May::kServe;
  }
  return May::kObserve;
}

}  // namespace connect_ha
