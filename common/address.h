// host:port, as people write it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

constexpr uint16_t kDefaultPort = 8443;

// Where a coordinator enrols nodes, by the port that it answers nodes on, unless it is told
// otherwise: the next one.
constexpr uint16_t EnrolmentPort(uint16_t port) {
  return static_cast<uint16_t>(port < 65535 ? port + 1 : port - 1);
}

struct Address {
  std::string host;  // a name, or an IP address without brackets
  uint16_t port = kDefaultPort;
};

// "host", "host:port", "[2001:db8::1]", "[2001:db8::1]:8443", "2001:db8::1"
absl::StatusOr<Address> ParseAddress(const std::string& text);

// "host:port", an IPv6 address in brackets
std::string FormatAddress(const Address& address);

}  // namespace connect_ha
