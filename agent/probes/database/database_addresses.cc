#include "agent/probes/database/database_addresses.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;

std::string Words(int error) { return std::generic_category().message(error); }

}  // namespace

AddressTrial::AddressTrial(const std::vector<std::string>& addresses, uint32_t port)
    : addresses_(addresses) {
  if (addresses.size() < 2) return;
  for (const std::string& address : addresses) {
    Try one;
    one.address = address;
    Begin(port, one);
    tries_.push_back(std::move(one));
  }
}

void AddressTrial::Begin(uint32_t port, Try& one) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error =
          getaddrinfo(one.address.c_str(), absl::StrCat(port).c_str(), &hints, &found);
      error != 0) {
    one.error = gai_strerror(error);
    return;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  one.socket.Reset(socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  one.connected =
      one.socket.ok() && connect(one.socket.get(), found->ai_addr, found->ai_addrlen) == 0;
  if (!one.connected && errno != EINPROGRESS) one.error = Words(errno);
}

// What the kernel says of a connection that is no longer under way.
void AddressTrial::Settle(Try& one) {
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(one.socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error == 0) {
    one.connected = true;
  } else {
    one.error = Words(error);
  }
}

void AddressTrial::Wait(std::chrono::milliseconds within, bool for_one) {
  const Clock::time_point deadline = Clock::now() + within;
  while (true) {
    std::vector<pollfd> waited;
    std::vector<Try*> of;
    for (Try& one : tries_) {
      if (for_one && one.connected) return;
      if (!one.IsUnderWay()) continue;
      waited.push_back({one.socket.get(), POLLOUT, 0});
      of.push_back(&one);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (waited.empty() || left <= 0) return;
    if (poll(waited.data(), waited.size(), static_cast<int>(left)) < 0) continue;  // EINTR
    for (size_t i = 0; i < waited.size(); ++i) {
      if (waited[i].revents != 0) Settle(*of[i]);
    }
  }
}

std::vector<std::string> AddressTrial::Best(std::chrono::milliseconds within) {
  Wait(within, /*for_one=*/true);
  std::vector<std::string> connected;
  for (const Try& one : tries_) {
    if (one.connected) connected.push_back(one.address);
  }
  return connected.empty() ? addresses_ : connected;
}

void AddressTrial::Tell(std::chrono::milliseconds within, v1::DatabaseFacts& facts) {
  Wait(within, /*for_one=*/false);
  for (const v1::DatabaseStage& stage : facts.stages()) {
    if (stage.name() != v1::DatabaseStage::CONNECT || addresses_.size() != 1) continue;
    v1::DatabaseAddress& only = *facts.add_tried();
    only.set_address(addresses_.front());
    only.set_connected(stage.passed());
    if (stage.has_error()) only.set_error(stage.error());
  }
  std::sort(tries_.begin(), tries_.end(),
            [](const Try& a, const Try& b) { return a.address < b.address; });
  for (const Try& one : tries_) {
    v1::DatabaseAddress& tried = *facts.add_tried();
    tried.set_address(one.address);
    tried.set_connected(one.connected);
    if (one.connected) continue;
    tried.set_error(one.IsUnderWay() ? "no answer" : one.error);
  }
}

}  // namespace connect_ha
