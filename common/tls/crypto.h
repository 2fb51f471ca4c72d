// Digests and random bytes. All results are raw bytes unless the name says Hex.
#pragma once

#include <string>
#include <string_view>

namespace connect_ha {

std::string Sha256(std::string_view data);
std::string HmacSha256(std::string_view key, std::string_view data);
std::string Hex(std::string_view bytes);
// Lower-case hex of HMAC-SHA256: how a secret is compared across nodes without being sent.
std::string KeyedDigestHex(std::string_view key, std::string_view data);

// Which key digests were made with: 16 hex digits, which say nothing else of it; "" of an empty
// key.
std::string DigestKeyId(std::string_view key);

// From the operating system's generator. Aborts the process when there is none: nothing in this
// project can go on safely without.
std::string RandomBytes(size_t count);

// Same time whatever the contents; false at once when the lengths differ.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

}  // namespace connect_ha
