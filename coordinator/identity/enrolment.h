// Who may join the cluster, and for how long: tokens, certificates, removal. Knows nothing of
// gRPC; the caller says who calls (from the certificate) and when. All calls may be made from any
// thread. Messages of errors are for the caller and tell a guesser nothing: a token that does not
// exist and a wrong secret get the same words. The log and the cluster's
// events have the reason.
#pragma once

#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "common/tls/certificate.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/enrolment_service.pb.h"
#include "coordinator/identity/authority.h"
#include "coordinator/identity/challenges.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Enrolment {
 public:
  // `address`: host:port that nodes can reach. `digest_key`: raw bytes. Borrows store and
  // authority.
  Enrolment(Store& store, const Authority& authority, std::string address, std::string digest_key);

  // Without a certificate. `peer` is where the call came from, for the log.
  v1::ChallengeResponse Challenge(const v1::ChallengeRequest& request, Time now);
  absl::StatusOr<v1::EnrollResponse> Enroll(const v1::EnrollRequest& request,
                                            const std::string& peer, Time now);

  // `caller` is the certificate that the call came with, a node's or an admin's.
  absl::StatusOr<v1::RenewResponse> Renew(const v1::RenewRequest& request,
                                          const Certificate& caller, Time now);

  // For admins.
  absl::StatusOr<v1::CreateTokenResponse> CreateToken(const v1::CreateTokenRequest& request,
                                                      const Identity& caller, Time now);
  absl::StatusOr<v1::ListTokensResponse> ListTokens();
  absl::Status RevokeToken(const v1::RevokeTokenRequest& request, const Identity& caller, Time now);
  // The node's certificates are refused from its next call on; its report is removed. Enrolling
  // with a new token takes it in again.
  absl::Status RemoveNode(const v1::RemoveNodeRequest& request, const Identity& caller, Time now);

 private:
  // The token, when the caller holds its secret; else `reason` says for the log why not.
  absl::StatusOr<v1::StoredToken> CheckProof(const v1::EnrollRequest& request, Time now,
                                             std::string& reason);
  absl::StatusOr<v1::EnrollResponse> Admit(const v1::EnrollRequest& request,
                                           const v1::StoredToken& token, const std::string& peer,
                                           Time now);
  // The node's record as it is to be once this use of the token is spent.
  absl::StatusOr<v1::NodeRecord> RecordFor(const v1::StoredToken& token,
                                           const v1::StoredToken::Use& use, Time now);
  void RecordRefusal(const std::string& node, const std::string& actor, const std::string& text,
                     Time now);
  absl::Status AddEvent(v1::Event::Kind kind, const std::string& node, const std::string& actor,
                        const std::string& text, Time now);

  Store& store_;
  const Authority& authority_;
  const std::string address_;
  const std::string digest_key_;
  Challenges challenges_;
  std::mutex changes_;  // one enrolment or removal at a time
  std::mutex refusals_mutex_;
  Time refusals_since_{};  // the minute that is counted
  int refusals_ = 0;
};

// Whether a node's certificate still stands, by the node's record: PermissionDenied, with what to
// type on the node, when it was removed or the certificate is from before it was last taken in.
// For every call of a node, Renew included. A node with a certificate but no record (the store is
// of an older backup) stands: give it a record at its first heartbeat.
absl::Status CheckNodeStands(const v1::NodeRecord& record, const Certificate& certificate);

}  // namespace connect_ha
