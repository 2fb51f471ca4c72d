#include "coordinator/rpc/port/sockets.h"

#include <linux/tcp.h>  // tcpi_bytes_received, which <netinet/tcp.h> does not have
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using AddressList = std::unique_ptr<addrinfo, FreeAddresses>;

absl::Status Taken(int port, const std::string& option) {
  return absl::UnavailableError(
      absl::StrCat("port ", port, " is taken by another program\nfix: ss -ltnp 'sport = :", port,
                   "' shows which; end it, or give another ", option));
}

absl::Status CannotListen(const std::string& host, int port, const std::string& option,
                          const std::string& why) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", host, ":", port, ": ", why,
                                             "\nfix: give an address of this machine (", option,
                                             ")"));
}

absl::StatusOr<AddressList> Resolve(const std::string& host, int port, const std::string& option) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string name(absl::StripSuffix(absl::StripPrefix(host, "["), "]"));
  const int error = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error == 0) return AddressList(found);
  return CannotListen(host, port, option, gai_strerror(error));
}

// The same place in both families' addresses.
static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

void SetPort(sockaddr_storage& address, int port) {
  sockaddr_in as{};
  std::memcpy(&as, &address, sizeof as);
  as.sin_port = htons(static_cast<uint16_t>(port));
  std::memcpy(&address, &as, sizeof as);
}

int PortOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  sockaddr_in as{};
  std::memcpy(&as, &address, sizeof as);
  return ntohs(as.sin_port);
}

// -1 with errno where it cannot.
OwnedFd Listen(const sockaddr_storage& address, socklen_t size) {
  OwnedFd fd(socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) return fd;
  const int yes = 1;
  const int no = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // What is accepted takes it over.
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (address.ss_family == AF_INET6) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  }
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
      listen(fd.get(), SOMAXCONN) == 0) {
    return fd;
  }
  const int error = errno;
  fd = OwnedFd();
  errno = error;
  return fd;
}

bool IsWithoutIpv6(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) close(fd_);
  fd_ = other.Release();
  return *this;
}

int OwnedFd::Release() { return std::exchange(fd_, -1); }

absl::StatusOr<Listening> ListenOn(const std::string& host, int port, const std::string& option) {
  const auto addresses = Resolve(host, port, option);
  if (!addresses.ok()) return addresses.status();
  Listening listening;
  listening.port = port;
  int error = 0;
  for (const addrinfo* at = addresses->get(); at != nullptr; at = at->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, at->ai_addr, at->ai_addrlen);
    SetPort(address, listening.port);
    OwnedFd fd = Listen(address, at->ai_addrlen);
    if (fd.get() < 0) {
      error = errno;
      if (error == EADDRINUSE) return Taken(listening.port, option);
      continue;
    }
    listening.port = PortOf(fd.get());
    listening.sockets.push_back(std::move(fd));
  }
  if (!listening.sockets.empty()) return listening;
  if (host == "[::]" && IsWithoutIpv6(error)) return ListenOn("0.0.0.0", port, option);
  return CannotListen(host, port, option, std::generic_category().message(error));
}

uint64_t BytesReceived(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  const size_t needed = offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
  return size >= needed ? info.tcpi_bytes_received : 0;
}

size_t RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = soft;
  return static_cast<size_t>(limit.rlim_cur);
}

}  // namespace connect_ha
