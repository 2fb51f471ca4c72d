// The admin's calls about the specification.
#include <utility>

#include "common/channel.h"
#include "coordinator/service.h"

namespace connect_ha {
namespace {

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

}  // namespace

grpc::Status AdminServer::PlanSpec(grpc::ServerContext* context, const v1::PlanSpecRequest* request,
                                   v1::PlanSpecResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto draft = core_.specs.Draft(*request);
  if (!draft.ok()) return ToGrpc(draft.status());
  response->set_number(core_.plans.Ask(*std::move(draft), now));
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetPlans(grpc::ServerContext* context, const v1::GetPlansRequest* request,
                                   v1::GetPlansResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto plans = core_.plans.Plans(request->number(), now);
  if (!plans.ok()) return ToGrpc(plans.status());
  const v1::Snapshot snapshot = core_.roster.TakeSnapshot(now, /*with_facts=*/false);
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    v1::NodePlan& plan = *response->add_nodes();
    plan.set_node(node.name());
    const auto answered = plans->find(node.name());
    if (answered != plans->end()) *plan.mutable_plan() = std::move(answered->second);
    plan.set_unreachable(!node.has_last_seen() ||
                         now - FromProto(node.last_seen()) > core_.roster.StaleAfter());
  }
  return grpc::Status::OK;
}

grpc::Status AdminServer::ApplySpec(grpc::ServerContext* context,
                                    const v1::ApplySpecRequest* request,
                                    v1::ApplySpecResponse* response) {
  const Time now = Now();
  const auto caller = core_.callers.RequireAdmin(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const auto generation = core_.specs.Apply(*request, FormatActor((*caller)->identity), now);
  if (!generation.ok()) return ToGrpc(generation.status());
  response->set_generation(*generation);
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetSpec(grpc::ServerContext* context, const v1::GetSpecRequest* request,
                                  v1::SpecGeneration* response) {
  const auto caller = core_.callers.RequireAdmin(*context, Now());
  if (!caller.ok()) return ToGrpc(caller.status());
  auto spec = core_.store.GetSpec(request->generation());
  if (!spec.ok()) return ToGrpc(spec.status());
  *response = *std::move(spec);
  return grpc::Status::OK;
}

grpc::Status AdminServer::ListSpecs(grpc::ServerContext* context, const v1::ListSpecsRequest*,
                                    v1::ListSpecsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, Now());
  if (!caller.ok()) return ToGrpc(caller.status());
  auto specs = core_.store.ListSpecs();
  if (!specs.ok()) return ToGrpc(specs.status());
  for (v1::SpecGeneration& spec : *specs) *response->add_generations() = std::move(spec);
  return grpc::Status::OK;
}

}  // namespace connect_ha
