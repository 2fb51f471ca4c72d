// The nodes' calls.
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {

grpc::Status NodeServer::Heartbeat(grpc::ServerContext* context,
                                   const v1::HeartbeatRequest* request,
                                   v1::HeartbeatResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireNode(*context, request->node(), now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const grpc::Status status =
      Reply(core_.roster.Heartbeat(*request, AddressOf(context->peer()), now), response);
  if (status.ok()) core_.previews.Exchange(*request, now, response);
  response->set_digest_key_id(core_.enrolment.digest_key_id());
  response->set_coordinator_sent_us(TimeOfCall().time_since_epoch().count());
  return status;
}

grpc::Status NodeServer::MayOpenNudges(const grpc::ServerContext& context,
                                       const std::string& node) {
  return ToGrpc(core_.callers.RequireNode(context, node, TimeOfCall()).status());
}

}  // namespace connect_ha
