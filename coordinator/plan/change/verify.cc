#include "coordinator/plan/change/verify.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/kept_out.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

std::string WhyOtherVersion(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::ConnectSpec& spec = input.spec().connect();
  if (!spec.has_version() || spec.version().empty()) return "";
  if (node.running_version().empty()) return "which version of Connect runs here is not known";
  if (SameVersion(node.running_version(), spec.version())) return "";
  return absl::StrCat("Connect ", node.running_version(), " runs here, the specification says ",
                      spec.version());
}

// It is to serve, and may be right before long.
bool IsExpected(Situation& situation, const Change& change, const Member& member) {
  return member.stays.empty() && member.may == May::kServe && !IsGone(member) &&
         !IsHeldByPerson(member) && member.position != v1::FENCED &&
         member.position != v1::OBSERVED &&
         member.memory.start_failed() != situation.input.generation() && !StartFailed(member) &&
         WhyHeld(situation, change, member).empty() && !TakesTooLong(situation, member);
}

bool GoesFirstAlone(const Situation& situation, const Member& member) {
  const v1::Rollout& rollout = situation.input.memory().rollout();
  return IsFirstAlone(rollout) && rollout.first() == member.name();
}

// Since when it could be right. A migration may have taken long before that.
Time BegunAt(const Situation& situation, const Member& member) {
  const Time since = FromProto(member.memory.since());
  const v1::NodeRule* line = LineOf(*member.node, kServiceRule);
  const bool answers = line != nullptr && DoesNothing(*line) && GoesFirstAlone(situation, member);
  return answers ? std::max(since, FromProto(line->since())) : since;
}

}  // namespace

std::string WhyNotVerified(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!member.stays.empty()) return member.stays;
  if (!HasReached(member, v1::SERVING)) return "its agent to get there";
  if (node.connect() != v1::CONNECT_RUNS) return "Connect to run";
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) {
    return "Connect to answer";
  }
  const std::string other = WhyOtherVersion(situation.input, node);
  if (!other.empty()) return other;
  return WhyKeptOut(situation, member, How::kOpen, GoesFirstAlone(situation, member));
}

bool TakesTooLong(Situation& situation, const Member& member) {
  const bool prepares = member.position == v1::PREPARING || member.position == v1::READY;
  const bool closed = member.position == v1::SERVING && member.memory.closed();
  if (!prepares && !closed) return false;
  if (closed && WhyNotVerified(situation, member).empty()) return false;
  return situation.moments.Lasted(BegunAt(situation, member), kTakesLong);
}

std::string WhyItLasts(Situation& situation, const Member& member) {
  if (member.position == v1::SERVING) return WhyNotVerified(situation, member);
  if (member.position != v1::READY) return "it is not prepared yet";
  const std::string why =
      WhyKeptOut(situation, member, How::kStart, GoesFirstAlone(situation, member));
  return why.empty() ? "it is not started yet; connect-ha plan says what it waits for" : why;
}

bool MayBeMigrating(const Member& first) {
  const auto runs = [](v1::NodeState state) {
    return state == v1::SERVING || state == v1::DRAINING;
  };
  const v1::PlanNode& node = *first.node;
  const bool told = runs(first.position) || runs(first.memory.state());
  if (!told || IsGone(first) || StartFailed(first)) return false;
  // It answers once that is done.
  if (node.brief().facts().answers()) return false;
  // It may have the order already, though it does not say so yet.
  return !node.fresh() || node.connect() != v1::CONNECT_RESTS ||
         IsLater(first.memory.order(), node.obeys());
}

std::string HowToStopIt(const Member& first) {
  if (first.node->brief().lost()) {
    return absl::StrCat("where that machine is no more: connect-ha node gone ", first.name(),
                        " --reason ...");
  }
  return absl::StrCat("to stop it all the same: connect-ha node stop ", first.name(),
                      " --now --allow-downtime --reason ...");
}

bool MayOpen(Situation& situation, const Change& change) {
  size_t right = 0;
  size_t expected = 0;
  for (const Member& member : situation.members) {
    const bool is_right = member.serves || (member.position == v1::SERVING &&
                                            WhyNotVerified(situation, member).empty());
    if (is_right) ++right;
    if (is_right || IsExpected(situation, change, member)) ++expected;
  }
  return right > 0 && right >= std::min(MinimumServing(situation.input.spec()), expected);
}

std::string WhyClosed(Situation& situation, const Change& change, const Member& member) {
  const std::string why = WhyNotVerified(situation, member);
  if (!why.empty()) return why;
  const v1::Rollout& rollout = change.rollout;
  if (rollout.kind() != v1::Rollout::TOGETHER || !rollout.has_in_force_at()) return "";
  if (change.first_alone) return "that it is right to be remembered, and the others let go";
  if (!rollout.has_opened_at()) {
    return absl::StrCat("as many to be right as are to serve at the least (minimum_serving: ",
                        MinimumServing(situation.input.spec()), "): gates open together");
  }
  return "";
}

}  // namespace connect_ha
