#include "coordinator/cluster/planning/draft_look.h"

#include "coordinator/cluster/planning/plan_specs.h"

namespace connect_ha {
namespace {

// All of its changes: of an agent that does not say what they need each one counts.
v1::Ahead StagedBy(const v1::Preview& preview, const v1::NextSpec& next,
                   const std::string& lineage) {
  v1::Ahead staged;
  staged.set_generation(next.generation());
  if (next.has_applied_at()) *staged.mutable_applied_at() = next.applied_at();
  staged.set_lineage(lineage);
  staged.set_ready(preview.troubles().empty());
  staged.set_needs(preview.needs());
  *staged.mutable_changes() = preview.changes();
  *staged.mutable_troubles() = preview.troubles();
  return staged;
}

}  // namespace

v1::PlanInput WithDraft(const v1::PlanInput& latest, const v1::Desired& draft,
                        const std::map<std::string, v1::Preview>& previews, Time now) {
  v1::PlanInput input = latest;
  *input.mutable_now() = ToProto(now);
  *input.mutable_next() = PlanNext(draft, "");
  FillWindow(now, &input);
  for (v1::PlanNode& node : *input.mutable_nodes()) {
    node.clear_staged();
    const auto said = previews.find(node.brief().name());
    if (said == previews.end()) continue;
    *node.mutable_staged() = StagedBy(said->second, input.next(), input.lineage());
  }
  return input;
}

}  // namespace connect_ha
