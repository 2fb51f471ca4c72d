#include "coordinator/plan/look/kept_out.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/look/unclear.h"

namespace connect_ha {
namespace {

// By people, or by EC2.
std::string WhyHeldOut(Situation& situation, const Member& member, How how) {
  const NodeWords& words = member.words;
  for (const v1::Word* word : {words.fence, words.stop, words.drain, words.cordon}) {
    if (word != nullptr) return SaidBy(*word);
  }
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  if (notice == nullptr) return "";
  // Nothing but a recommendation, or it is started already: until it goes, one that serves is
  // better than none.
  const bool may_serve = notice->kind() == v1::InstanceNotice::REBALANCE || how == How::kOpen;
  const bool is_needed = may_serve && IsAlone(situation, member);
  return is_needed ? "" : TextOf(*notice);
}

// The specification asks for it since, and nobody who serves is taken out for that. What may
// corrupt data is another matter.
bool IsStillToBeMade(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  return Fails(line) && line.basis() == v1::SPEC && !line.undecided() &&
         member.memory.reached() < situation.input.generation() &&
         ActionOf(situation, member, line.rule()) < v1::FENCE;
}

// Its users reach it all the while. What may corrupt data is another matter.
bool IsInRotation(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  return AsksConnect(situation.input.spec()) && member.node->brief().facts().answers() &&
         ActionOf(situation, member, line.rule()) < v1::FENCE;
}

// That of a Connect that is to be started is not asked before; guarded, and enabled, it is once it
// serves; that it answers is asked for apart.
bool IsRightThen(const Member& member, const v1::NodeRule& line, How how) {
  const bool of_service = line.rule() == kServiceRule;
  if (how == How::kStart) return of_service;
  if (!Fails(line)) return false;
  if (how == How::kAdopt) return of_service || line.rule() == kGuardRule;
  return of_service && member.node->brief().facts().answers();
}

// Of this node's own rules.
std::string WhyRulesHold(const Situation& situation, const Member& member, How how, bool alone) {
  for (const v1::NodeRule& line : member.node->rules()) {
    if (ActionOf(situation, member, line.rule()) <= v1::TELL || DoesNothing(line)) continue;
    if (DiffersOnPurpose(situation, member, line)) continue;
    if (alone && (line.basis() == v1::PROOF || line.basis() == v1::PEERS)) continue;
    if (how == How::kReturn && IsStillToBeMade(situation, member, line)) continue;
    if (how == How::kReturn && IsInRotation(situation, member, line)) continue;
    if (!IsRightThen(member, line, how)) return absl::StrCat(line.rule(), ": ", line.text());
  }
  return "";
}

// Where nobody can say which node is the wrong one, none is added to them.
std::string WhyAllWait(const Situation& situation) {
  for (const Member& member : situation.members) {
    if (!member.node->fresh()) continue;
    for (const v1::NodeRule& line : member.node->rules()) {
      if (!IsUnclear(situation, member, line)) continue;
      if (DiffersOnPurpose(situation, member, line)) continue;
      if (ActionOf(situation, member, line.rule()) < v1::CLOSE) continue;
      return absl::StrCat(line.rule(), ": nothing tells which node is the wrong one, and none ",
                          "enters service until that is decided");
    }
  }
  return "";
}

std::string WhyNotMounted(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::FactsBrief& facts = node.brief().facts();
  if (facts.has_mount_verified() && !facts.mount_verified()) {
    return "its data directory is not on the specification's file system, or that does not answer";
  }
  if (input.spec().has_storage() && !facts.has_mount_verified()) {
    return "whether its data directory is on the specification's file system is not known";
  }
  return "";
}

}  // namespace

std::string WhyKeptOut(Situation& situation, const Member& member, How how, bool alone) {
  for (const std::string& why :
       {WhyHeldOut(situation, member, how), WhyNotMounted(situation.input, *member.node),
        WhyRulesHold(situation, member, how, alone), alone ? "" : WhyAllWait(situation)}) {
    if (!why.empty()) return why;
  }
  return "";
}

}  // namespace connect_ha
