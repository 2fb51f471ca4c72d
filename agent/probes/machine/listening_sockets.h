// The TCP sockets that listen, asked of the kernel by netlink (sock_diag(7)). /proc/net/tcp tells
// the same, but the kernel walks its table of all connections for it, which takes milliseconds on
// a machine with much memory.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

// Of both protocols, in no order, with duplicates. Returns within two seconds.
absl::StatusOr<std::vector<v1::Listener>> ListListeningSockets();

}  // namespace connect_ha
