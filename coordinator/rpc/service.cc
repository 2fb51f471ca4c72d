#include "coordinator/rpc/service.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/tls/channel.h"
#include "coordinator/rpc/service_unread.h"

namespace connect_ha {
namespace {

constexpr uint32_t kEventsByDefault = 100;
constexpr uint32_t kEventsAtMost = 10'000;

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

// Gives the caller the answer or the error.
template <typename Message>
grpc::Status Reply(absl::StatusOr<Message> answer, Message* response) {
  if (!answer.ok()) return ToGrpc(answer.status());
  *response = *std::move(answer);
  return grpc::Status::OK;
}

absl::Status TooLarge(size_t bytes) {
  return absl::InvalidArgumentError(
      absl::StrCat("the report has ", bytes, " bytes, the limit is ", kMaxNodeMessageBytes,
                   "\nfix: connect-ha-agent facts shows what takes so much room"));
}

}  // namespace

grpc::Status NodeServer::Heartbeat(grpc::ServerContext* context,
                                   const v1::HeartbeatRequest* request,
                                   v1::HeartbeatResponse* response) {
  const Time now = Now();
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
  response->set_coordinator_sent_us(Now().time_since_epoch().count());
  return status;
}

grpc::Status NodeServer::MayOpenNudges(const grpc::ServerContext& context,
                                       const std::string& node) {
  return ToGrpc(core_.callers.RequireNode(context, node, Now()).status());
}

grpc::Status EnrolmentServer::Challenge(grpc::ServerContext*, const v1::ChallengeRequest* request,
                                        v1::ChallengeResponse* response) {
  MessageWasRead();
  *response = core_.enrolment.Challenge(*request, Now());
  return grpc::Status::OK;
}

grpc::Status EnrolmentServer::Enroll(grpc::ServerContext* context, const v1::EnrollRequest* request,
                                     v1::EnrollResponse* response) {
  MessageWasRead();
  const grpc::Status status =
      Reply(core_.enrolment.Enroll(*request, AddressOf(context->peer()), Now()), response);
  if (!status.ok()) return status;
  const auto record = core_.store.GetNode(response->node());
  if (!record.ok()) return ToGrpc(record.status());
  core_.roster.Enrolled(*record);
  return grpc::Status::OK;
}

grpc::Status EnrolmentServer::Renew(grpc::ServerContext* context, const v1::RenewRequest* request,
                                    v1::RenewResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAny(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto renewed = core_.enrolment.Renew(*request, **caller, now);
  if (absl::IsPermissionDenied(renewed.status())) {
    return ToGrpc(
        core_.callers.Refuse(*context, FormatActor((*caller)->identity), renewed.status(), now));
  }
  return Reply(std::move(renewed), response);
}

grpc::Status AdminServer::GetChecklist(grpc::ServerContext* context, const v1::GetChecklistRequest*,
                                       v1::Checklist* response) {
  const auto caller = core_.callers.RequireAdmin(*context, Now());
  if (!caller.ok()) return ToGrpc(caller.status());
  *response = *core_.evaluator.Latest();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetSnapshot(grpc::ServerContext* context,
                                      const v1::GetSnapshotRequest* request,
                                      v1::Snapshot* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
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
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  response->set_number(core_.roster.Refresh(now));
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::RefreshStatus(grpc::ServerContext* context,
                                        const v1::RefreshStatusRequest* request,
                                        v1::RefreshStatusResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  *response = core_.roster.RefreshStatus(request->number(), now);
  // Who is told that all answered, and then asks for the checklist, gets the answers judged.
  if (response->pending().empty()) core_.evaluator.Tick(now);
  return grpc::Status::OK;
}

grpc::Status AdminServer::ListEvents(grpc::ServerContext* context,
                                     const v1::ListEventsRequest* request,
                                     v1::ListEventsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, Now());
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
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  return Reply(core_.enrolment.CreateToken(*request, (*caller)->identity, now), response);
}

grpc::Status AdminServer::ListTokens(grpc::ServerContext* context, const v1::ListTokensRequest*,
                                     v1::ListTokensResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, Now());
  if (!caller.ok()) return ToGrpc(caller.status());
  return Reply(core_.enrolment.ListTokens(), response);
}

grpc::Status AdminServer::RevokeToken(grpc::ServerContext* context,
                                      const v1::RevokeTokenRequest* request,
                                      v1::RevokeTokenResponse*) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  return ToGrpc(core_.enrolment.RevokeToken(*request, (*caller)->identity, now));
}

grpc::Status AdminServer::RemoveNode(grpc::ServerContext* context,
                                     const v1::RemoveNodeRequest* request,
                                     v1::RemoveNodeResponse*) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const absl::Status removed = core_.roster.Remove(request->node(), [&] {
    return core_.enrolment.RemoveNode(*request, (*caller)->identity, now);
  });
  if (removed.ok()) lines_.hang_up(request->node());
  return ToGrpc(removed);
}

}  // namespace connect_ha
