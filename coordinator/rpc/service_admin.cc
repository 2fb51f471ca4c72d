// The admins' calls about nodes, tokens and what is known of them; each says whom it is for.
#include <algorithm>
#include <utility>

#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

constexpr uint32_t kEventsByDefault = 100;
constexpr uint32_t kEventsAtMost = 10'000;

}  // namespace

grpc::Status AdminServer::GetChecklist(grpc::ServerContext* context, const v1::GetChecklistRequest*,
                                       v1::Checklist* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  *response = *core_.evaluator.Latest();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetSnapshot(grpc::ServerContext* context,
                                      const v1::GetSnapshotRequest* request,
                                      v1::Snapshot* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  if (request->node().empty() && !request->without_facts()) {
    auto turn = whole_snapshots_.Take(FormatActor((*caller)->identity));
    if (turn == nullptr) {
      return ToGrpc(
          absl::ResourceExhaustedError("the facts of all nodes are on their way to this admin "
                                       "twice already\nfix: read them to their "
                                       "end, or ask for one node (connect-ha facts NODE)"));
    }
    KeepUntilSent(std::move(turn));
  }
  if (request->node().empty()) {
    *response = core_.roster.TakeSnapshot(now, !request->without_facts());
    return grpc::Status::OK;
  }
  auto node = core_.roster.TakeNode(request->node(), now);
  if (!node.ok()) return ToGrpc(node.status());
  if (request->without_facts()) node->clear_facts();
  *response = core_.roster.TakeSnapshot(now, /*with_facts=*/false);
  response->clear_nodes();
  *response->add_nodes() = *std::move(node);
  return grpc::Status::OK;
}

grpc::Status AdminServer::Refresh(grpc::ServerContext* context, const v1::RefreshRequest*,
                                  v1::RefreshResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireOperator(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const absl::Status told = core_.store.AddAudit(
      AuditOf(*context, *caller, v1::AuditEntry::REFRESHED, "", "every node", "", now));
  if (!told.ok()) return ToGrpc(told);
  response->set_number(core_.roster.Refresh(now));
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::RefreshStatus(grpc::ServerContext* context,
                                        const v1::RefreshStatusRequest* request,
                                        v1::RefreshStatusResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  // Who is told that all answered, and then asks for the checklist, gets the answers judged. That
  // is the loop's to do: whoever asks often makes nobody work.
  *response = core_.roster.RefreshStatus(request->number(), core_.evaluator.judged(), now);
  return grpc::Status::OK;
}

grpc::Status AdminServer::ListEvents(grpc::ServerContext* context,
                                     const v1::ListEventsRequest* request,
                                     v1::ListEventsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  EventQuery query;
  query.after_id = request->after_id();
  query.limit =
      std::min(request->limit() == 0 ? kEventsByDefault : request->limit(), kEventsAtMost);
  query.node = request->node();
  query.rule = request->rule();
  auto events = core_.store.ListEvents(query);
  if (!events.ok()) return ToGrpc(events.status());
  for (v1::Event& event : *events) *response->add_events() = std::move(event);
  return grpc::Status::OK;
}

grpc::Status AdminServer::CreateToken(grpc::ServerContext* context,
                                      const v1::CreateTokenRequest* request,
                                      v1::CreateTokenResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::TOKEN_CREATED, "", "", request->why(), now);
  return Reply(core_.enrolment.CreateToken(*request, entry, now), response);
}

grpc::Status AdminServer::ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest*,
                                     v1::ListTokensResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  return Reply(core_.enrolment.ListTokens(), response);
}

grpc::Status AdminServer::RevokeToken(grpc::ServerContext* context,
                                      const v1::RevokeTokenRequest* request,
                                      v1::RevokeTokenResponse*) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::TOKEN_REVOKED, "", "", request->why(), now);
  return ToGrpc(core_.enrolment.RevokeToken(*request, entry, now));
}

grpc::Status AdminServer::RemoveNode(grpc::ServerContext* context,
                                     const v1::RemoveNodeRequest* request,
                                     v1::RemoveNodeResponse*) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  if (!request->force()) {
    absl::Status may = core_.roster.CheckRemoval(request->node(), now);
    if (may.ok()) may = core_.planner.CheckRemoval(request->node());
    if (!may.ok()) return ToGrpc(may);
  }
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::NODE_REMOVED, "",
              request->force() ? "whether or not Connect runs there" : "", request->why(), now);
  absl::Status removed;
  {
    const auto alone = core_.enrolment.OneAtATime();
    removed = core_.roster.Remove(request->node(),
                                  [&] { return core_.enrolment.RemoveNode(*request, entry, now); });
  }
  if (removed.ok()) lines_.hang_up(request->node());
  return ToGrpc(removed);
}

grpc::Status AdminServer::ListNodes(grpc::ServerContext* context, const v1::ListNodesRequest*,
                                    v1::ListNodesResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  *response->mutable_taken_at() = ToProto(now);
  for (v1::NodeBrief& brief : core_.roster.Briefs(now)) *response->add_nodes() = std::move(brief);
  return grpc::Status::OK;
}

}  // namespace connect_ha
