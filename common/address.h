// host:port, as people write it.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace connect_ha {

constexpr uint16_t kDefaultPort = 8443;
constexpr uint16_t kDefaultEnrolmentPort = kDefaultPort + 1;

struct Address {
  std::string host;  // a name, or an IP address without brackets
  uint16_t port = kDefaultPort;
};

// "host", "host:port", "[2001:db8::1]", "[2001:db8::1]:8443", "2001:db8::1"
absl::StatusOr<Address> ParseAddress(const std::string& text, uint16_t default_port = kDefaultPort);

// Where nodes join, who have no certificate yet: the next port.
Address EnrolmentAddress(Address address);

// "host:port", an IPv6 address in brackets
std::string FormatAddress(const Address& address);

}  // namespace connect_ha
