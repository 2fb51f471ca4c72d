#include "coordinator/plan/move/course.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/drain.h"
#include "coordinator/plan/move/enter.h"
#include "coordinator/plan/move/rest.h"

namespace connect_ha {
namespace {

constexpr char kLeft[] = "Connect runs here, and nothing is changed under it";
// As its agent names it (Change.resource).
constexpr char kConnectsPackage[] = "package rstudio-connect";
constexpr char kMayStart[] = "to know whether Connect rests here, or is being started anew";

Move Stay(const Member& member, const std::string& why) { return {member.position, "", why, {}}; }

std::string NotKnown(const Member& member) {
  return absl::StrCat("whether Connect runs here is not known",
                      member.node->connect_unknown().empty() ? "" : ": ",
                      member.node->connect_unknown());
}

// For longer than it takes somebody, or a boot, to start it anew. Where there is no unit, nothing
// runs.
bool RestsForLong(Situation& situation, const Member& member) {
  if (member.node->brief().facts().unit_state().empty()) return true;
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  const bool is_asked =
      line != nullptr && line->outcome() != v1::FOLLOWS && line->outcome() != v1::NOT_APPLICABLE;
  return !is_asked || IsDown(situation, member);
}

Move FromObserved(Situation& situation, const Member& member) {
  if (member.node->connect() == v1::CONNECT_UNKNOWN) return Stay(member, NotKnown(member));
  if (member.node->connect() == v1::CONNECT_RESTS) {
    return RestsForLong(situation, member) ? Rest(situation, member) : Stay(member, kMayStart);
  }
  const std::string why = WhyNotAdopt(situation, member);
  if (why.empty()) return {v1::SERVING, "", "", {}};
  return {v1::OBSERVED, kLeft, why, {}};
}

// PREPARING, READY.
Move FromHeld(Situation& situation, const Member& member) {
  if (member.node->connect() == v1::CONNECT_RESTS) return Rest(situation, member);
  if (member.node->connect() == v1::CONNECT_UNKNOWN) return Stay(member, NotKnown(member));
  // Somebody was faster; and an agent that was only to look on stops nothing.
  if (member.node->brief().reported_state() == v1::OBSERVED) return {v1::OBSERVED, kLeft, "", {}};
  if (!HasReached(member, member.position)) return Stay(member, "Connect to stop");
  return {v1::OBSERVED,
          "Connect runs here, though it was stopped and masked: somebody started it",
          "",
          {}};
}

Move FromStopped(Situation& situation, const Member& member) {
  if (member.node->connect() == v1::CONNECT_RESTS) return Rest(situation, member);
  return Stay(member,
              member.node->connect() == v1::CONNECT_RUNS ? "Connect to stop" : NotKnown(member));
}

Move FromFenced(Situation& situation, const Member& member) {
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  if (out_for.empty()) return FromStopped(situation, member);
  return {v1::FENCED, OutText(member, out_for),
          absl::StrCat("that to be right; or an admin's word: connect-ha node unfence ",
                       member.name(), " --until TIME --reason ..."),
          out_for};
}

// What its agent meets with on the way: a start that the preflight refuses, say.
std::string WithTrouble(const Situation& situation, const Member& member, const char* what) {
  const v1::Convergence& convergence = member.node->convergence();
  if (!SpeaksOfGeneration(situation.input, *member.node) || convergence.troubles_size() == 0) {
    return what;
  }
  const v1::Trouble& trouble = convergence.troubles(0);
  return absl::StrCat(what, ": ", trouble.resource(), ": ", trouble.error());
}

bool IsToBeInstalled(const v1::Convergence& convergence) {
  const auto& changes = convergence.changes();
  return std::any_of(changes.begin(), changes.end(), [](const v1::Change& change) {
    return change.resource() == kConnectsPackage;
  });
}

Move FromServing(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  const bool speaks = SpeaksOfGeneration(situation.input, node);
  // The agent of a node that is to serve makes whatever else differs where Connect rests, and
  // starts it only then. Nobody is interrupted, and without it Connect may never start.
  const bool rests = node.connect() == v1::CONNECT_RESTS;
  const v1::NodeState reported = node.brief().reported_state();
  const bool never_started = reported == v1::PREPARING || reported == v1::READY;
  if (speaks && rests && IsToBeInstalled(node.convergence()) &&
      (never_started || StartFailed(member) || IsDown(situation, member))) {
    return Prepare(situation, member);
  }
  const v1::Change* differs = speaks ? FirstThatInterrupts(node.convergence()) : nullptr;
  std::string waits;
  if (differs != nullptr) {
    waits = absl::StrCat(differs->resource(), ": a change for which Connect has to be restarted");
  } else if (StartFailed(member)) {
    waits =
        absl::StrCat("connect-ha node start ", member.name(), " --reason ..., once it may go well");
  } else if (!HasReached(member, v1::SERVING)) {
    waits = WithTrouble(situation, member, "its agent to get there");
  } else if (!node.brief().facts().answers()) {
    waits = WithTrouble(situation, member, "Connect to answer");
  } else if (GateIsClosed(situation.input, node)) {
    waits = absl::StrCat("its gate to open", node.gate_reason().empty() ? "" : ": ",
                         node.gate_reason());
  }
  return {v1::SERVING, "", waits, {}};
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

// DRAINING.
Move FromClosed(Situation& situation, const Member& member) {
  switch (member.node->connect()) {
    case v1::CONNECT_RUNS:
      return FromDraining(situation, member);
    case v1::CONNECT_RESTS:
      if (!WaitsForJudgement(situation, member)) return Rest(situation, member);
      return StayDraining(situation, member, "whether Connect comes up again here");
    default:
      return StayDraining(situation, member, "whether Connect runs here");
  }
}

}  // namespace

Move CourseOf(Situation& situation, const Member& member) {
  if (member.may != May::kServe) return WithoutConnect(situation, member);
  switch (member.position) {
    case v1::PREPARING:
    case v1::READY:
      return FromHeld(situation, member);
    case v1::SERVING:
      return FromServing(situation, member);
    case v1::DRAINING:
      return FromClosed(situation, member);
    case v1::STOPPED:
      return FromStopped(situation, member);
    case v1::FENCED:
      return FromFenced(situation, member);
    default:
      return FromObserved(situation, member);
  }
}

}  // namespace connect_ha
