// Why a mount failed, in words that say what to do. Pure.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "agent/resources/storage/mount_plan.h"

namespace connect_ha {

// Of what the journal has of a mount unit, one message a line: what was printed since it was
// started last, without what systemd itself says.
std::string PrintedByMount(const std::string& unit, const std::string& journal);

// `result`: systemd's word for how the unit ended (exit-code, timeout, protocol). `printed`: see
// above; by mount(8) of util-linux 2.37 to 2.38, mount.nfs of nfs-utils 2.6, amazon-efs-utils 1.35
// to 3.2. FailedPrecondition where something on this node is missing, else Unavailable: what is
// wrong is mended elsewhere, and nothing here tells.
absl::Status ExplainMountFailure(const MountPlan& plan, const std::string& result,
                                 const std::string& printed);

}  // namespace connect_ha
