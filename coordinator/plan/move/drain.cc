#include "coordinator/plan/move/drain.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/move/enter.h"

namespace connect_ha {
namespace {

// By whose wish Connect is stopped once it is drained.
std::string WhyItEnds(Situation& situation, const Member& member) {
  if (member.words.stop != nullptr) return SaidBy(*member.words.stop);
  if (member.words.drain != nullptr) return SaidBy(*member.words.drain);
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  return notice == nullptr ? "" : TextOf(*notice);
}

Time DrainEnds(Situation& situation, const Member& member) {
  Time end = FromProto(member.memory.since()) + DrainTimeout(situation.input.spec());
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  if (notice == nullptr) return end;
  const auto before = StopBefore(*notice);
  return before ? std::min(end, *before) : end;
}

bool IsDrained(Situation& situation, const Member& member) {
  // Until then its gate may be open, and an agent that was only to look on stops nothing.
  if (!HasReached(member, v1::DRAINING)) return false;
  const NodeWords& words = member.words;
  if (words.stop != nullptr && words.stop->now()) return true;
  if (words.drain != nullptr && words.drain->now()) return true;
  return situation.moments.Reached(DrainEnds(situation, member));
}

std::string Users(Situation& situation, const Member& member) {
  return absl::StrCat(
      "its users, until ", FormatUtc(DrainEnds(situation, member)),
      member.node->has_jobs() ? absl::StrCat(" (", member.node->jobs(), " still run)") : "");
}

Move EndDrain(Situation& situation, const Member& member, const std::string& why,
              const std::vector<std::string>& out_for) {
  if (!IsDrained(situation, member)) {
    return {v1::DRAINING, why, Users(situation, member), out_for};
  }
  // It was let go while others served. Where none is known to now, this may be the last Connect.
  if (!MayBeDowntime(member.words) && !AnotherServes(situation, member)) {
    const bool by_word = member.words.stop != nullptr || member.words.drain != nullptr;
    return {v1::DRAINING, why,
            absl::StrCat("another node to serve, before Connect is stopped here",
                         by_word ? "; the same command with --allow-downtime does it now" : ""),
            out_for};
  }
  if (member.words.stop != nullptr) return {v1::STOPPED, why, "Connect to stop", {}};
  const bool ready = IsReady(situation.input, *member.node);
  return {ready ? v1::READY : v1::PREPARING, why, "Connect to stop", {}};
}

// A Connect that answers may only not be enabled, as one that was never told to serve: that is put
// right once it serves.
bool IsRightOnceItServes(const Member& member, const std::string& rule) {
  return rule == kServiceRule && member.position == v1::DRAINING &&
         member.node->brief().facts().answers();
}

}  // namespace

std::vector<std::string> StillOutFor(Situation& situation, const Member& member) {
  std::set<std::string> rules;
  for (const std::string& rule : member.memory.out_for()) {
    if (!IsOver(situation, member, rule)) rules.insert(rule);
  }
  // Of a node that is fenced, what else is wrong with it keeps it from entering service, not here.
  const v1::RuleAction least = member.position == v1::FENCED ? v1::FENCE : v1::HOLD;
  for (const v1::Hazard& hazard : member.hazards) {
    if (IsRightOnceItServes(member, hazard.rule())) continue;
    if (hazard.acts() && hazard.action() >= least) rules.insert(hazard.rule());
  }
  return {rules.begin(), rules.end()};
}

std::string OutText(const Member& member, const std::vector<std::string>& out_for) {
  const v1::NodeRule* line = LineOf(*member.node, out_for.front());
  return absl::StrCat(out_for.front(), line == nullptr || line->text().empty() ? "" : ": ",
                      line == nullptr ? "" : line->text());
}

bool WaitsForJudgement(Situation& situation, const Member& member) {
  const NodeWords& words = member.words;
  const bool is_asked = words.fence != nullptr || words.stop != nullptr || words.drain != nullptr ||
                        words.start != nullptr;
  return IsOutForServiceAlone(member) && StillOutFor(situation, member).size() <= 1 && !is_asked &&
         ActionOf(situation, member, kServiceRule) > v1::TELL &&
         member.memory.start_failed() != situation.input.generation();
}

Move StayDraining(Situation& situation, const Member& member, const std::string& what) {
  const std::string why = WhyItEnds(situation, member);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  return {v1::DRAINING, !why.empty() || out_for.empty() ? why : OutText(member, out_for),
          absl::StrCat("to know ", what), out_for};
}

Move FromDraining(Situation& situation, const Member& member) {
  const std::string ends = WhyItEnds(situation, member);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  const bool by_rule = ends.empty() && !out_for.empty();
  const std::string why = !ends.empty() ? ends
                          : by_rule     ? OutText(member, out_for)
                                        : WhyNotReturn(situation, member);
  if (why.empty()) return {v1::SERVING, "", "", {}};
  if (IsNeededBack(situation, member)) {
    const std::string about = by_rule ? absl::StrJoin(out_for, ", ") : ends;
    situation.Say(member.name(), absl::StrCat(why, "; it serves all the same, since no other does"),
                  "connect-ha status; connect-ha checklist", absl::StrCat(about, "; needed"));
    return {v1::SERVING, absl::StrCat(why, "; no other node serves"), "", {}};
  }
  if (!ends.empty()) return EndDrain(situation, member, ends, out_for);
  if (by_rule) return {v1::DRAINING, why, "that to be right for long enough", out_for};
  return {v1::DRAINING, "it was taken out of service", why, {}};
}

}  // namespace connect_ha
