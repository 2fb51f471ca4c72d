#include "coordinator/plan/move/enter.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/kept_out.h"
#include "coordinator/plan/move/versions.h"

namespace connect_ha {
namespace {

std::string FirstChange(const v1::Convergence& convergence) {
  const v1::Change& change = convergence.changes(0);
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
  if (node.convergence().changes_size() > 0 &&
      !node.convergence().changes(0).interrupts().empty()) {
    return FirstChange(node.convergence());
  }
  if (!node.brief().facts().has_answers() || !node.brief().facts().answers()) {
    return "Connect does not answer there";
  }
  return WhyNot(situation, member, How::kAdopt);
}

std::string WhyNotReturn(Situation& situation, const Member& member) {
  return WhyNot(situation, member, How::kReturn);
}

}  // namespace connect_ha
