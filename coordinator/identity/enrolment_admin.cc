// What an admin asks of the enrolment: tokens, and removal.
#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "common/address.h"
#include "common/log.h"
#include "common/time.h"
#include "common/tls/join_proof.h"
#include "coordinator/identity/enrolment.h"
#include "coordinator/identity/token.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

constexpr seconds kDefaultTokenLife{3600};
constexpr seconds kMaxTokenLife{365 * 24 * 3600};
constexpr uint32_t kMaxTokenUses = 100'000;

absl::Status CheckTokenRequest(const v1::CreateTokenRequest& request) {
  if (absl::Status status = CheckNamePattern(request.node_pattern()); !status.ok()) return status;
  if (request.ttl().seconds() < 0 || request.ttl().nanos() < 0 ||
      request.ttl().seconds() > kMaxTokenLife.count()) {
    return absl::InvalidArgumentError(
        "a token lives up to 365 days; fix: choose another --ttl, such as 1h");
  }
  if (request.uses() > kMaxTokenUses) {
    return absl::InvalidArgumentError(
        absl::StrCat("a token has up to ", kMaxTokenUses, " uses; fix: choose another --uses"));
  }
  return absl::OkStatus();
}

v1::StoredToken MakeStoredToken(const v1::CreateTokenRequest& request, const JoinToken& made,
                                const std::string& actor, Time now) {
  v1::StoredToken stored;
  v1::Token& token = *stored.mutable_token();
  token.set_id(made.id);
  token.set_node_pattern(request.node_pattern());
  *token.mutable_created_at() = ToProto(now);
  const seconds asked(request.ttl().seconds() + (request.ttl().nanos() > 0 ? 1 : 0));
  *token.mutable_expires_at() = ToProto(now + (asked == seconds(0) ? kDefaultTokenLife : asked));
  token.set_uses_allowed(request.uses() == 0 ? 1 : request.uses());
  token.set_created_by(actor);
  stored.set_stored_key(StoredKey(made.secret));
  return stored;
}

}  // namespace

absl::StatusOr<v1::CreateTokenResponse> Enrolment::CreateToken(
    const v1::CreateTokenRequest& request, v1::AuditEntry entry, Time now) {
  if (absl::Status status = CheckTokenRequest(request); !status.ok()) return status;
  const auto address = ParseAddress(address_);
  if (!address.ok()) return address.status();
  const std::string join_at = FormatAddress(EnrolmentAddress(*address));
  const JoinToken made = MakeJoinToken();
  const v1::StoredToken stored = MakeStoredToken(request, made, entry.actor(), now);
  const v1::Token& token = stored.token();
  const std::string names =
      token.node_pattern().empty() ? "any node" : "nodes named " + token.node_pattern();
  const std::string what = absl::StrCat("for ", names, ", ", token.uses_allowed(), " uses, until ",
                                        FormatUtc(FromProto(token.expires_at())));
  entry.set_action(v1::AuditEntry::TOKEN_CREATED);
  entry.set_subject(token.id());
  entry.set_text(what);
  if (absl::Status status = store_.AddToken(stored, entry); !status.ok()) return status;
  absl::Status status = AddEvent(v1::Event::TOKEN_CREATED, "", entry.actor(),
                                 absl::StrCat("token ", token.id(), " ", what), now);
  if (!status.ok()) return status;

  v1::CreateTokenResponse response;
  *response.mutable_token() = token;
  response.set_token_secret(absl::StrCat(made.id, ".", made.secret));
  response.set_ca_hash(authority_.hash());
  response.set_coordinator(join_at);
  response.set_join_command(absl::StrCat("connect-ha-agent enroll --coordinator ", join_at,
                                         " --ca-hash ", authority_.hash(), " --token ", made.id,
                                         ".", made.secret));
  if (IsExactName(token.node_pattern())) {
    response.mutable_join_command()->append(" --node " + token.node_pattern());
  }
  return response;
}

absl::StatusOr<v1::ListTokensResponse> Enrolment::ListTokens() {
  const auto tokens = store_.ListTokens();
  if (!tokens.ok()) return tokens.status();
  v1::ListTokensResponse response;
  for (const v1::StoredToken& stored : *tokens) *response.add_tokens() = stored.token();
  return response;
}

absl::Status Enrolment::RevokeToken(const v1::RevokeTokenRequest& request, v1::AuditEntry entry,
                                    Time now) {
  entry.set_action(v1::AuditEntry::TOKEN_REVOKED);
  entry.set_subject(request.id());
  absl::Status revoked = store_.RevokeToken(request.id(), entry);
  if (absl::IsNotFound(revoked)) {
    return absl::NotFoundError(absl::StrCat("no join token \"", request.id(),
                                            "\"; fix: list them with: connect-ha token list"));
  }
  if (!revoked.ok()) return revoked;
  return AddEvent(v1::Event::TOKEN_REVOKED, "", entry.actor(),
                  absl::StrCat("token ", request.id(), " revoked"), now);
}

absl::Status Enrolment::RemoveNode(const v1::RemoveNodeRequest& request, v1::AuditEntry entry,
                                   Time now) {
  entry.set_action(v1::AuditEntry::NODE_REMOVED);
  entry.set_subject(request.node());
  const auto record = store_.RemoveNode(request.node(), entry, now);
  if (absl::IsNotFound(record.status())) {
    return absl::NotFoundError(
        absl::StrCat("no node \"", request.node(), "\"; fix: list them with: connect-ha nodes"));
  }
  if (!record.ok()) return record.status();
  spdlog::info("removed node={} by={}", request.node(), entry.actor());
  // The audit log has it, whatever becomes of the event: it is removed, and the caller has to know.
  const absl::Status told = AddEvent(v1::Event::NODE_REMOVED, request.node(), entry.actor(),
                                     "removed: its certificates are refused from now on", now);
  if (!told.ok()) spdlog::error("removal not told error={}", LogValue(told.ToString()));
  return absl::OkStatus();
}

}  // namespace connect_ha
