// How often a node speaks to the coordinator, and what follows from that.
#pragma once

#include <chrono>

namespace connect_ha {

// Between two heartbeats of a node of which nothing is wanted sooner.
inline constexpr std::chrono::milliseconds kHeartbeatInterval{5000};
// The least that limits.stale_after can be: a node that misses one heartbeat, or is late with it,
// is not lost.
inline constexpr std::chrono::milliseconds kLeastStaleAfter = 3 * kHeartbeatInterval;

}  // namespace connect_ha
