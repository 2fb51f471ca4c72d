#include "coordinator/identity/enrolment.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/tls/crypto.h"
#include "common/tls/join_proof.h"
#include "coordinator/identity/token.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

constexpr size_t kMaxMachineIdSize = 64;
// More than so many refusals a minute are counted, not written down one by one: a caller without
// a token must not be able to push the cluster's history out of the store.
constexpr int kRefusalsPerMinute = 10;

constexpr char kNewToken[] = "; fix: make a new token with: connect-ha token create";

// The one answer to everybody who has not proved to hold a token's secret.
absl::Status Refused() {
  return absl::UnauthenticatedError(absl::StrCat("the join token was refused", kNewToken));
}

Time WholeSeconds(Time time) { return std::chrono::floor<seconds>(time); }

bool IsMachineId(const std::string& id) {
  return !id.empty() && id.size() <= kMaxMachineIdSize &&
         std::all_of(id.begin(), id.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-'; });
}

bool SameUse(const v1::StoredToken::Use& a, const v1::StoredToken::Use& b) {
  return a.node() == b.node() && a.machine_id() == b.machine_id() &&
         a.public_key_sha256() == b.public_key_sha256();
}

bool IsRepeat(const v1::StoredToken& token, const v1::StoredToken::Use& use) {
  return std::any_of(token.uses().begin(), token.uses().end(),
                     [&](const v1::StoredToken::Use& past) { return SameUse(past, use); });
}

absl::Status CheckForm(const v1::EnrollRequest& request) {
  if (absl::Status status = CheckName("node name", request.node()); !status.ok()) return status;
  if (IsMachineId(request.machine_id())) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the machine id is not valid; fix: systemd-machine-id-setup, then run the command again");
}

// For callers that proved to hold the secret.
absl::Status CheckToken(const v1::Token& token, Time now) {
  if (token.revoked()) {
    return absl::PermissionDeniedError(
        absl::StrCat("join token ", token.id(), " was revoked", kNewToken));
  }
  if (now >= FromProto(token.expires_at())) {
    return absl::PermissionDeniedError(absl::StrCat("join token ", token.id(), " expired at ",
                                                    FormatUtc(FromProto(token.expires_at())),
                                                    kNewToken));
  }
  if (token.uses_spent() >= token.uses_allowed()) {
    return absl::PermissionDeniedError(absl::StrCat("join token ", token.id(), " is used up (",
                                                    token.uses_allowed(), " of ",
                                                    token.uses_allowed(), " uses)", kNewToken));
  }
  return absl::OkStatus();
}

// Makes of a node's record what it is to be once this use of the token is spent.
absl::Status TakeIn(const v1::StoredToken::Use& use, bool repeat, const std::string& token_id,
                    Time now, v1::NodeRecord& record) {
  if (record.has_enrolled_at() && !record.removed()) {
    if (!record.machine_id().empty() && record.machine_id() != use.machine_id()) {
      return absl::AlreadyExistsError(absl::StrCat(
          "another machine is enrolled as \"", use.node(),
          "\"; fix: enrol under another --node, or, when that machine is gone: connect-ha node "
          "remove ",
          use.node()));
    }
    record.set_machine_id(use.machine_id());
    return absl::OkStatus();
  }
  // Its record may be purged meanwhile.
  if (repeat) {
    return absl::PermissionDeniedError(absl::StrCat(
        "node \"", use.node(), "\" was removed after it used join token ", token_id, kNewToken));
  }
  record.Clear();
  record.set_name(use.node());
  record.set_machine_id(use.machine_id());
  *record.mutable_enrolled_at() = ToProto(now);
  *record.mutable_certificates_since() = ToProto(WholeSeconds(now));
  return absl::OkStatus();
}

v1::AuditEntry EntryOf(const v1::StoredToken::Use& use, const std::string& token_id,
                       const std::string& peer, const std::string& text, Time now) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(now);
  entry.set_action(v1::AuditEntry::NODE_ENROLLED);
  entry.set_actor("token/" + token_id);
  entry.set_address(peer);
  entry.set_subject(use.node());
  entry.set_text(text);
  return entry;
}

}  // namespace

Enrolment::Enrolment(Store& store, const Authority& authority, std::string address,
                     std::string digest_key)
    : store_(store),
      authority_(authority),
      address_(std::move(address)),
      digest_key_(std::move(digest_key)),
      digest_key_id_(DigestKeyId(digest_key_)),
      renewals_(kRenewalsAnHour) {}

std::unique_lock<std::mutex> Enrolment::OneAtATime() {
  return std::unique_lock<std::mutex>(changes_);
}

v1::ChallengeResponse Enrolment::Challenge(const v1::ChallengeRequest&, Time now) {
  // The same for every token id, known or not.
  v1::ChallengeResponse response;
  response.set_challenge(challenges_.Issue(now));
  return response;
}

absl::StatusOr<v1::EnrollResponse> Enrolment::Enroll(const v1::EnrollRequest& request,
                                                     const std::string& peer, Time now,
                                                     const Tell& tell) {
  std::string reason;
  const auto token = CheckProof(request, now, reason);
  if (!token.ok()) {
    RecordRefusal("", "unknown", absl::StrCat("enrolment from ", peer, " refused: ", reason), now);
    return token.status();
  }
  auto response = Admit(request, peer, now, tell);
  if (!response.ok()) {
    RecordRefusal(request.node(), "token/" + request.token_id(),
                  absl::StrCat("enrolment from ", peer,
                               " refused: ", std::string(response.status().message())),
                  now);
  }
  return response;
}

absl::StatusOr<v1::StoredToken> Enrolment::CheckProof(const v1::EnrollRequest& request, Time now,
                                                      std::string& reason) {
  if (absl::Status status = CheckForm(request); !status.ok()) {
    reason = std::string(status.message());
    return status;
  }
  if (!challenges_.Good(request.challenge(), now)) {
    reason = "its challenge is not ours, too old or was used before (a replay?)";
    return absl::AbortedError(
        "the coordinator's challenge was used before or is too old; fix: run the command again");
  }
  auto token = store_.GetToken(request.token_id());
  if (!token.ok() && !absl::IsNotFound(token.status())) return token.status();
  // A token that does not exist costs the same work and gets the same answer.
  const std::string stored_key = token.ok() ? token->stored_key() : std::string(32, '\0');
  const JoinMessage message{request.challenge(), request.csr_der(), request.token_id(),
                            request.node(), request.machine_id()};
  if (ProofHolds(stored_key, message, request.proof()) && token.ok()) return token;
  reason = token.ok() ? absl::StrCat("wrong secret for token ", request.token_id())
                      : std::string("no such token");
  return Refused();
}

absl::StatusOr<v1::EnrollResponse> Enrolment::Admit(const v1::EnrollRequest& request,
                                                    const std::string& peer, Time now,
                                                    const Tell& tell) {
  const auto key_digest = CsrPublicKeyDigest(request.csr_der());
  if (!key_digest.ok()) return key_digest.status();
  v1::StoredToken::Use use;
  use.set_node(request.node());
  use.set_machine_id(request.machine_id());
  use.set_public_key_sha256(*key_digest);

  const std::lock_guard<std::mutex> lock(changes_);
  // As it is now: since the proof was checked the token may have been used, and the node removed.
  const auto token = store_.GetToken(request.token_id());
  if (!token.ok()) return token.status();
  const std::string& id = token->token().id();
  if (!NameMatches(token->token().node_pattern(), request.node())) {
    return absl::PermissionDeniedError(
        absl::StrCat("join token ", id, " is for nodes named \"", token->token().node_pattern(),
                     "\", not \"", request.node(), "\"; fix: enrol with --node and such a name"));
  }
  const bool repeat = IsRepeat(*token, use);
  if (!repeat) {
    if (absl::Status status = CheckToken(token->token(), now); !status.ok()) return status;
  }
  const auto certificate = authority_.Issue(
      {{authority_.cluster(), Role::kNode, request.node()}, {}}, request.csr_der(), now);
  if (!certificate.ok()) return certificate.status();
  if (!challenges_.Spend(request.challenge(), now)) {
    return absl::AbortedError("the coordinator's challenge was used before; fix: run it again");
  }
  const std::string text =
      absl::StrCat(repeat ? "enrolled again (same key) from " : "enrolled from ", peer, ", ",
                   DescribeCertificate(*certificate));
  const auto record = store_.SpendToken(
      id, use, [&](v1::NodeRecord& node) { return TakeIn(use, repeat, id, now, node); },
      EntryOf(use, id, peer, text, now), now);
  if (!record.ok()) return record.status();
  tell(*record);
  absl::Status status =
      AddEvent(v1::Event::NODE_ENROLLED, request.node(), "token/" + id, text, now);
  if (!status.ok()) return status;
  spdlog::info("enrolled node={} token={} peer={}", request.node(), id, peer);

  v1::EnrollResponse response;
  response.set_node(request.node());
  response.set_certificate_pem(*certificate);
  response.set_digest_key(digest_key_);
  response.set_digest_key_id(digest_key_id_);
  response.add_coordinators(address_);
  return response;
}

void Enrolment::RecordRefusal(const std::string& node, const std::string& actor,
                              const std::string& text, Time now) {
  std::string note = text.substr(0, text.find("; fix: "));
  {
    const std::lock_guard<std::mutex> lock(refusals_mutex_);
    if (now - refusals_since_ >= std::chrono::minutes(1) || now < refusals_since_) {
      if (refusals_ > kRefusalsPerMinute) {
        absl::StrAppend(&note, " (and ", refusals_ - kRefusalsPerMinute, " more before)");
      }
      refusals_since_ = now;
      refusals_ = 0;
    }
    if (++refusals_ > kRefusalsPerMinute) return;
  }
  spdlog::warn("event=REFUSED actor={} node={} reason={}", LogValue(actor), LogValue(node),
               LogValue(note));
  const absl::Status status = AddEvent(v1::Event::REFUSED, node, actor, note, now);
  if (!status.ok()) spdlog::error("refusal not recorded error={}", LogValue(status.ToString()));
}

absl::Status Enrolment::AddEvent(v1::Event::Kind kind, const std::string& node,
                                 const std::string& actor, const std::string& text, Time now) {
  v1::Event event;
  *event.mutable_at() = ToProto(now);
  event.set_kind(kind);
  event.set_node(node);
  event.set_actor(actor);
  event.set_text(text);
  return store_.AddEvent(event).status();
}

}  // namespace connect_ha
