// Signatures of specifications: Ed25519, by libsodium. An operator signs with a key that is nowhere
// near the coordinator (connect-ha key create, apply --sign); a node that has public keys in
// /etc/connect-ha/trusted takes nothing that is not signed by one of them.
//
// All calls may be made from any thread. InvalidArgument: what is given is not what it should be.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// The most that is signed of a specification, serialised.
inline constexpr size_t kMaxSignedBytes = 1024 * 1024;

struct SigningKey {
  std::string public_key;  // 32 bytes
  std::string secret_key;  // 64 bytes, as libsodium has them
};

// What a key file holds: words for a person, the public key and the secret one. New each time.
absl::StatusOr<std::string> MakeSigningKeyFile();
// No message has any of it.
absl::StatusOr<SigningKey> ParseSigningKeyFile(const std::string& text);

// "ed25519 BASE64\n": the whole of a file /etc/connect-ha/trusted/NAME.pub.
std::string PublicKeyLine(const std::string& public_key);
// The 32 bytes of the one key in it.
absl::StatusOr<std::string> ParsePublicKeyLine(const std::string& text);
// BASE64 of it, which is how people see it.
std::string PublicKeyName(const std::string& public_key);

absl::StatusOr<v1::SignedSpec> SignSpec(const v1::SpecToSign& spec, const SigningKey& key);

// What was signed, where the signature is that of signed_spec's own key. Whose key that is, the
// caller has to ask.
absl::StatusOr<v1::SpecToSign> OpenSignedSpec(const v1::SignedSpec& signed_spec);

// What is signed of a bundle.
v1::SpecToSign ToSign(const v1::SpecBundle& bundle, uint64_t generation);

}  // namespace connect_ha
