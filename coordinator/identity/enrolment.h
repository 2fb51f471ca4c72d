// Who may join the cluster, and for how long: tokens, certificates, removal. Knows nothing of
// gRPC; the caller says who calls (from the certificate) and when. All calls may be made from any
// thread. Messages of errors are for the caller and tell a guesser nothing: a token that does not
// exist and a wrong secret get the same words. The log and the cluster's
// events have the reason.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/enrolment_service.pb.h"
#include "coordinator/identity/authority.h"
#include "coordinator/identity/challenges.h"
#include "coordinator/identity/hourly_limit.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// Of one node or admin.
constexpr size_t kRenewalsAnHour = 10;

class Enrolment {
 public:
  // `address`: host:port where the coordinator answers nodes; they join at the port behind it.
  // `digest_key`: raw bytes. Borrows store and authority.
  Enrolment(Store& store, const Authority& authority, std::string address, std::string digest_key);

  // Without a certificate. `peer` is where the call came from, for the log.
  v1::ChallengeResponse Challenge(const v1::ChallengeRequest& request, Time now);
  // `tell` gets the node's record as it is now, before any other enrolment or removal: what is
  // known live follows the store in its order.
  using Tell = std::function<void(const v1::NodeRecord& record)>;
  absl::StatusOr<v1::EnrollResponse> Enroll(const v1::EnrollRequest& request,
                                            const std::string& peer, Time now, const Tell& tell);

  // `caller` is the certificate that the call came with, a node's or an admin's; whether an admin's
  // still stands is Admins' to say. ResourceExhausted: more than ten in an hour.
  absl::StatusOr<v1::RenewResponse> Renew(const v1::RenewRequest& request,
                                          const Certificate& caller, Time now);

  // For admins. `entry` says who does it, from where, when and why; the rest is filled in.
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(const v1::CreateTokenRequest& request,
                                                      v1::AuditEntry entry, Time now);
  absl::StatusOr<v1::ListTokensResponse> ListTokens();
  absl::Status RevokeToken(const v1::RevokeTokenRequest& request, v1::AuditEntry entry, Time now);
  // The node's certificates are refused from its next call on; its report is removed. Enrolling
  // with a new token takes it in again. The caller holds OneAtATime until what is known live has
  // followed. OK once the store has it, though its event could not be stored.
  absl::Status RemoveNode(const v1::RemoveNodeRequest& request, v1::AuditEntry entry, Time now);
  [[nodiscard]] std::unique_lock<std::mutex> OneAtATime();

  // Of the key that digests of secrets are made with.
  const std::string& digest_key_id() const { return digest_key_id_; }

 private:
  // The token, when the caller holds its secret; else `reason` says for the log why not.
  absl::StatusOr<v1::StoredToken> CheckProof(const v1::EnrollRequest& request, Time now,
                                             std::string& reason);
  absl::StatusOr<v1::EnrollResponse> Admit(const v1::EnrollRequest& request,
                                           const std::string& peer, Time now, const Tell& tell);
  void RecordRefusal(const std::string& node, const std::string& actor, const std::string& text,
                     Time now);
  absl::Status AddEvent(v1::Event::Kind kind, const std::string& node, const std::string& actor,
                        const std::string& text, Time now);

  Store& store_;
  const Authority& authority_;
  const std::string address_;
  const std::string digest_key_;
  const std::string digest_key_id_;
  Challenges challenges_;
  HourlyLimit renewals_;
  std::mutex changes_;  // one enrolment, renewal or removal at a time
  std::mutex refusals_mutex_;
  Time refusals_since_{};  // the minute that is counted
  int refusals_ = 0;
};

// "certificate 4f2a... until 2024-08-31T12:00:00Z"; "" of what is none.
std::string DescribeCertificate(const std::string& certificate_pem);

// Whether a node's certificate still stands, by the node's record: PermissionDenied, with what to
// type on the node, when it was removed or the certificate is from before it was last taken in.
// For every call of a node, Renew included. A node with a certificate but no record (the store is
// of an older backup) stands: give it a record at its first heartbeat.
absl::Status CheckNodeStands(const v1::NodeRecord& record, const Certificate& certificate);

}  // namespace connect_ha
