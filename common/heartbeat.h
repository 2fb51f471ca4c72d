// How often a node speaks to the coordinator, and what follows from that.
#pragma once

#include <chrono>

namespace connect_ha {

// Between two heartbeats of a node of which nothing is wanted sooner.
inline constexpr std::chrono::milliseconds kHeartbeatInterval{5000};
// The least that limits.stale_after can be: a node that misses one heartbeat, or is late with it,
// is not lost.
inline constexpr std::chrono::milliseconds kLeastStaleAfter = 3 * kHeartbeatInterval;

// In the words with which a coordinator refuses (PERMISSION_DENIED) a node that was removed, and in
// no other refusal: the node goes by them.
inline constexpr char kRemovedWords[] = "was removed";

}  // namespace connect_ha
