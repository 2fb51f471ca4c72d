#include "agent/probes/machine/listeners.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/machine/listening_sockets.h"

namespace connect_ha {
namespace {

// More than anybody reads; content may listen as often as it likes.
constexpr int kMostListeners = 2'000;
constexpr uint32_t kEphemeralFrom = 32768;  // net.ipv4.ip_local_port_range's default

bool IsEphemeralLoopback(const v1::Listener& listener) {
  const bool loopback = absl::StartsWith(listener.address(), "127.") || listener.address() == "::1";
  return loopback && listener.port() >= kEphemeralFrom;
}

std::pair<uint32_t, std::string> Key(const v1::Listener& listener) {
  return {listener.port(), listener.address()};
}

}  // namespace

v1::ListenersFacts SelectListeners(std::vector<v1::Listener> all) {
  all.erase(std::remove_if(all.begin(), all.end(), IsEphemeralLoopback), all.end());
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return Key(a) < Key(b); });
  const auto end = std::unique(all.begin(), all.end(),
                               [](const auto& a, const auto& b) { return Key(a) == Key(b); });
  v1::ListenersFacts listeners;
  *listeners.mutable_tcp() = {all.begin(), end};
  return listeners;
}

absl::Status ReadListeners(const ProbeInput&, v1::Facts& facts) {
  absl::StatusOr<std::vector<v1::Listener>> all = ListListeningSockets();
  if (!all.ok()) return all.status();
  v1::ListenersFacts listeners = SelectListeners(*std::move(all));
  if (listeners.tcp_size() > kMostListeners) {
    return absl::ResourceExhaustedError(
        absl::StrCat(listeners.tcp_size(), " ports are listened on, more than ", kMostListeners));
  }
  *facts.mutable_listeners() = std::move(listeners);
  return absl::OkStatus();
}

}  // namespace connect_ha
