// The calls about certificates: of nodes that join, without one, and of nodes and admins alike.
#include <utility>

#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {

grpc::Status EnrolmentServer::Challenge(grpc::ServerContext*, const v1::ChallengeRequest* request,
                                        v1::ChallengeResponse* response) {
  MessageWasRead();
  *response = core_.enrolment.Challenge(*request, TimeOfCall());
  return grpc::Status::OK;
}

grpc::Status EnrolmentServer::Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request,
                                     v1::EnrollResponse* response) {
  MessageWasRead();
  const auto tell = [this](const v1::NodeRecord& record) { core_.roster.Enrolled(record); };
  return Reply(core_.enrolment.Enroll(*request, AddressOf(context->peer()), TimeOfCall(), tell),
               response);
}

grpc::Status RenewalServer::Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                                  v1::RenewResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAny(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto renewed = core_.enrolment.Renew(*request, **caller, now);
  if (absl::IsPermissionDenied(renewed.status()) || absl::IsResourceExhausted(renewed.status())) {
    return ToGrpc(
        core_.callers.Refuse(*context, FormatActor((*caller)->identity), renewed.status(), now));
  }
  return Reply(std::move(renewed), response);
}

}  // namespace connect_ha
