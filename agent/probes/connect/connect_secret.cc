#include "agent/probes/connect/connect_secret.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr size_t kKeySize = 512;
constexpr size_t kCipherKeySize = 32;
constexpr unsigned char kKeyMask[] = {223, 99, 111, 160, 122, 212, 223, 105, 37, 190};

constexpr size_t kGcmNonceSize = 12;
constexpr size_t kGcmTagSize = 16;
constexpr char kSecretboxVersion = 1;
constexpr char kGcmVersion = 2;

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::optional<std::string> DecodeHex(std::string_view text) {
  std::string bytes(text.size() / 2, '\0');
  size_t size = 0;
  if (sodium_hex2bin(Bytes(bytes), bytes.size(), text.data(), text.size(), nullptr, &size,
                     nullptr) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

// Line feeds are passed over, as `openssl rand -base64` makes them.
std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes(text.size(), '\0');
  size_t size = 0;
  if (sodium_base642bin(Bytes(bytes), bytes.size(), text.data(), text.size(), "\r\n", &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

absl::StatusOr<std::string> ReadKey(std::string_view key_file_bytes) {
  std::optional<std::string> key = DecodeHex(key_file_bytes);
  if (!key) key = DecodeBase64(key_file_bytes);
  if (!key || key->size() != kKeySize) {
    return absl::InvalidArgumentError(
        "is no encryption key of Connect: it must be 512 bytes in hex or base64");
  }
  for (size_t i = 0; i < kKeySize; ++i) {
    (*key)[i] = static_cast<char>(Bytes(*key)[i] ^ kKeyMask[i % sizeof kKeyMask]);
  }
  return *std::move(key);
}

// nonce || box
std::optional<std::string> OpenSecretbox(const std::string& key, std::string_view sealed) {
  if (sealed.size() < crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, crypto_secretbox_NONCEBYTES);
  const std::string_view box = sealed.substr(crypto_secretbox_NONCEBYTES);
  std::string clear(box.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(Bytes(clear), Bytes(box), box.size(), Bytes(nonce),
                                 Bytes(std::string_view(key))) != 0) {
    return std::nullopt;
  }
  return clear;
}

// nonce || cipher text || tag
std::optional<std::string> OpenGcm(const std::string& key, std::string_view sealed) {
  if (sealed.size() < kGcmNonceSize + kGcmTagSize) return std::nullopt;
  const std::string_view nonce = sealed.substr(0, kGcmNonceSize);
  std::string tag(sealed.substr(sealed.size() - kGcmTagSize));
  const std::string_view cipher_text =
      sealed.substr(kGcmNonceSize, sealed.size() - kGcmNonceSize - kGcmTagSize);
  std::string clear(cipher_text.size(), '\0');
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  unsigned char rest[16];
  int size = 0;
  const bool opened =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(std::string_view(key)),
                         Bytes(nonce)) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(clear), &size, Bytes(cipher_text),
                        static_cast<int>(cipher_text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kGcmTagSize, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), rest, &size) == 1;
  if (!opened) return std::nullopt;
  return clear;
}

}  // namespace

absl::StatusOr<std::string> ConnectKeyFingerprint(std::string_view key_file_bytes) {
  const auto key = ReadKey(key_file_bytes);
  if (!key.ok()) return key.status();
  return Hex(Sha256(*key));
}

absl::StatusOr<std::string> RevealConnectSecret(std::string_view key_file_bytes,
                                                std::string_view value) {
  const std::optional<std::string> sealed = DecodeBase64(value);
  if (!sealed || sealed->size() <= kGcmNonceSize + kGcmTagSize) return std::string(value);
  const auto key = ReadKey(key_file_bytes);
  if (!key.ok()) return key.status();
  const std::string cipher_key = key->substr(0, kCipherKeySize);
  const std::string_view bytes = *sealed;
  std::optional<std::string> clear;
  if (bytes[0] == kSecretboxVersion) clear = OpenSecretbox(cipher_key, bytes.substr(1));
  if (bytes[0] == kGcmVersion) clear = OpenGcm(cipher_key, bytes.substr(1));
  // Without a version, the nonce may begin with any byte.
  if (!clear) clear = OpenSecretbox(cipher_key, bytes);
  return clear ? *std::move(clear) : std::string(value);
}

}  // namespace connect_ha
