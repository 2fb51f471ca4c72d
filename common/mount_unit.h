// What systemd calls a mount.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace connect_ha {

// "/mnt/posit-share" -> "mnt-posit\x2dshare.mount", as systemd-escape(1) --path has it.
std::string MountUnitName(absl::string_view mount_point);

}  // namespace connect_ha
