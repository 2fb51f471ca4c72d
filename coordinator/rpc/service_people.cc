// The admins' calls about admins, and about what people did.
#include <algorithm>
#include <utility>

#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {
namespace {

constexpr uint32_t kAuditAtMost = 1000;

}  // namespace

grpc::Status AdminServer::CreateAdmin(grpc::ServerContext* context,
                                      const v1::CreateAdminRequest* request,
                                      v1::CreateAdminResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::ADMIN_CREATED, "", "", request->why(), now);
  auto created = core_.admins.Create(*request, entry, now);
  // The certificates that it had before are refused from now on.
  if (created.ok() && request->replace()) lines_.hang_up_on_admin(request->name());
  return Reply(std::move(created), response);
}

grpc::Status AdminServer::ListAdmins(grpc::ServerContext* context, const v1::ListAdminsRequest*,
                                     v1::ListAdminsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  return Reply(core_.admins.List(), response);
}

grpc::Status AdminServer::RemoveAdmin(grpc::ServerContext* context,
                                      const v1::RemoveAdminRequest* request,
                                      v1::RemoveAdminResponse*) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::ADMIN_REMOVED, "", "", request->why(), now);
  const absl::Status removed = core_.admins.Remove(*request, entry, now);
  if (removed.ok()) lines_.hang_up_on_admin(request->name());
  return ToGrpc(removed);
}

grpc::Status AdminServer::ListAudit(grpc::ServerContext* context,
                                    const v1::ListAuditRequest* request,
                                    v1::ListAuditResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  // The anchor first: where it moves meanwhile, entries are missing behind it and none before.
  const auto anchor = core_.store.GetAuditAnchor();
  if (!anchor.ok()) return ToGrpc(anchor.status());
  const uint32_t limit =
      std::min(request->limit() == 0 ? kAuditAtMost : request->limit(), kAuditAtMost);
  auto entries = core_.store.ListAudit(request->after_id(), limit);
  if (!entries.ok()) return ToGrpc(entries.status());
  const auto newest = core_.store.NewestAuditId();
  if (!newest.ok()) return ToGrpc(newest.status());
  if (anchor->has_value()) *response->mutable_anchor() = **anchor;
  for (v1::AuditEntry& entry : *entries) *response->add_entries() = std::move(entry);
  response->set_newest_id(*newest);
  return grpc::Status::OK;
}

}  // namespace connect_ha
