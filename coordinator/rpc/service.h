// The four gRPC services: each call checks who calls, calls one function of the core, and gives its
// answer back. Times are taken here, at the edge, and here is said what the audit log is told.
#pragma once

#include <functional>
#include <string>

#include "connect_ha/v1/admin_service.grpc.pb.h"
#include "connect_ha/v1/enrolment_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/cluster/evaluator.h"
#include "coordinator/cluster/planner.h"
#include "coordinator/cluster/preview_board.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/cluster/specs.h"
#include "coordinator/identity/admins.h"
#include "coordinator/identity/enrolment.h"
#include "coordinator/rpc/few_at_a_time.h"
#include "coordinator/rpc/service_caller.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// What the services work on. Borrowed.
struct Core {
  Store& store;
  Roster& roster;
  Evaluator& evaluator;
  Enrolment& enrolment;
  Admins& admins;
  Callers& callers;
  Specs& specs;
  PreviewBoard& previews;
  Planner& planner;
};

// How the admin's calls reach the nodes and other admins, whichever server they are connected to.
struct NodeLines {
  std::function<void()> nudge_all;
  std::function<void(const std::string& node)> hang_up;
  std::function<void(const std::string& admin)> hang_up_on_admin;
};

class NodeServer final : public v1::NodeService::Service {
 public:
  explicit NodeServer(Core& core) : core_(core) {}
  grpc::Status Heartbeat(grpc::ServerContext* context, const v1::HeartbeatRequest* request,
                         v1::HeartbeatResponse* response) override;
  grpc::Status MayOpenNudges(const grpc::ServerContext& context, const std::string& node);

 private:
  Core& core_;
};

class EnrolmentServer final : public v1::EnrolmentService::Service {
 public:
  explicit EnrolmentServer(Core& core) : core_(core) {}
  grpc::Status Challenge(grpc::ServerContext* context, const v1::ChallengeRequest* request,
                         v1::ChallengeResponse* response) override;
  grpc::Status Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request,
                      v1::EnrollResponse* response) override;

 private:
  Core& core_;
};

class RenewalServer final : public v1::RenewalService::Service {
 public:
  explicit RenewalServer(Core& core) : core_(core) {}
  grpc::Status Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                     v1::RenewResponse* response) override;

 private:
  Core& core_;
};

class AdminServer final : public v1::AdminService::Service {
 public:
  AdminServer(Core& core, NodeLines lines) : core_(core), lines_(std::move(lines)) {}
  grpc::Status GetChecklist(grpc::ServerContext* context, const v1::GetChecklistRequest* request,
                            v1::Checklist* response) override;
  grpc::Status GetSnapshot(grpc::ServerContext* context, const v1::GetSnapshotRequest* request,
                           v1::Snapshot* response) override;
  grpc::Status Refresh(grpc::ServerContext* context, const v1::RefreshRequest* request,
                       v1::RefreshResponse* response) override;
  grpc::Status RefreshStatus(grpc::ServerContext* context, const v1::RefreshStatusRequest* request,
                             v1::RefreshStatusResponse* response) override;
  grpc::Status ListEvents(grpc::ServerContext* context, const v1::ListEventsRequest* request,
                          v1::ListEventsResponse* response) override;
  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override;
  grpc::Status ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest* request,
                          v1::ListTokensResponse* response) override;
  grpc::Status RevokeToken(grpc::ServerContext* context, const v1::RevokeTokenRequest* request,
                           v1::RevokeTokenResponse* response) override;
  grpc::Status RemoveNode(grpc::ServerContext* context, const v1::RemoveNodeRequest* request,
                          v1::RemoveNodeResponse* response) override;
  grpc::Status ListNodes(grpc::ServerContext* context, const v1::ListNodesRequest* request,
                         v1::ListNodesResponse* response) override;
  // In service_people.cc:
  grpc::Status CreateAdmin(grpc::ServerContext* context, const v1::CreateAdminRequest* request,
                           v1::CreateAdminResponse* response) override;
  grpc::Status ListAdmins(grpc::ServerContext* context, const v1::ListAdminsRequest* request,
                          v1::ListAdminsResponse* response) override;
  grpc::Status RemoveAdmin(grpc::ServerContext* context, const v1::RemoveAdminRequest* request,
                           v1::RemoveAdminResponse* response) override;
  grpc::Status ListAudit(grpc::ServerContext* context, const v1::ListAuditRequest* request,
                         v1::ListAuditResponse* response) override;
  // In service_spec.cc:
  grpc::Status PreviewSpec(grpc::ServerContext* context, const v1::PreviewSpecRequest* request,
                           v1::PreviewSpecResponse* response) override;
  grpc::Status GetPreviews(grpc::ServerContext* context, const v1::GetPreviewsRequest* request,
                           v1::GetPreviewsResponse* response) override;
  grpc::Status ApplySpec(grpc::ServerContext* context, const v1::ApplySpecRequest* request,
                         v1::ApplySpecResponse* response) override;
  grpc::Status GetSpec(grpc::ServerContext* context, const v1::GetSpecRequest* request,
                       v1::SpecGeneration* response) override;
  grpc::Status ListSpecs(grpc::ServerContext* context, const v1::ListSpecsRequest* request,
                         v1::ListSpecsResponse* response) override;
  // In service_plan.cc:
  grpc::Status GiveWord(grpc::ServerContext* context, const v1::GiveWordRequest* request,
                        v1::GiveWordResponse* response) override;
  grpc::Status TakeBack(grpc::ServerContext* context, const v1::TakeBackRequest* request,
                        v1::TakeBackResponse* response) override;
  grpc::Status GetPlan(grpc::ServerContext* context, const v1::GetPlanRequest* request,
                       v1::GetPlanResponse* response) override;
  grpc::Status ListRollouts(grpc::ServerContext* context, const v1::ListRolloutsRequest* request,
                            v1::ListRolloutsResponse* response) override;

 private:
  Core& core_;
  const NodeLines lines_;
  FewAtATime whole_snapshots_{2};  // by admin: each may be of hundreds of megabytes
};

}  // namespace connect_ha
