#include "tests/coordinator/plan/next_spec.h"

namespace connect_ha {

v1::NextSpec& Propose(PlanCluster& cluster) {
  v1::NextSpec& next = *cluster.input.mutable_next();
  next.set_generation(kNext);
  next.set_applied_by("admin/alice");
  *next.mutable_applied_at() = cluster.input.now();
  *next.mutable_spec() = cluster.input.spec();
  for (int i = 0; i < cluster.input.nodes_size(); ++i) {
    v1::Ahead& staged = *cluster.node(i).mutable_staged();
    staged.set_generation(kNext);
    staged.set_ready(true);
    staged.set_needs(v1::Change::NOTHING);
    cluster.Rule(i, "database-is-writable");  // it passes
  }
  return next;
}

void ProposeVersion(PlanCluster& cluster, const std::string& version) {
  Propose(cluster).mutable_spec()->mutable_connect()->set_version(version);
}

v1::Change& WouldChange(PlanCluster& cluster, int i, const std::string& resource,
                        v1::Change::Needs needs) {
  v1::Ahead& staged = *cluster.node(i).mutable_staged();
  if (needs > staged.needs()) staged.set_needs(needs);
  v1::Change& change = *staged.add_changes();
  change.set_resource(resource);
  change.set_needs(needs);
  return change;
}

void SetWindow(PlanCluster& cluster, int opens, int closes) {
  v1::Window& window = *cluster.input.mutable_window();
  const int64_t now = cluster.input.now().seconds();
  window.mutable_opens()->set_seconds(now + 60 * opens);
  window.mutable_closes()->set_seconds(now + 60 * closes);
  window.set_text("Sun 02:00-04:00 UTC");
}

}  // namespace connect_ha
