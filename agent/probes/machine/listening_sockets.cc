#include "agent/probes/machine/listening_sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

constexpr uint32_t kListenState = 10;  // TCP_LISTEN
constexpr size_t kBufferBytes = 32 * 1024;

class DiagSocket {
 public:
  DiagSocket() : fd_(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
    const timeval patience{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  ~DiagSocket() {
    if (fd_ >= 0) close(fd_);
  }
  DiagSocket(const DiagSocket&) = delete;
  DiagSocket& operator=(const DiagSocket&) = delete;

  // Asks for every listening socket of the family and adds them to `listeners`.
  absl::Status List(uint8_t family, std::vector<v1::Listener>& listeners) const {
    struct {
      nlmsghdr header;
      inet_diag_req_v2 request;
    } message{};
    message.header.nlmsg_len = sizeof(message);
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = family;
    message.request.sdiag_protocol = IPPROTO_TCP;
    message.request.idiag_states = 1u << kListenState;
    if (send(fd_, &message, sizeof(message), 0) < 0) return Failed(errno);
    bool done = false;
    while (!done) {
      absl::Status status = ReadAnswer(listeners, done);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Failed(int error) {
    return absl::UnavailableError(
        absl::StrCat("listening sockets: sock_diag: ", std::strerror(error)));
  }

  static void Add(const inet_diag_msg& socket, std::vector<v1::Listener>& listeners) {
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(socket.idiag_family, socket.id.idiag_src, text, sizeof(text));
    v1::Listener& listener = listeners.emplace_back();
    listener.set_address(text);
    listener.set_port(ntohs(socket.id.idiag_sport));
  }

  absl::Status ReadAnswer(std::vector<v1::Listener>& listeners, bool& done) const {
    alignas(nlmsghdr) char buffer[kBufferBytes];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    if (size < 0) return errno == EINTR ? absl::OkStatus() : Failed(errno);
    auto left = static_cast<unsigned>(size);
    for (auto* header = reinterpret_cast<nlmsghdr*>(buffer); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
      if (header->nlmsg_type == NLMSG_DONE) done = true;
      if (header->nlmsg_type == NLMSG_ERROR) {
        return Failed(-static_cast<const nlmsgerr*>(NLMSG_DATA(header))->error);
      }
      if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
        Add(*static_cast<const inet_diag_msg*>(NLMSG_DATA(header)), listeners);
      }
    }
    return absl::OkStatus();
  }

  const int fd_;
};

}  // namespace

absl::StatusOr<std::vector<v1::Listener>> ListListeningSockets() {
  const DiagSocket kernel;
  std::vector<v1::Listener> listeners;
  for (const uint8_t family : {AF_INET, AF_INET6}) {
    absl::Status status = kernel.List(family, listeners);
    if (!status.ok()) return status;
  }
  return listeners;
}

}  // namespace connect_ha
