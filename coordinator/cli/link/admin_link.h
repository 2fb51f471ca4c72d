// How the CLI asks the coordinator: AdminClient is the real one (gRPC), the CLI's tests have a
// fake. Errors carry a message for a person, with what to type next. Unavailable and
// DeadlineExceeded: no answer. Aborted: somebody else was first. FailedPrecondition: the identity
// or the certificate will not do.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/admin_service.pb.h"

namespace connect_ha {

class AdminLink {
 public:
  virtual ~AdminLink() = default;

  virtual absl::StatusOr<v1::Checklist> GetChecklist(const v1::GetChecklistRequest& request) = 0;
  virtual absl::StatusOr<v1::Snapshot> GetSnapshot(const v1::GetSnapshotRequest& request) = 0;
  virtual absl::StatusOr<v1::RefreshResponse> Refresh(const v1::RefreshRequest& request) = 0;
  virtual absl::StatusOr<v1::RefreshStatusResponse> RefreshStatus(
      const v1::RefreshStatusRequest& request) = 0;
  virtual absl::StatusOr<v1::ListEventsResponse> ListEvents(
      const v1::ListEventsRequest& request) = 0;
  virtual absl::StatusOr<v1::CreateTokenResponse> CreateToken(
      const v1::CreateTokenRequest& request) = 0;
  virtual absl::StatusOr<v1::ListTokensResponse> ListTokens(
      const v1::ListTokensRequest& request) = 0;
  virtual absl::StatusOr<v1::RevokeTokenResponse> RevokeToken(
      const v1::RevokeTokenRequest& request) = 0;
  virtual absl::StatusOr<v1::CreateAdminResponse> CreateAdmin(
      const v1::CreateAdminRequest& request) = 0;
  virtual absl::StatusOr<v1::ListAdminsResponse> ListAdmins(
      const v1::ListAdminsRequest& request) = 0;
  virtual absl::StatusOr<v1::RemoveAdminResponse> RemoveAdmin(
      const v1::RemoveAdminRequest& request) = 0;
  virtual absl::StatusOr<v1::ListAuditResponse> ListAudit(const v1::ListAuditRequest& request) = 0;
  virtual absl::StatusOr<v1::ListNodesResponse> ListNodes(const v1::ListNodesRequest& request) = 0;
  virtual absl::StatusOr<v1::RemoveNodeResponse> RemoveNode(
      const v1::RemoveNodeRequest& request) = 0;
  virtual absl::StatusOr<v1::PreviewSpecResponse> PreviewSpec(
      const v1::PreviewSpecRequest& request) = 0;
  virtual absl::StatusOr<v1::GetPreviewsResponse> GetPreviews(
      const v1::GetPreviewsRequest& request) = 0;
  virtual absl::StatusOr<v1::ApplySpecResponse> ApplySpec(const v1::ApplySpecRequest& request) = 0;
  virtual absl::StatusOr<v1::SpecGeneration> GetSpec(const v1::GetSpecRequest& request) = 0;
  virtual absl::StatusOr<v1::ListSpecsResponse> ListSpecs(const v1::ListSpecsRequest& request) = 0;
  virtual absl::StatusOr<v1::GiveWordResponse> GiveWord(const v1::GiveWordRequest& request) = 0;
  virtual absl::StatusOr<v1::TakeBackResponse> TakeBack(const v1::TakeBackRequest& request) = 0;
  virtual absl::StatusOr<v1::GetPlanResponse> GetPlan(const v1::GetPlanRequest& request) = 0;
  virtual absl::StatusOr<v1::ListRolloutsResponse> ListRollouts(
      const v1::ListRolloutsRequest& request) = 0;
};

}  // namespace connect_ha
