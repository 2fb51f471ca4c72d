#include "agent/probes/listeners.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr char kListening[] = "0A";         // TCP_LISTEN
constexpr uint32_t kEphemeralFrom = 32768;  // net.ipv4.ip_local_port_range's default
constexpr size_t kHexPerWord = 8;

bool ParseHex(absl::string_view text, uint32_t& value) {
  value = 0;
  if (text.empty() || text.size() > kHexPerWord) return false;
  for (const char c : text) {
    const char* digits = "0123456789ABCDEF";
    const char* digit = std::strchr(digits, c);
    if (digit == nullptr || c == '\0') return false;
    value = value * 16 + static_cast<uint32_t>(digit - digits);
  }
  return true;
}

// The kernel prints an address as words in the machine's byte order.
std::string PrintAddress(absl::string_view hex) {
  unsigned char bytes[16];
  if (hex.size() != kHexPerWord && hex.size() != 4 * kHexPerWord) return "";
  for (size_t i = 0; i < hex.size() / kHexPerWord; ++i) {
    uint32_t word = 0;
    if (!ParseHex(hex.substr(i * kHexPerWord, kHexPerWord), word)) return "";
    std::memcpy(bytes + i * sizeof(word), &word, sizeof(word));
  }
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(hex.size() == kHexPerWord ? AF_INET : AF_INET6, bytes, text, sizeof(text));
  return text;
}

bool IsEphemeralLoopback(const v1::Listener& listener) {
  const bool loopback = absl::StartsWith(listener.address(), "127.") || listener.address() == "::1";
  return loopback && listener.port() >= kEphemeralFrom;
}

auto Key(const v1::Listener& listener) {
  return std::make_tuple(listener.port(), listener.address());
}

}  // namespace

std::vector<v1::Listener> ParseListeners(absl::string_view table) {
  std::vector<v1::Listener> listeners;
  for (const absl::string_view line : absl::StrSplit(table, '\n')) {
    // "  0: 0100007F:1F90 00000000:0000 0A ..."
    const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (parts.size() < 4 || parts[3] != kListening) continue;
    const std::vector<absl::string_view> local = absl::StrSplit(parts[1], ':');
    uint32_t port = 0;
    if (local.size() != 2 || !ParseHex(local[1], port)) continue;
    v1::Listener& listener = listeners.emplace_back();
    listener.set_address(PrintAddress(local[0]));
    listener.set_port(port);
  }
  return listeners;
}

absl::Status ReadListeners(const ProbeInput& input, v1::Facts& facts) {
  std::vector<v1::Listener> all;
  for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    const absl::StatusOr<std::string> table = input.host.ReadFile(path);
    if (absl::IsNotFound(table.status())) continue;  // this protocol is switched off
    if (!table.ok()) return table.status();
    for (v1::Listener& listener : ParseListeners(*table)) {
      if (!IsEphemeralLoopback(listener)) all.push_back(std::move(listener));
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return Key(a) < Key(b); });
  const auto end = std::unique(all.begin(), all.end(),
                               [](const auto& a, const auto& b) { return Key(a) == Key(b); });
  all.erase(end, all.end());
  *facts.mutable_listeners()->mutable_tcp() = {all.begin(), all.end()};
  return absl::OkStatus();
}

}  // namespace connect_ha
