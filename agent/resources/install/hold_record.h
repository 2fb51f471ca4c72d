// Whose hold a package is on: letting go of a node takes off what this agent put there, and no
// other. STATE_DIR/holds/PACKAGE says it; one that is not there counts as somebody else's.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/resources/resource.h"

namespace connect_ha {

struct NotedHold {
  std::string package;
  bool is_ours = false;  // else somebody else's, which was taken off to be put back
  // As dpkg has it now.
  bool is_known = false;
  bool is_on_hold = false;
};

// Before the agent puts the package on hold, or takes it off to put it back: the hold is the
// agent's where it is on none now. What is noted already stays.
absl::Status NoteHold(const ResourceContext& context, const std::string& package);

absl::StatusOr<std::vector<NotedHold>> NotedHolds(const ResourceContext& context);

absl::Status ForgetHold(const ResourceContext& context, const std::string& package);
// Forgets what says nothing any more, while no installation is under way: of packages that are
// gone, of holds that somebody took off, and of others' that are back.
absl::Status ForgetSettledHolds(const ResourceContext& context);

}  // namespace connect_ha
