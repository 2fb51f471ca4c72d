// What systemd calls a mount.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace connect_ha {

// The first line of every unit's file and drop-in that the agent writes, by which it is known.
inline constexpr char kOwnUnitLine[] =
    "# Of connect-ha-agent, from the cluster's specification: what is changed here is written "
    "anew.\n";

// "/mnt/posit-share" -> "mnt-posit\x2dshare.mount", as systemd-escape(1) --path has it.
std::string MountUnitName(absl::string_view mount_point);

}  // namespace connect_ha
