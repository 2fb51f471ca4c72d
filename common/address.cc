#include "common/address.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace connect_ha {
namespace {

bool IsHost(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == ':' ||
           c == '_';
  });
}

}  // namespace

absl::StatusOr<Address> ParseAddress(const std::string& text, uint16_t default_port) {
  absl::string_view host = text;
  absl::string_view port;
  bool has_port = false;
  if (!text.empty() && text[0] == '[') {
    const size_t end = text.find(']');
    if (end == std::string::npos) {
      host = "";
    } else {
      host = absl::string_view(text).substr(1, end - 1);
      port = absl::string_view(text).substr(end + 1);
      has_port = !port.empty();
      if (has_port && port[0] != ':') host = "";
      if (has_port) port.remove_prefix(1);
    }
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    const size_t colon = text.find(':');
    host = absl::string_view(text).substr(0, colon);
    port = absl::string_view(text).substr(colon + 1);
    has_port = true;
  }
  int number = default_port;
  if (!IsHost(host) ||
      (has_port && (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65535))) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not an address; fix: write it as HOST:PORT"));
  }
  return Address{std::string(host), static_cast<uint16_t>(number)};
}

Address EnrolmentAddress(Address address) {
  ++address.port;
  return address;
}

std::string FormatAddress(const Address& address) {
  const bool brackets = address.host.find(':') != std::string::npos;
  return brackets ? absl::StrCat("[", address.host, "]:", address.port)
                  : absl::StrCat(address.host, ":", address.port);
}

}  // namespace connect_ha
