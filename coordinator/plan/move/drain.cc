#include "coordinator/plan/move/drain.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/notices.h"
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
  const NodeWords& words = member.words;
  if (words.stop != nullptr && words.stop->now()) return true;
  if (words.drain != nullptr && words.drain->now()) return true;
  return HasReached(member, v1::DRAINING) &&
         situation.moments.Reached(DrainEnds(situation, member));
}

std::string Users(Situation& situation, const Member& member) {
  return absl::StrCat(
      "its users, until ", FormatUtc(DrainEnds(situation, member)),
      member.node->has_jobs() ? absl::StrCat(" (", member.node->jobs(), " still run)") : "");
}

Move EndDrain(Situation& situation, const Member& member, const std::string& why) {
  if (!IsDrained(situation, member)) {
    return {v1::DRAINING, why, Users(situation, member), StillOutFor(situation, member)};
  }
  if (member.words.stop != nullptr) return {v1::STOPPED, why, "Connect to stop", {}};
  const bool ready = IsReady(situation.input, *member.node);
  return {ready ? v1::READY : v1::PREPARING, why, "Connect to stop", {}};
}

// A rule that only holds lets a node go while others serve; where it is known that none does, it is
// better than none.
bool IsNeededBack(const Situation& situation, const Member& member,
                  const std::vector<std::string>& out_for) {
  const bool held = std::all_of(out_for.begin(), out_for.end(), [&](const std::string& rule) {
    return ActionOf(situation, member, rule) <= v1::HOLD;
  });
  const v1::FactsBrief& facts = member.node->brief().facts();
  const bool mounted =
      facts.has_mount_verified() ? facts.mount_verified() : !situation.input.spec().has_storage();
  const bool wanted = member.words.cordon == nullptr && member.words.fence == nullptr;
  if (!held || !mounted || !wanted || !facts.has_answers() || !facts.answers()) return false;
  return std::all_of(situation.members.begin(), situation.members.end(),
                     [&member](const Member& other) {
                       return &other == &member || other.known_out || other.node->brief().lost() ||
                              other.words.gone != nullptr;
                     });
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
    if (hazard.acts() && hazard.action() >= least) rules.insert(hazard.rule());
  }
  return {rules.begin(), rules.end()};
}

std::string OutText(const Member& member, const std::vector<std::string>& out_for) {
  const v1::NodeRule* line = LineOf(*member.node, out_for.front());
  return absl::StrCat(out_for.front(), line == nullptr || line->text().empty() ? "" : ": ",
                      line == nullptr ? "" : line->text());
}

Move StayDraining(Situation& situation, const Member& member) {
  const std::string why = WhyItEnds(situation, member);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  return {v1::DRAINING, !why.empty() || out_for.empty() ? why : OutText(member, out_for),
          "to know whether Connect runs here", out_for};
}

Move FromDraining(Situation& situation, const Member& member) {
  const std::string ends = WhyItEnds(situation, member);
  if (!ends.empty()) return EndDrain(situation, member, ends);
  const std::vector<std::string> out_for = StillOutFor(situation, member);
  if (out_for.empty()) {
    const std::string why = WhyNotReturn(situation, member);
    if (why.empty()) return {v1::SERVING, "", "", {}};
    return {v1::DRAINING, "it was taken out of service", why, {}};
  }
  const std::string text = OutText(member, out_for);
  if (IsNeededBack(situation, member, out_for)) {
    situation.Say(member.name(),
                  absl::StrCat(text, "; it serves all the same, since no other does"),
                  "connect-ha checklist");
    return {v1::SERVING, absl::StrCat(text, "; no other node serves"), "", {}};
  }
  return {v1::DRAINING, text, "that to be right for long enough", out_for};
}

}  // namespace connect_ha
