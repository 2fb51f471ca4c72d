// The call that keeps a certificate renewed.
#include <utility>

#include "common/tls/channel.h"
#include "coordinator/rpc/service.h"

namespace connect_ha {
namespace {

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

}  // namespace

grpc::Status RenewalServer::Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                                  v1::RenewResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAny(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto renewed = core_.enrolment.Renew(*request, **caller, now);
  if (absl::IsPermissionDenied(renewed.status())) {
    return ToGrpc(
        core_.callers.Refuse(*context, FormatActor((*caller)->identity), renewed.status(), now));
  }
  if (!renewed.ok()) return ToGrpc(renewed.status());
  *response = *std::move(renewed);
  return grpc::Status::OK;
}

}  // namespace connect_ha
