// Connect's encryption key and the values encrypted with it, as its vendor's rskey writes them
// (github.com/rstudio/rskey, package crypt):
//   key file     512 bytes as hex or base64; each byte XORed with a fixed sequence is the key
//   fingerprint  SHA-256 of the 512 key bytes, hex
//   cipher text  base64 of nonce (24) and NaCl secretbox, with or without a leading 0x01; or of
//                0x02, nonce (12) and AES-256-GCM, as FIPS asks; both with the key's first 32 bytes
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace connect_ha {

// InvalidArgument: these bytes are no key. The message holds none of them.
absl::StatusOr<std::string> ConnectKeyFingerprint(std::string_view key_file_bytes);

// The clear text of a configuration value. One that this key does not open is returned as it is:
// it was never encrypted, or with another key, and nothing in it tells which.
// InvalidArgument: the value may be cipher text and the bytes are no key.
absl::StatusOr<std::string> RevealConnectSecret(std::string_view key_file_bytes,
                                                std::string_view value);

}  // namespace connect_ha
