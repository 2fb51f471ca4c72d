#include "coordinator/plan/move/drain.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/needed_back.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/turn.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/enter.h"

namespace connect_ha {
namespace {

// The least that limits.stale_after can be: who is not heard for so long has missed two heartbeats.
constexpr std::chrono::seconds kHeardLately{15};
constexpr std::chrono::seconds kAskedAgain{1};

// By whose wish Connect is stopped once it is drained.
std::string WhyItEnds(Situation& situation, const Change& change, const Member& member) {
  if (member.words.stop != nullptr) return SaidBy(*member.words.stop);
  if (member.words.drain != nullptr) return SaidBy(*member.words.drain);
  const std::string held = WhyHeld(situation, change, member);
  if (!held.empty()) return held;
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  return notice == nullptr ? WhyItIsStopped(situation, change, member) : TextOf(*notice);
}

Time DrainEnds(Situation& situation, const Member& member) {
  const Time began =
      member.memory.gate_awaited() ? situation.moments.now() : FromProto(member.memory.since());
  Time end = began + DrainTimeout(situation.input.spec());
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  if (notice == nullptr) return end;
  const auto before = StopBefore(*notice);
  return before ? std::min(end, *before) : end;
}

bool IsDrained(Situation& situation, const Change& change, const Member& member) {
  // Until then its gate may be open, and an agent that was only to look on stops nothing.
  if (!HasReached(member, v1::DRAINING)) return false;
  const NodeWords& words = member.words;
  if (!WhyHeld(situation, change, member).empty()) {
    // It is given up, and the node goes back.
    if (!change.goes_back.empty()) return false;
    const bool idle = member.node->has_jobs() && member.node->jobs() == 0;
    if (idle || !change.stopping) return true;
  }
  if (words.stop != nullptr && words.stop->now()) return true;
  if (words.drain != nullptr && words.drain->now()) return true;
  return situation.moments.Reached(DrainEnds(situation, member));
}

// Whoever is let go for good is not let go by the word of one that may be gone itself: it is heard
// every few seconds, and lost only after half a minute.
bool AnotherWasJustHeardToServe(Situation& situation, const Member& member) {
  if (!AnotherServes(situation, member)) return false;
  Moments& moments = situation.moments;
  const bool is_heard =
      std::any_of(situation.members.begin(), situation.members.end(), [&](const Member& other) {
        const Time last_seen = FromProto(other.node->brief().last_seen());
        return &other != &member && other.serves && !moments.Reached(last_seen + kHeardLately);
      });
  // It may be heard at any time.
  if (!is_heard) moments.Reached(moments.now() + kAskedAgain);
  return is_heard;
}

std::string Users(Situation& situation, const Member& member) {
  return absl::StrCat(
      "its users, until ", FormatUtc(DrainEnds(situation, member)),
      member.node->has_jobs() ? absl::StrCat(" (", member.node->jobs(), " still run)") : "");
}

Move EndDrain(Situation& situation, const Change& change, const Member& member,
              const std::string& why, const std::vector<std::string>& out_for) {
  if (!IsDrained(situation, change, member)) {
    return {v1::DRAINING, why, Users(situation, member), out_for};
  }
  // It was let go while others served. Where none is known to now, this may be the last Connect.
  if (!MayBeDowntime(situation, change, member) && !AnotherWasJustHeardToServe(situation, member)) {
    const bool by_word = member.words.stop != nullptr || member.words.drain != nullptr;
    return {v1::DRAINING, why,
            absl::StrCat("another node to serve, before Connect is stopped here",
                         by_word ? "; the same command with --allow-downtime does it now" : ""),
            out_for};
  }
  const bool stays_stopped =
      member.words.stop != nullptr || !WhyHeld(situation, change, member).empty();
  if (stays_stopped) return {v1::STOPPED, why, "Connect to stop", {}};
  const bool ready = IsReady(situation.input, *member.node);
  return {ready ? v1::READY : v1::PREPARING, why, "Connect to stop", {}};
}

}  // namespace

bool WaitsForJudgement(Situation& situation, const Member& member) {
  const NodeWords& words = member.words;
  const bool is_asked = words.fence != nullptr || words.stop != nullptr || words.drain != nullptr ||
                        words.start != nullptr;
  return IsOutForServiceAlone(member) && StillOutFor(situation, member).size() <= 1 && !is_asked &&
         ActionOf(situation, member, kServiceRule) > v1::TELL &&
         member.memory.start_failed() != situation.input.generation();
}

Move StayDraining(Situation& situation, const Change& change, const Member& member,
                  const std::string& what) {
  const std::string why = WhyItEnds(situation, change, member);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  return {v1::DRAINING, !why.empty() || out_for.empty() ? why : OutText(member, out_for),
          absl::StrCat("to know ", what), out_for};
}

Move FromDraining(Situation& situation, const Change& change, const Member& member) {
  const std::string ends = WhyItEnds(situation, change, member);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  const bool by_rule = ends.empty() && !out_for.empty();
  const std::string why = !ends.empty() ? ends
                          : by_rule     ? OutText(member, out_for)
                                        : WhyNotReturn(situation, member);
  // Where all were stopped, gates open together; else a Connect that ran on is let back.
  const bool closed = change.rollout.has_in_force_at() && !change.rollout.has_opened_at() &&
                      change.rollout.kind() == v1::Rollout::TOGETHER;
  if (why.empty()) return {v1::SERVING, "", "", {}, closed};
  // Behind a closed gate it would serve nobody.
  if (!closed && IsNeededBack(situation, change, member)) {
    const bool alone = IsAlone(situation, member);
    const std::string about = by_rule ? absl::StrJoin(out_for, ", ") : ends;
    situation.Say(member.name(),
                  absl::StrCat(why, "; it serves all the same, since ",
                               alone ? "no other does" : "too few others do"),
                  "connect-ha status; connect-ha checklist", absl::StrCat(about, "; needed"));
    return {v1::SERVING,
            absl::StrCat(why, alone ? "; no other node serves" : "; too few others serve"),
            "",
            {}};
  }
  if (!ends.empty()) return EndDrain(situation, change, member, ends, out_for);
  if (by_rule) return {v1::DRAINING, why, "that to be right for long enough", out_for};
  return {v1::DRAINING, "it was taken out of service", why, {}};
}

}  // namespace connect_ha
