#include "coordinator/plan/move/versions.h"

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
std::string WhyVersionsDiffer(const Situation& situation, const Member& member) {
  const std::string& own = member.node->installed_version();
  if (own.empty()) return "which version of Connect it has is not known";
  for (const Member& other : situation.members) {
    if (&other == &member || !MayRunConnect(other)) continue;
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
