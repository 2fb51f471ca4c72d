// The admins' calls about the plan: what nodes are to be, and what people say of it.
#include <algorithm>
#include <utility>

#include "coordinator/cluster/node/generations.h"
#include "coordinator/cluster/planning/rollouts_listed.h"
#include "coordinator/cluster/planning/words.h"
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {
namespace {

constexpr uint32_t kRolloutsByDefault = 20;
constexpr uint32_t kRolloutsAtMost = 1000;

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

// Of the specification in force, by which words are heeded, and of the newest, which may be in
// force in a moment, the one that asks for more.
template <typename RoleBy>
v1::Role Least(const Roster& roster, const RoleBy& role_by) {
  const Generations specs = roster.SpecsNow();
  return std::max<v1::Role>(role_by(specs.in_force->spec()), role_by(specs.newest->spec()));
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
  const v1::Role least =
      Least(core_.roster, [&word](const v1::ClusterSpec& spec) { return NeededRole(word, spec); });
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
  const v1::Role least = Least(core_.roster, [request](const v1::ClusterSpec& spec) {
    return RoleToTakeBack(*request, spec);
  });
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

grpc::Status AdminServer::ListRollouts(grpc::ServerContext* context,
                                       const v1::ListRolloutsRequest* request,
                                       v1::ListRolloutsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  const uint32_t limit =
      std::min(request->limit() == 0 ? kRolloutsByDefault : request->limit(), kRolloutsAtMost);
  // It first: one that ends meanwhile is in the list, too.
  const v1::Rollout under_way = core_.planner.CurrentRollout();
  auto ended = core_.store.ListRollouts(limit);
  if (!ended.ok()) return ToGrpc(ended.status());
  const v1::Rollout after = core_.planner.CurrentRollout();
  for (v1::Rollout& one : ListedRollouts(under_way, *std::move(ended), after, limit)) {
    *response->add_rollouts() = std::move(one);
  }
  return grpc::Status::OK;
}

}  // namespace connect_ha
