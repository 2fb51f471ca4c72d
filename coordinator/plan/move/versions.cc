#include "coordinator/plan/move/versions.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

bool IsHeld(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::STOPPED ||
         state == v1::FENCED;
}

// It was told to keep Connect stopped. Until its agent says that it does, a boot may start Connect,
// or the agent by what it was told before.
bool MayStartYet(const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (!IsHeld(member.position) || node.installed_version().empty()) return false;
  // Of one that was not heard since the coordinator's start nothing is known to be taken.
  const bool on_its_way = IsLater(member.memory.order(), node.obeys());
  const v1::NodeState reported = node.brief().reported_state();
  return on_its_way || (reported != v1::NODE_STATE_UNSPECIFIED && !IsHeld(reported));
}

// Nobody holds Connect there: a boot, or whoever stopped it for a moment, starts it again.
bool MayComeBack(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (member.position != v1::OBSERVED || node.installed_version().empty()) return false;
  if (!node.fresh()) return true;
  return node.connect() == v1::CONNECT_RESTS && !RestsForLong(situation, member);
}

// It may run Connect, now or once it is heard again.
bool MayRunConnect(Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  if (IsGone(member)) return false;
  if (!node.brief().has_last_seen()) return true;  // enrolled, and never heard
  if (member.position == v1::SERVING || member.position == v1::DRAINING) return true;
  if (MayStartYet(member) || MayComeBack(situation, member)) return true;
  if (node.fresh()) return node.connect() != v1::CONNECT_RESTS;
  return !node.running_version().empty();
}

}  // namespace

std::string WhyVersionsDiffer(Situation& situation, const Member& member) {
  const std::string& own = member.node->installed_version();
  if (own.empty()) return "which version of Connect it has is not known";
  for (const Member& other : situation.members) {
    if (&other == &member || !MayRunConnect(situation, other)) continue;
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
