// The proof that a node holds a join token's secret; proto/connect_ha/v1/enrolment_service.proto
// says how it is made. Keys, proofs and digests are raw bytes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace connect_ha {

// What a proof is bound to.
struct JoinMessage {
  std::string challenge;
  std::string csr_der;
  std::string token_id;
  std::string node;
  std::string machine_id;
};

struct JoinToken {
  std::string id;
  std::string secret;
};

// "id.secret". The error never repeats the secret.
absl::StatusOr<JoinToken> ParseJoinToken(std::string_view text);

// What the coordinator keeps in place of the secret.
std::string StoredKey(std::string_view secret);

std::string MakeProof(std::string_view secret, const JoinMessage& message);

// Same time for a right and a wrong proof.
bool ProofHolds(std::string_view stored_key, const JoinMessage& message, std::string_view proof);

}  // namespace connect_ha
