#include "coordinator/plan/change/leave.h"

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/restarts.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/turn.h"

namespace connect_ha {
namespace {

// Nobody but a person stops what was never told to serve; but where it was a member as a change
// began that is under way.
bool IsOnlyObserved(const Change& change, const Member& member) {
  const bool observed =
      member.position == v1::OBSERVED || member.node->brief().reported_state() == v1::OBSERVED;
  const v1::RolloutNode* listed = FindNode(change.rollout, member.name());
  return observed && (listed == nullptr || !listed->to_change());
}

std::string WhyNotItsVersion(const Situation& situation, const Member& member) {
  const v1::ConnectSpec& spec = situation.input.spec().connect();
  const std::string& runs = member.node->running_version();
  const bool is_other = spec.has_version() && !runs.empty() &&
                        member.memory.reached() < situation.input.generation() &&
                        CompareVersions(runs, spec.version()) < 0;
  std::string fix;
  const v1::DatabaseMemory& database = situation.input.memory().database();
  return is_other ? WhyNotVersion(situation, database, runs, fix) : "";
}

// Its agent may have heard of that generation since, and its Connect runs on as it was started.
bool HasNotStopped(const Situation& situation, const Member& member) {
  return member.memory.reached() < situation.input.memory().not_before() &&
         member.node->connect() == v1::CONNECT_RUNS &&
         NeedsOf(situation, member) == v1::Change::TOGETHER;
}

// What its agent holds, its Connect was started as, or earlier: another database, say.
std::string WhyLeftBehind(const Situation& situation, const Member& member) {
  const uint64_t not_before = situation.input.memory().not_before();
  const uint64_t holds = member.node->brief().reported_generation();
  if (!member.node->own_lineage() || holds == 0) return "";
  if (holds >= not_before) {
    if (!HasNotStopped(situation, member)) return "";
    return absl::StrCat("it runs as before, which the others have left together for ", not_before);
  }
  return absl::StrCat("it runs as generation ", holds, ", which the others have left together for ",
                      not_before);
}

}  // namespace

std::optional<ForChange> LeavesForChange(Situation& situation, const Change& change,
                                         const Member& member, std::string& waits) {
  const std::string held = WhyHeld(situation, change, member);
  if (!held.empty()) {
    // Once all had stopped, nobody is to run anything.
    const bool at_once = !change.stopping || member.memory.closed();
    return ForChange{held, at_once ? v1::STOPPED : v1::DRAINING, /*downtime=*/true,
                     StartFailed(member)};
  }
  const std::string why = TurnOf(situation, change, member, waits);
  if (why.empty()) return std::nullopt;
  return ForChange{why, member.memory.closed() ? v1::PREPARING : v1::DRAINING,
                   change.may_be_downtime(), /*start_failed=*/false};
}

std::string WhyTooOld(Situation& situation, const Change& change, const Member& member) {
  std::string why = WhyNotItsVersion(situation, member);
  if (why.empty()) why = WhyLeftBehind(situation, member);
  if (why.empty() || !IsOnlyObserved(change, member)) return why;
  situation.Say(member.name(), absl::StrCat(why, ": it runs here, and is only observed"),
                absl::StrCat("connect-ha node stop ", member.name(),
                             " --now --reason ..., then: connect-ha node start ", member.name(),
                             " --reason ..."));
  return "";
}

}  // namespace connect_ha
