#pragma once

#include "agent/probes/probe.h"

namespace connect_ha {

// Reads how full the local file systems are that the system and Connect need: for /, /tmp, logs,
// /opt, /var/lib and Connect's own directories. Network file systems are left alone.
absl::Status ReadDisk(const ProbeInput& input, v1::Facts& facts);

// 0 where the size is not known.
uint32_t UsedPercent(const FileSystemUse& use);

}  // namespace connect_ha
