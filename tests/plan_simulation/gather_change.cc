// What the plan is asked of the generation that is not in force yet.
#include <optional>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/coordinator.h"
#include "tests/plan_simulation/window.h"

namespace connect_ha::simulation {

// What it speaks of is the newest generation, or it does not speak; and what its database says.
void Coordinator::FillAhead(const Store& store, const Report& report, v1::PlanNode* node) const {
  node->clear_staged();
  node->clear_migration();
  node->clear_newest_start();
  const Applied& newest = NewestOf(store);
  const bool speaks = input_.has_next() && report.ahead == newest.generation && node->heard() &&
                      Time(std::chrono::microseconds(report.ahead_applied_at_us)) == newest.at;
  if (speaks) {
    v1::Ahead& staged = *node->mutable_staged();
    staged.set_generation(report.ahead);
    *staged.mutable_applied_at() = ToProto(newest.at);
    staged.set_lineage(kLineage);
    staged.set_ready(report.ahead_ready);
    staged.set_needs(report.ahead_needs);
    if (report.ahead_trouble) {
      v1::Trouble& trouble = *staged.add_troubles();
      trouble.set_resource("package rstudio-connect");
      trouble.set_error("it cannot be fetched");
    }
    if (report.ahead_keeps) {
      v1::Trouble& trouble = *staged.add_troubles();
      trouble.set_resource("versions");
      trouble.set_error("content is pinned to what would be removed, or that is not known");
    }
  }
  if (node->fresh() && report.migration != 0) {
    node->set_migration(absl::StrCat("schema ", report.migration));
  }
  if (report.newest_start == 0) return;
  node->mutable_newest_start()->set_version(VersionText(report.newest_start));
  v1::Order& order = *node->mutable_newest_start()->mutable_order();
  order.set_lineage(kLineage);
  order.set_epoch(report.newest_epoch);
  order.set_serial(report.newest_serial);
}

void Coordinator::FillWindow(const v1::ClusterSpec& spec, Time now) {
  input_.clear_window();
  const std::optional<WindowTime> window = WindowOf(spec, now);
  if (!window) return;
  *input_.mutable_window()->mutable_opens() = ToProto(window->opens);
  *input_.mutable_window()->mutable_closes() = ToProto(window->closes);
  input_.mutable_window()->set_text(spec.rollout().maintenance_window());
}

// What is applied, and not in force; and the maintenance window that the newest has.
void Coordinator::FillNext(const Store& store, Time now) {
  const Applied& newest = NewestOf(store);
  const Applied& in_force = InForce(store);
  if (input_.generation() != in_force.generation || !input_.has_spec()) {
    *input_.mutable_spec() = *in_force.spec;
  }
  input_.set_generation(in_force.generation);
  FillWindow(*newest.spec, now);
  if (newest.generation == in_force.generation) return input_.clear_next();
  v1::NextSpec& next = *input_.mutable_next();
  if (next.generation() != newest.generation || !next.has_spec()) {
    *next.mutable_spec() = *newest.spec;
    next.set_generation(newest.generation);
    next.set_applied_by("admin/alice");
    *next.mutable_applied_at() = ToProto(newest.at);
  }
}

// As the node says whose facts are newest.
void Coordinator::FillPinned() {
  input_.clear_pinned();
  input_.clear_pinned_unknown();
  const NodeView* newest = nullptr;
  Time seen;
  for (size_t i = 0; i < views_.size(); ++i) {
    if (!views_[i].member || !views_[i].fresh || !views_[i].report.database_answers) continue;
    if (newest != nullptr && seen_[i].last_seen <= seen) continue;
    newest = &views_[i];
    seen = seen_[i].last_seen;
  }
  if (newest == nullptr) return input_.set_pinned_unknown("nobody says");
  for (uint32_t bit = 0; bit < kRuntimes; ++bit) {
    if (((newest->report.pinned >> bit) & 1U) == 0) continue;
    v1::PinnedRuntime& pinned = *input_.add_pinned();
    pinned.set_runtime("python");
    pinned.set_version(RuntimeText(bit));
    pinned.set_items(312);
  }
}

}  // namespace connect_ha::simulation
