#include "coordinator/plan/change/restarts.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"

namespace connect_ha {
namespace {

constexpr std::chrono::hours kRestartsIn{1};
constexpr uint32_t kRestartsPerHour = 2;

size_t RestartsLately(const Situation& situation) {
  const auto& made = situation.input.memory().restarts();
  return static_cast<size_t>(
      std::count_if(made.begin(), made.end(), [&situation](const v1::RestartMade& one) {
        return situation.moments.now() < FromProto(one.at()) + kRestartsIn;
      }));
}

size_t RestartsPerHour(const Situation& situation) {
  const v1::RolloutSpec& spec = situation.input.spec().rollout();
  return spec.has_restarts_per_hour() ? spec.restarts_per_hour() : kRestartsPerHour;
}

// It drains, and is to be stopped for what differs there: that counts from now on, as one of those
// of the hour, or as many as may be out at once would each be the last one that may be.
bool IsOnItsWay(const Situation& situation, const Member& member) {
  return member.stays.empty() && member.position == v1::DRAINING && !IsHeldByPerson(member) &&
         IsDrift(situation, member);
}

// Those whose turn it is with the same decision, and that come before it, too.
size_t RestartsToCome(const Situation& situation, const Change& change, const Member& member) {
  size_t count = static_cast<size_t>(
      std::count_if(situation.members.begin(), situation.members.end(),
                    [&](const Member& other) { return IsOnItsWay(situation, other); }));
  for (const Member* before : change.turns.next) {
    if (before == &member) break;
    if (IsDrift(situation, *before) && !before->memory.closed()) ++count;
  }
  return count;
}

// Of those that drain for it the eldest go first.
size_t RestartsBefore(const Situation& situation, const Member& member) {
  return static_cast<size_t>(
      std::count_if(situation.members.begin(), situation.members.end(), [&](const Member& other) {
        return IsOnItsWay(situation, other) && other.node->member() < member.node->member();
      }));
}

}  // namespace

v1::Change::Needs NeedsOf(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!HoldsGeneration(situation.input, node) || !SpeaksOfGeneration(situation.input, node)) {
    return v1::Change::NEEDS_UNSPECIFIED;
  }
  return GreatestNeeds(node.convergence().needs(), node.convergence().changes());
}

bool IsDrift(const Situation& situation, const Member& member) {
  const uint64_t generation = situation.input.generation();
  return generation > 0 && member.memory.reached() >= generation &&
         NeedsOf(situation, member) >= v1::Change::RESTART;
}

std::string ResourceToChange(const Member& member) {
  const v1::Change* change = FirstThatInterrupts(member.node->convergence());
  return change == nullptr ? "what Connect is started with" : change->resource();
}

std::string WhyNoRestart(Situation& situation, const Change& change, const Member& member) {
  for (const Member& other : situation.members) {
    if (&other == &member || other.memory.start_failed() != situation.input.generation()) continue;
    return absl::StrCat("Connect did not start on ", other.name(), ": that comes first");
  }
  const size_t most = RestartsPerHour(situation);
  const size_t made = RestartsLately(situation);
  if (made + RestartsToCome(situation, change, member) < most) return "";
  if (made < most) {
    return absl::StrCat(
        "others that are restarted for what differs there: as many as may be within the hour ",
        "(rollout.restarts_per_hour: ", most, ")");
  }
  const std::string why = absl::StrCat(
      "Connect was restarted as often within the hour as it may be for what differs "
      "(rollout.restarts_per_hour: ",
      most, ")");
  situation.Say(member.name(), absl::StrCat(ResourceToChange(member), " differs, and ", why),
                absl::StrCat("connect-ha node drain ", member.name(),
                             " --reason ..., then: connect-ha node uncordon ", member.name()));
  return why;
}

bool MayGoOn(const Situation& situation, const Member& member) {
  return RestartsLately(situation) + RestartsBefore(situation, member) < RestartsPerHour(situation);
}

}  // namespace connect_ha
