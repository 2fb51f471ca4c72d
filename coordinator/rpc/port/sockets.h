// The system's calls about listening sockets and connections.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace connect_ha {

// A file descriptor that closes itself.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd();
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.Release()) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  int get() const { return fd_; }
  int Release();

 private:
  int fd_;
};

struct Listening {
  std::vector<OwnedFd> sockets;  // non-blocking
  int port = 0;
};

// Listens on every address of `host` (a name, an address, "[::]" for all of this machine; where
// there is no IPv6, its IPv4 addresses), port 0: on a free one. Unavailable: the port is taken, or
// the address is none of this machine. `option` is named in the fix: "--listen".
absl::StatusOr<Listening> ListenOn(const std::string& host, int port, const std::string& option);

// What came in over a connection so far, before TLS is taken off; 0 when the system does not say.
uint64_t BytesReceived(int socket);

// How many files this process may have open, after asking for as many as it may.
size_t RaiseFileLimit();

}  // namespace connect_ha
