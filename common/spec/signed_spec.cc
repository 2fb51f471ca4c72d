#include "common/spec/signed_spec.h"

#include <sodium.h>

#include <string_view>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

// So that a signature made for anything else is none of a specification.
constexpr std::string_view kPurpose = "connect-ha specification\n";
static_assert(kPurpose.size() == 25);

constexpr char kPublic[] = "public ed25519 ";
constexpr char kSecret[] = "secret ed25519 ";
constexpr char kAlgorithm[] = "ed25519 ";
constexpr char kFirstLine[] =
    "connect-ha signing key: whoever has it decides what the nodes that trust it take\n";

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status Begin() {
  if (sodium_init() >= 0) return absl::OkStatus();
  return absl::InternalError("libsodium cannot be used on this machine");
}

// Of so many bytes, in the one form that Base64 has.
absl::StatusOr<std::string> Decode(absl::string_view text, size_t size, const char* what) {
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) && bytes.size() == size &&
      absl::Base64Escape(bytes) == text) {
    return bytes;
  }
  return absl::InvalidArgumentError(absl::StrCat("has no ", what, ": it must be \"", kAlgorithm,
                                                 "\" and ", size, " bytes in Base64"));
}

absl::StatusOr<SigningKey> FromSeed(const std::string& seed) {
  if (absl::Status begun = Begin(); !begun.ok()) return begun;
  SigningKey key;
  key.public_key.resize(crypto_sign_PUBLICKEYBYTES);
  key.secret_key.resize(crypto_sign_SECRETKEYBYTES);
  if (seed.size() != crypto_sign_SEEDBYTES ||
      crypto_sign_seed_keypair(Bytes(key.public_key), Bytes(key.secret_key), Bytes(seed)) != 0) {
    return absl::InvalidArgumentError("is no signing key");
  }
  return key;
}

std::string Message(const std::string& payload) {
  return absl::StrCat(absl::string_view(kPurpose.data(), kPurpose.size()), payload);
}

}  // namespace

absl::StatusOr<std::string> MakeSigningKeyFile() {
  if (absl::Status begun = Begin(); !begun.ok()) return begun;
  std::string seed(crypto_sign_SEEDBYTES, '\0');
  randombytes_buf(seed.data(), seed.size());
  const absl::StatusOr<SigningKey> key = FromSeed(seed);
  if (!key.ok()) return key.status();
  return absl::StrCat(kFirstLine, kPublic, PublicKeyName(key->public_key), "\n", kSecret,
                      absl::Base64Escape(seed), "\n");
}

absl::StatusOr<SigningKey> ParseSigningKeyFile(const std::string& text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, kSecret)) continue;
    const absl::StatusOr<std::string> seed = Decode(line, crypto_sign_SEEDBYTES, "secret key");
    if (!seed.ok()) return seed.status();
    return FromSeed(*seed);
  }
  return absl::InvalidArgumentError("is no signing key of connect-ha");
}

std::string PublicKeyName(const std::string& public_key) { return absl::Base64Escape(public_key); }

std::string PublicKeyLine(const std::string& public_key) {
  return absl::StrCat(kAlgorithm, PublicKeyName(public_key), "\n");
}

absl::StatusOr<std::string> ParsePublicKeyLine(const std::string& text) {
  absl::string_view line = text;
  absl::ConsumeSuffix(&line, "\n");
  if (!absl::ConsumePrefix(&line, kAlgorithm)) line = "";
  absl::StatusOr<std::string> key = Decode(line, crypto_sign_PUBLICKEYBYTES, "public key");
  if (!key.ok()) return key;
  if (absl::Status begun = Begin(); !begun.ok()) return begun;
  if (crypto_core_ed25519_is_valid_point(Bytes(*key)) == 1) return key;
  return absl::InvalidArgumentError("has no public key: these bytes are none");
}

absl::StatusOr<v1::SignedSpec> SignSpec(const v1::SpecToSign& spec, const SigningKey& key) {
  if (absl::Status begun = Begin(); !begun.ok()) return begun;
  v1::SignedSpec signed_spec;
  signed_spec.set_payload(spec.SerializeAsString());
  signed_spec.set_public_key(key.public_key);
  if (signed_spec.payload().size() > kMaxSignedBytes) {
    return absl::InvalidArgumentError(absl::StrCat("has ", signed_spec.payload().size(),
                                                   " bytes, the limit is ", kMaxSignedBytes));
  }
  const std::string message = Message(signed_spec.payload());
  std::string signature(crypto_sign_BYTES, '\0');
  if (key.secret_key.size() != crypto_sign_SECRETKEYBYTES ||
      crypto_sign_detached(Bytes(signature), nullptr, Bytes(message), message.size(),
                           Bytes(key.secret_key)) != 0) {
    return absl::InvalidArgumentError("is no signing key");
  }
  signed_spec.set_signature(signature);
  return signed_spec;
}

absl::StatusOr<v1::SpecToSign> OpenSignedSpec(const v1::SignedSpec& signed_spec) {
  if (absl::Status begun = Begin(); !begun.ok()) return begun;
  if (signed_spec.payload().size() > kMaxSignedBytes ||
      signed_spec.public_key().size() != crypto_sign_PUBLICKEYBYTES ||
      signed_spec.signature().size() != crypto_sign_BYTES) {
    return absl::InvalidArgumentError("the signature has not the form of one");
  }
  const std::string message = Message(signed_spec.payload());
  if (crypto_sign_verify_detached(Bytes(signed_spec.signature()), Bytes(message), message.size(),
                                  Bytes(signed_spec.public_key())) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the signature is not that of ", PublicKeyName(signed_spec.public_key())));
  }
  v1::SpecToSign spec;
  if (spec.ParseFromString(signed_spec.payload())) return spec;
  return absl::InvalidArgumentError("what is signed is no specification");
}

v1::SpecToSign ToSign(const v1::SpecBundle& bundle, uint64_t generation) {
  v1::SpecToSign spec;
  spec.set_cluster(bundle.spec().cluster());
  spec.set_generation(generation);
  *spec.mutable_spec() = bundle.spec();
  if (bundle.has_connect_config()) spec.set_connect_config(bundle.connect_config());
  if (bundle.has_license()) spec.set_license(bundle.license());
  return spec;
}

}  // namespace connect_ha
