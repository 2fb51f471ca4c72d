// The nodes' calls.
#include "absl/strings/str_cat.h"
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {
namespace {

absl::Status TooLarge(size_t bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat("the report has ", bytes, " bytes, the limit is ", kMaxNodeMessageBytes,
                   "\nfix: connect-ha-agent facts shows what takes so much room"));
}

}  // namespace

grpc::Status NodeServer::Heartbeat(grpc::ServerContext* context,
                                   const v1::HeartbeatRequest* request,
                                   v1::HeartbeatResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireNode(*context, request->node(), now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const size_t bytes = request->has_facts() ? request->ByteSizeLong() : 0;
  if (bytes > static_cast<size_t>(kMaxNodeMessageBytes)) {
    return ToGrpc(
        core_.callers.Refuse(*context, FormatActor((*caller)->identity), TooLarge(bytes), now));
  }
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
