// The one call of nodes and admins alike.
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {

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
