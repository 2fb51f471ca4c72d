#include "coordinator/plan/move/rest.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/turn.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/move/enter.h"

namespace connect_ha {
namespace {

std::string WhatDiffers(const v1::PlanNode& node) {
  const v1::Convergence& convergence = node.convergence();
  if (convergence.troubles_size() > 0) {
    return absl::StrCat(convergence.troubles(0).resource(), ": ", convergence.troubles(0).error());
  }
  if (convergence.changes_size() > 0) return convergence.changes(0).resource();
  return "its agent has not looked at it in full";
}

// One that comes to rest, or joins, is held as those are that rest already.
Member AtRest(const Member& member) {
  Member rests = member;
  if (member.position != v1::STOPPED && member.position != v1::FENCED) {
    rests.position = v1::PREPARING;
  }
  return rests;
}

}  // namespace

Move Prepare(Situation& situation, const Member& member) {
  if (!IsReady(situation.input, *member.node)) {
    return {v1::PREPARING, "it is brought to the specification", WhatDiffers(*member.node), {}};
  }
  const std::string ready = "it is as the specification says";
  if (member.may != May::kServe) return {v1::READY, ready, member.why_no_more, {}};
  if (!HasReached(member, v1::READY)) return {v1::READY, ready, "its agent to get there", {}};
  const std::string why = WhyNotStart(situation, member);
  if (!why.empty()) return {v1::READY, ready, why, {}};
  return {v1::SERVING, "", "to be looked at before its gate opens", {}, /*closed=*/true};
}

Move Rest(Situation& situation, const Change& change, const Member& member) {
  if (member.words.fence != nullptr) {
    return {v1::FENCED,
            SaidBy(*member.words.fence),
            absl::StrCat("connect-ha node unfence ", member.name(), " --reason ..."),
            {}};
  }
  if (member.words.stop != nullptr) {
    return {v1::STOPPED,
            SaidBy(*member.words.stop),
            absl::StrCat("connect-ha node start ", member.name(), " --reason ..."),
            {}};
  }
  const uint64_t failed = member.memory.start_failed();
  if (failed != 0 && failed == situation.input.generation()) {
    const std::string& last = member.node->start_failed();
    return {
        v1::STOPPED,
        absl::StrCat("Connect did not start, however often it was tried", last.empty() ? "" : ": ",
                     last),
        absl::StrCat("connect-ha node start ", member.name(), " --reason ..., once it may go well"),
        {}};
  }
  const std::string held = WhyHeld(situation, change, AtRest(member));
  if (!held.empty()) {
    const bool rests = HasReached(member, v1::STOPPED);
    return {v1::STOPPED, held, rests ? "its turn" : "Connect to stop", {}};
  }
  const Move next = Prepare(situation, member);
  if (next.state != v1::SERVING) return next;
  const std::string waits = WhyNotTakenIn(situation, change, member);
  return waits.empty() ? next : Move{v1::READY, "it is as the specification says", waits, {}};
}

}  // namespace connect_ha
