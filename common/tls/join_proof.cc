#include "common/tls/join_proof.h"

#include "absl/status/status.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr size_t kDigestSize = 32;

std::string ClientKey(std::string_view secret) {
  return HmacSha256(secret, "connect-ha client key");
}

void AppendWithLength(std::string_view part, std::string& to) {
  const auto size = static_cast<uint32_t>(part.size());
  for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<char>(size >> shift));
  to.append(part);
}

std::string Encode(const JoinMessage& message) {
  std::string bytes;
  AppendWithLength(message.challenge, bytes);
  AppendWithLength(Sha256(message.csr_der), bytes);
  AppendWithLength(message.token_id, bytes);
  AppendWithLength(message.node, bytes);
  AppendWithLength(message.machine_id, bytes);
  return bytes;
}

std::string Xor(std::string_view a, std::string_view b) {
  std::string bytes(a);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ b[i]);
  return bytes;
}

bool IsTokenCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); }

}  // namespace

absl::StatusOr<JoinToken> ParseJoinToken(std::string_view text) {
  const size_t dot = text.find('.');
  JoinToken token;
  if (dot != std::string_view::npos) {
    token.id = std::string(text.substr(0, dot));
    token.secret = std::string(text.substr(dot + 1));
  }
  bool valid = !token.id.empty() && !token.secret.empty() && text.size() <= 128;
  for (const char c : token.id + token.secret) valid = valid && IsTokenCharacter(c);
  if (valid) return token;
  return absl::InvalidArgumentError(
      "the join token is not of the form ID.SECRET; fix: copy the whole command that "
      "connect-ha token create prints");
}

std::string StoredKey(std::string_view secret) { return Sha256(ClientKey(secret)); }

std::string MakeProof(std::string_view secret, const JoinMessage& message) {
  const std::string client_key = ClientKey(secret);
  return Xor(client_key, HmacSha256(Sha256(client_key), Encode(message)));
}

bool ProofHolds(std::string_view stored_key, const JoinMessage& message, std::string_view proof) {
  if (proof.size() != kDigestSize || stored_key.size() != kDigestSize) return false;
  const std::string client_key = Xor(proof, HmacSha256(stored_key, Encode(message)));
  return ConstantTimeEqual(Sha256(client_key), stored_key);
}

}  // namespace connect_ha
