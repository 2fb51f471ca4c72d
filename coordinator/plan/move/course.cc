#include "coordinator/plan/move/course.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/drain.h"
#include "coordinator/plan/move/enter.h"
#include "coordinator/plan/move/rest.h"
#include "coordinator/plan/move/serve.h"

namespace connect_ha {
namespace {

constexpr char kLeft[] = "Connect runs here, and nothing is changed under it";
constexpr char kMayStart[] = "to know whether Connect rests here, or is being started anew";

Move Stay(const Member& member, const std::string& why) { return {member.position, "", why, {}}; }

std::string NotKnown(const Member& member) {
  return absl::StrCat("whether Connect runs here is not known",
                      member.node->connect_unknown().empty() ? "" : ": ",
                      member.node->connect_unknown());
}

Move FromObserved(Situation& situation, const Change& change, const Member& member) {
  if (member.node->connect() == v1::CONNECT_UNKNOWN) return Stay(member, NotKnown(member));
  if (member.node->connect() == v1::CONNECT_RESTS) {
    // Whoever has it fenced wants it held, whatever starts it.
    const bool is_held = member.words.fence != nullptr || RestsForLong(situation, member);
    return is_held ? Rest(situation, change, member) : Stay(member, kMayStart);
  }
  const std::string why = WhyNotAdopt(situation, member);
  if (why.empty()) return {v1::SERVING, "", "", {}};
  return {v1::OBSERVED, kLeft, why, {}};
}

// PREPARING, READY.
Move FromHeld(Situation& situation, const Change& change, const Member& member) {
  if (member.node->connect() == v1::CONNECT_RESTS) return Rest(situation, change, member);
  if (member.node->connect() == v1::CONNECT_UNKNOWN) return Stay(member, NotKnown(member));
  // Somebody was faster; and an agent that was only to look on stops nothing.
  if (member.node->brief().reported_state() == v1::OBSERVED) return {v1::OBSERVED, kLeft, "", {}};
  if (!HasReached(member, member.position)) return Stay(member, "Connect to stop");
  return {v1::OBSERVED,
          "Connect runs here, though it was stopped and masked: somebody started it",
          "",
          {}};
}

Move FromStopped(Situation& situation, const Change& change, const Member& member) {
  if (member.node->connect() == v1::CONNECT_RESTS) return Rest(situation, change, member);
  return Stay(member,
              member.node->connect() == v1::CONNECT_RUNS ? "Connect to stop" : NotKnown(member));
}

Move FromFenced(Situation& situation, const Change& change, const Member& member) {
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  if (out_for.empty()) return FromStopped(situation, change, member);
  return {v1::FENCED, OutText(member, out_for),
          absl::StrCat("that to be right; or an admin's word: connect-ha node unfence ",
                       member.name(), " --until TIME --reason ..."),
          out_for};
}

// Of a node on which Connect is neither started nor stopped.
Move WithoutConnect(Situation& situation, const Member& member) {
  if (member.may == May::kObserve) return {v1::OBSERVED, member.why_no_more, "", {}};
  switch (member.node->connect()) {
    case v1::CONNECT_RESTS:
      if (member.position == v1::OBSERVED && !RestsForLong(situation, member)) {
        return Stay(member, kMayStart);
      }
      return Prepare(situation, member);
    case v1::CONNECT_RUNS:
      return {v1::OBSERVED, kLeft, member.why_no_more, {}};
    default:
      const bool changed = member.position == v1::PREPARING || member.position == v1::READY;
      return {changed ? member.position : v1::OBSERVED, "", NotKnown(member), {}};
  }
}

// Out of service since it does not stay up: what serves nobody is not left to start for ever.
bool IsToBeStopped(const Situation& situation, const Member& member) {
  if (!IsOutForServiceAlone(member) || member.node->start_failed().empty()) return false;
  if (member.node->brief().facts().answers()) return false;  // it comes up just now
  const bool gave_up = member.memory.start_failed() == situation.input.generation();
  return (gave_up || member.tries_again) && HasReached(member, v1::DRAINING) &&
         AnotherServes(situation, member);
}

// DRAINING.
Move FromClosed(Situation& situation, const Change& change, const Member& member) {
  const bool is_judged =
      !WaitsForJudgement(situation, member) || !WhyHeld(situation, change, member).empty();
  switch (member.node->connect()) {
    case v1::CONNECT_RUNS: {
      if (IsToBeStopped(situation, member)) return Rest(situation, change, member);
      // One that has taken no order yet is as it was found, and not back.
      Move move = FromDraining(situation, change, member);
      const bool is_found = move.state == v1::SERVING && !HasTaken(*member.node);
      return is_found ? FromObserved(situation, change, member) : move;
    }
    case v1::CONNECT_RESTS:
      if (is_judged) return Rest(situation, change, member);
      return StayDraining(situation, change, member, "whether Connect comes up again here");
    default:
      return StayDraining(situation, change, member, "whether Connect runs here");
  }
}

// It rests for the others, or comes to rest: whatever it was about to be, and whatever is known of
// it.
bool IsToStayStopped(const Situation& situation, const Change& change, const Member& member) {
  if (WhyHeld(situation, change, member).empty()) return false;
  switch (member.position) {
    case v1::PREPARING:
    case v1::READY:
    case v1::STOPPED:
      return true;
    default:
      return member.position == v1::OBSERVED && member.node->connect() == v1::CONNECT_RESTS;
  }
}

}  // namespace

Move CourseOf(Situation& situation, const Change& change, const Member& member) {
  if (member.may != May::kServe) return WithoutConnect(situation, member);
  if (IsToStayStopped(situation, change, member)) return Rest(situation, change, member);
  switch (member.position) {
    case v1::PREPARING:
    case v1::READY:
      return FromHeld(situation, change, member);
    case v1::SERVING:
      return FromServing(situation, change, member);
    case v1::DRAINING:
      return FromClosed(situation, change, member);
    case v1::STOPPED:
      return FromStopped(situation, change, member);
    case v1::FENCED:
      return FromFenced(situation, change, member);
    default:
      return FromObserved(situation, change, member);
  }
}

}  // namespace connect_ha
