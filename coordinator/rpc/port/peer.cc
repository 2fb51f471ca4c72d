#include "coordinator/rpc/port/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace connect_ha {
namespace {

std::string Text(const in_addr& address) {
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

std::string Text(const in6_addr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return text;
}

// The interface that a link-local address is said with.
std::string WithoutZone(const std::string& address) { return address.substr(0, address.find('%')); }

}  // namespace

std::string AddressOf(const std::string& peer) {
  const size_t scheme = peer.find(':');
  const size_t port = peer.rfind(':');
  if (scheme == std::string::npos || port <= scheme) return peer;
  return absl::StrReplaceAll(peer.substr(scheme + 1, port - scheme - 1),
                             {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}});
}

std::string PeerName(const std::string& peer) {
  const size_t port = peer.rfind(':');
  if (port == std::string::npos) return peer;
  return absl::StrCat(WithoutZone(AddressOf(peer)), peer.substr(port));
}

std::string PeerName(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return absl::StrCat(Text(four.sin_addr), ":", ntohs(four.sin_port));
  }
  if (address.ss_family != AF_INET6) return "";
  sockaddr_in6 six{};
  std::memcpy(&six, &address, sizeof six);
  if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
    return absl::StrCat(Text(six.sin6_addr), ":", ntohs(six.sin6_port));
  }
  in_addr four{};
  std::memcpy(&four, &six.sin6_addr.s6_addr[12], sizeof four);
  return absl::StrCat(Text(four), ":", ntohs(six.sin6_port));
}

std::string NeighbourOf(const std::string& address) {
  const std::string plain = WithoutZone(address);
  in6_addr network{};
  if (inet_pton(AF_INET6, plain.c_str(), &network) != 1) return plain;
  std::fill(network.s6_addr + 8, network.s6_addr + 16, uint8_t{0});
  return absl::StrCat(Text(network), "/64");
}

}  // namespace connect_ha
