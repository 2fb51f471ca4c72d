// The keys of the advisory locks by which the nodes of a cluster see each other in its database.
#pragma once

#include <cstdint>
#include <string_view>

namespace connect_ha {

// The two that pg_try_advisory_lock takes: what all nodes of a cluster have alike, and what one of
// them has. The first four bytes, the highest first, of the SHA-256 of "connect-ha presence 1\n"
// and the cluster's name, and of that with "\n" and the node's name behind it. Two nodes that come
// to one key are one pair in four thousand million: then only one of them can hold it, and the
// other says so.
uint32_t PresenceClass(std::string_view cluster);
uint32_t PresenceKey(std::string_view cluster, std::string_view node);

}  // namespace connect_ha
