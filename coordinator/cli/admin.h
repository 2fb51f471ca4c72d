// The coordinator as the commands see it: one call a function, messages in and out. The real one
// is AdminClient, over gRPC; tests give FakeAdmin.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// Each call has a deadline of its own. Errors: Unavailable and DeadlineExceeded when no coordinator
// answers, Unauthenticated and PermissionDenied when it does not take the certificate, NotFound for
// a node or token that is not there; the message says what on what, and the fix.
class Admin {
 public:
  virtual ~Admin() = default;

  virtual absl::StatusOr<v1::Checklist> GetChecklist() = 0;
  virtual absl::StatusOr<v1::Snapshot> GetSnapshot(const v1::GetSnapshotRequest& request) = 0;
  virtual absl::StatusOr<v1::RefreshResponse> Refresh() = 0;
  virtual absl::StatusOr<v1::RefreshStatusResponse> RefreshStatus(
      const v1::RefreshStatusRequest& request) = 0;
  virtual absl::StatusOr<v1::ListEventsResponse> ListEvents(
      const v1::ListEventsRequest& request) = 0;
  virtual absl::StatusOr<v1::CreateTokenResponse> CreateToken(
      const v1::CreateTokenRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTokensResponse> ListTokens() = 0;
  virtual absl::Status RevokeToken(const v1::RevokeTokenRequest& request) = 0;
  virtual absl::Status RemoveNode(const v1::RemoveNodeRequest& request) = 0;
};

}  // namespace connect_ha
