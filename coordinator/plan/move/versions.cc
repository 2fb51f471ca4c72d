#include "coordinator/plan/move/versions.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// It was stopped before the generation was put into force, and was told nothing else since: all
// nodes had said that they were. One that is lost meanwhile holds up nobody, but where it was seen
// to run Connect since.
bool HasRestedSince(const v1::Rollout& rollout, const Member& member) {
  const v1::NodeMemory& memory = member.memory;
  const bool held = memory.state() == v1::STOPPED || memory.state() == v1::FENCED;
  const v1::PlanNode& node = *member.node;
  const bool runs =
      node.fresh() ? node.connect() != v1::CONNECT_RESTS : !node.running_version().empty();
  return rollout.kind() == v1::Rollout::TOGETHER && rollout.has_in_force_at() &&
         !rollout.has_ended_at() && held && !runs && memory.has_since() &&
         FromProto(memory.since()) <= FromProto(rollout.in_force_at());
}

}  // namespace

std::string WhyVersionsDiffer(const Situation& situation, const Member& member) {
  const std::string& own = member.node->installed_version();
  if (own.empty()) return "which version of Connect it has is not known";
  for (const Member& other : situation.members) {
    if (&other == &member || !MayRunConnect(situation, other)) continue;
    if (HasRestedSince(situation.input.memory().rollout(), other)) continue;
    const std::string& theirs = VersionOf(*other.node);
    if (theirs == own) continue;
    const std::string why =
        theirs.empty()
            ? absl::StrCat("which version of Connect runs on ", other.name(), " is not known")
            : absl::StrCat("it has Connect ", own, ", and ", theirs, " may run on ", other.name());
    return other.node->fresh() ? why
                               : absl::StrCat(why,
                                              "; where that machine is no more: connect-ha "
                                              "node gone ",
                                              other.name(), " --reason ...");
  }
  return "";
}

}  // namespace connect_ha
