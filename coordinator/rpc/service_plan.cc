// The admins' calls about the plan: what nodes are to be, and what people say of it.
#include <algorithm>
#include <utility>

#include "coordinator/cluster/planning/words.h"
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {
namespace {

// Who takes back waivers without naming their rule may take back one of a rule that fences.
v1::Role RoleToTakeBack(const v1::TakeBackRequest& request, const v1::ClusterSpec& spec) {
  v1::Role least = v1::OPERATOR;
  for (const int number : request.kinds()) {
    const auto kind = static_cast<v1::Word::Kind>(number);
    const bool of_any_rule = kind == v1::Word::WAIVE && request.rule().empty();
    least =
        std::max(least, of_any_rule ? v1::ADMIN : NeededRoleToTakeBack(kind, request.rule(), spec));
  }
  return least;
}

absl::StatusOr<Callers::Caller> RequireSpeaker(Callers& callers, const grpc::ServerContext& context,
                                               v1::Role least, Time now) {
  if (least == v1::ADMIN) return callers.RequireAdmin(context, least, now);
  return callers.RequireOperator(context, now);
}

}  // namespace

grpc::Status AdminServer::GiveWord(grpc::ServerContext* context, const v1::GiveWordRequest* request,
                                   v1::GiveWordResponse* response) {
  const Time now = TimeOfCall();
  v1::Word word = request->word();
  const auto spec = core_.specs.Current();
  const v1::Role least = NeededRole(word, spec->bundle().spec());
  const auto caller = RequireSpeaker(core_.callers, *context, least, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  word.set_role(core_.admins.RoleOf((*caller)->identity.name));
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::WORD_GIVEN, "", "", word.reason(), now);
  return Reply(core_.planner.GiveWord(std::move(word), entry, now), response);
}

grpc::Status AdminServer::TakeBack(grpc::ServerContext* context, const v1::TakeBackRequest* request,
                                   v1::TakeBackResponse* response) {
  const Time now = TimeOfCall();
  const auto spec = core_.specs.Current();
  const v1::Role least = RoleToTakeBack(*request, spec->bundle().spec());
  const auto caller = RequireSpeaker(core_.callers, *context, least, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto entry =
      AuditOf(*context, *caller, v1::AuditEntry::WORD_TAKEN_BACK, "", "", request->why(), now);
  return Reply(core_.planner.TakeBack(*request, entry, now), response);
}

grpc::Status AdminServer::GetPlan(grpc::ServerContext* context, const v1::GetPlanRequest*,
                                  v1::GetPlanResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  *response = core_.planner.CurrentPlan();
  return grpc::Status::OK;
}

}  // namespace connect_ha
