#include "coordinator/plan/move/enter.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/notices.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/look/unclear.h"
#include "coordinator/plan/move/versions.h"

namespace connect_ha {
namespace {

enum class How { kStart, kAdopt, kReturn };

// By people, or by EC2.
std::string WhyHeldOut(Situation& situation, const Member& member) {
  const NodeWords& words = member.words;
  for (const v1::Word* word : {words.fence, words.stop, words.drain, words.cordon}) {
    if (word != nullptr) return SaidBy(*word);
  }
  const v1::InstanceNotice* notice = NoticeDue(situation, member);
  if (notice == nullptr) return "";
  // Nothing but a recommendation: until it is followed, one that serves is better than none.
  const bool is_needed =
      notice->kind() == v1::InstanceNotice::REBALANCE && IsAlone(situation, member);
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

// Of this node's own rules.
std::string WhyRulesHold(const Situation& situation, const Member& member, How how) {
  for (const v1::NodeRule& line : member.node->rules()) {
    if (ActionOf(situation, member, line.rule()) <= v1::TELL || Holds(line)) continue;
    if (line.outcome() == v1::FAIL && !Fails(line)) continue;
    if (how == How::kStart && line.rule() == kServiceRule) continue;
    if (how == How::kReturn && IsStillToBeMade(situation, member, line)) continue;
    if (how == How::kReturn && IsInRotation(situation, member, line)) continue;
    // Guarded, and enabled, it is once it serves; that it answers is asked for apart.
    const bool of_unit = line.rule() == kGuardRule || line.rule() == kServiceRule;
    const bool answers = member.node->brief().facts().answers();
    const bool is_right_then =
        Fails(line) && ((how == How::kAdopt && of_unit) ||
                        (how == How::kReturn && line.rule() == kServiceRule && answers));
    if (!is_right_then) return absl::StrCat(line.rule(), ": ", line.text());
  }
  return "";
}

// Where nobody can say which node is the wrong one, none is added to them.
std::string WhyAllWait(const Situation& situation) {
  for (const Member& member : situation.members) {
    if (!member.node->fresh()) continue;
    for (const v1::NodeRule& line : member.node->rules()) {
      if (!IsUnclear(situation, member, line)) continue;
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

std::string WhyNot(Situation& situation, const Member& member, How how) {
  for (const std::string& why :
       {WhyHeldOut(situation, member), WhyNotMounted(situation.input, *member.node),
        WhyRulesHold(situation, member, how), WhyAllWait(situation),
        how == How::kStart ? WhyVersionsDiffer(situation, member) : ""}) {
    if (!why.empty()) return why;
  }
  return "";
}

std::string ChangeText(const v1::Change& change) {
  return absl::StrCat(change.resource(), ": ", change.from(), ", to be ", change.to());
}

}  // namespace

std::string WhyNotStart(Situation& situation, const Member& member) {
  if (!HasConverged(situation.input, *member.node)) return "its agent is looking at it anew";
  return WhyNot(situation, member, How::kStart);
}

std::string WhyNotAdopt(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!HasReached(member, v1::OBSERVED)) return "its agent to get there";
  if (!HoldsGeneration(situation.input, node)) {
    return "it has not taken this generation of the specification yet";
  }
  if (!SpeaksOfGeneration(situation.input, node)) return "its agent has not looked at it in full";
  if (node.convergence().troubles_size() > 0) {
    const v1::Trouble& trouble = node.convergence().troubles(0);
    return absl::StrCat(trouble.resource(), ": ", trouble.error());
  }
  const v1::Change* differs = FirstThatInterrupts(node.convergence());
  if (differs != nullptr) return ChangeText(*differs);
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) {
    return "Connect does not answer there";
  }
  return WhyNot(situation, member, How::kAdopt);
}

std::string WhyNotReturn(Situation& situation, const Member& member) {
  return WhyNot(situation, member, How::kReturn);
}

}  // namespace connect_ha
