#include "coordinator/plan/look/may.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/remembered.h"

namespace connect_ha {
namespace {

std::string WhyHoldsNewer(const v1::PlanInput& input, const v1::PlanNode& node) {
  return absl::StrCat("it holds generation ", node.brief().reported_generation(), ", newer than ",
                      input.generation(),
                      ", which is in force (the store was an older copy): generation ",
                      input.next().generation(), ", applied since, comes first");
}

}  // namespace

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

std::string WhyStays(const v1::PlanInput& input, const Member& member, const std::string& awaited,
                     bool restored) {
  const v1::PlanNode& node = *member.node;
  if (node.brief().claimants() > 1) return "two live machines speak under this name";
  if (node.odd() || node.ahead()) {
    return node.standing().empty() ? "it goes by what nobody gave it" : node.standing();
  }
  if (restored) return absl::StrCat(kOlderStore, "; connect-ha apply has the nodes moved again");
  if (!node.brief().has_last_seen()) return "it was never heard";
  if (!node.heard() || !node.fresh()) {
    return node.not_fresh().empty() ? "it was not heard since the coordinator started"
                                    : node.not_fresh();
  }
  if (!awaited.empty()) {
    return absl::StrCat("not every node was heard since the coordinator started: ", awaited);
  }
  return HoldsNewer(input, node) ? WhyHoldsNewer(input, node) : "";
}

}  // namespace connect_ha
