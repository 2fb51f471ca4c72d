// The calls that come without a certificate.
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

}  // namespace connect_ha
