// The admin's calls about the specification.
#include <utility>

#include "absl/strings/str_cat.h"
#include "coordinator/rpc/service.h"
#include "coordinator/rpc/service_edge.h"

namespace connect_ha {
namespace {

v1::PreviewSpecRequest AsPreview(const v1::ApplySpecRequest& request) {
  v1::PreviewSpecRequest preview;
  if (request.what_case() == v1::ApplySpecRequest::kGeneration) {
    preview.set_generation(request.generation());
  } else {
    *preview.mutable_bundle() = request.bundle();
  }
  return preview;
}

// It would be the newest for ever, and never begun.
absl::Status CheckIsNotRefused(const v1::ApplySpecRequest& request, Core& core, Time now) {
  const auto draft = core.specs.Draft(AsPreview(request));
  if (!draft.ok()) return draft.status();
  const auto outlook = core.planner.OutlookOf(*draft, {}, now);
  if (!outlook || outlook->refused().empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(outlook->refused(), outlook->fix().empty() ? "" : "\nfix: ", outlook->fix()));
}

}  // namespace

grpc::Status AdminServer::PreviewSpec(grpc::ServerContext* context,
                                      const v1::PreviewSpecRequest* request,
                                      v1::PreviewSpecResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireOperator(*context, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto draft = core_.specs.Draft(*request);
  if (!draft.ok()) return ToGrpc(draft.status());
  const std::string what = request->what_case() == v1::PreviewSpecRequest::kGeneration
                               ? absl::StrCat("generation ", request->generation())
                               : std::string();
  const absl::Status told = core_.store.AddAudit(
      AuditOf(*context, *caller, v1::AuditEntry::PREVIEWED, what, "", "", now));
  if (!told.ok()) return ToGrpc(told);
  response->set_number(core_.previews.Ask(*std::move(draft), now));
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetPreviews(grpc::ServerContext* context,
                                      const v1::GetPreviewsRequest* request,
                                      v1::GetPreviewsResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  auto previews = core_.previews.Previews(request->number(), now);
  if (!previews.ok()) return ToGrpc(previews.status());
  const auto draft = core_.previews.Draft(request->number(), now);
  if (!draft.ok()) return ToGrpc(draft.status());
  if (auto outlook = core_.planner.OutlookOf(*draft, *previews, now)) {
    *response->mutable_outlook() = *std::move(outlook);
  }
  const v1::Snapshot snapshot = core_.roster.TakeSnapshot(now, /*with_facts=*/false);
  for (const v1::NodeSnapshot& node : snapshot.nodes()) {
    v1::NodePreview& preview = *response->add_nodes();
    preview.set_node(node.name());
    const auto answered = previews->find(node.name());
    if (answered != previews->end()) *preview.mutable_preview() = std::move(answered->second);
    preview.set_unreachable(!node.has_last_seen() ||
                            now - FromProto(node.last_seen()) > core_.roster.StaleAfter());
  }
  return grpc::Status::OK;
}

grpc::Status AdminServer::ApplySpec(grpc::ServerContext* context,
                                    const v1::ApplySpecRequest* request,
                                    v1::ApplySpecResponse* response) {
  const Time now = TimeOfCall();
  const auto caller = core_.callers.RequireAdmin(*context, v1::ADMIN, now);
  if (!caller.ok()) return ToGrpc(caller.status());
  const absl::Status may = CheckIsNotRefused(*request, core_, now);
  if (!may.ok()) return ToGrpc(may);
  const auto generation = core_.specs.Apply(
      *request,
      AuditOf(*context, *caller, v1::AuditEntry::SPEC_APPLIED, "", "", request->why(), now), now);
  if (!generation.ok()) return ToGrpc(generation.status());
  response->set_generation(*generation);
  // What takes no getting ready is in force when this returns.
  core_.planner.Decide(now);
  lines_.nudge_all();
  return grpc::Status::OK;
}

grpc::Status AdminServer::GetSpec(grpc::ServerContext* context, const v1::GetSpecRequest* request,
                                  v1::SpecGeneration* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  auto spec = core_.store.GetSpec(request->generation());
  if (!spec.ok()) return ToGrpc(spec.status());
  *response = *std::move(spec);
  return grpc::Status::OK;
}

grpc::Status AdminServer::ListSpecs(grpc::ServerContext* context, const v1::ListSpecsRequest*,
                                    v1::ListSpecsResponse* response) {
  const auto caller = core_.callers.RequireAdmin(*context, v1::VIEWER, TimeOfCall());
  if (!caller.ok()) return ToGrpc(caller.status());
  auto specs = core_.store.ListSpecs();
  if (!specs.ok()) return ToGrpc(specs.status());
  for (v1::SpecGeneration& spec : *specs) *response->add_generations() = std::move(spec);
  return grpc::Status::OK;
}

}  // namespace connect_ha
