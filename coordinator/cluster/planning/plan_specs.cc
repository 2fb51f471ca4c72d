#include "coordinator/cluster/planning/plan_specs.h"

#include <google/protobuf/repeated_field.h>

#include <optional>

#include "common/maintenance_window.h"
#include "common/version.h"

namespace connect_ha {
namespace {

using Runtimes = google::protobuf::RepeatedPtrField<v1::RuntimeSpec>;

// Which versions; not where they come from.
void FillVersions(const Runtimes& runtimes, Runtimes* of_plan) {
  for (const v1::RuntimeSpec& runtime : runtimes) of_plan->Add()->set_version(runtime.version());
}

}  // namespace

v1::ClusterSpec PlanSpec(const v1::ClusterSpec& spec) {
  v1::ClusterSpec of_plan;
  if (spec.connect().has_version()) {
    of_plan.mutable_connect()->set_version(PlainVersion(spec.connect().version()));
  }
  of_plan.set_enforcement(spec.enforcement());
  // Where it is known which file system is to be mounted, that it is has to be known, too.
  if (spec.storage().source_case() != v1::StorageSpec::SOURCE_NOT_SET) {
    of_plan.mutable_storage()->set_mount_point(spec.storage().mount_point());
  }
  if (spec.has_runtimes()) {
    v1::RuntimesSpec& runtimes = *of_plan.mutable_runtimes();
    FillVersions(spec.runtimes().r(), runtimes.mutable_r());
    FillVersions(spec.runtimes().python(), runtimes.mutable_python());
    FillVersions(spec.runtimes().quarto(), runtimes.mutable_quarto());
    runtimes.set_prune(spec.runtimes().prune());
  }
  if (spec.database().has_backup_before_migration()) {
    *of_plan.mutable_database()->mutable_backup_before_migration() =
        spec.database().backup_before_migration();
  }
  *of_plan.mutable_nodes() = spec.nodes();
  *of_plan.mutable_load_balancer() = spec.load_balancer();
  *of_plan.mutable_rollout() = spec.rollout();
  *of_plan.mutable_rules() = spec.rules();
  return of_plan;
}

v1::NextSpec PlanNext(const v1::Desired& desired, const std::string& applied_by) {
  v1::NextSpec next;
  next.set_generation(desired.generation());
  if (desired.has_applied_at()) *next.mutable_applied_at() = desired.applied_at();
  next.set_applied_by(applied_by);
  *next.mutable_spec() = PlanSpec(desired.spec());
  return next;
}

void FillWindow(Time now, v1::PlanInput* input) {
  input->clear_window();
  const v1::ClusterSpec& newest = input->has_next() ? input->next().spec() : input->spec();
  if (!newest.rollout().has_maintenance_window()) return;
  const std::string& text = newest.rollout().maintenance_window();
  input->mutable_window()->set_text(text);
  const auto window = MaintenanceWindow::Parse(text);
  if (!window.ok()) return;
  if (std::optional<v1::Window> at = window->At(now)) *input->mutable_window() = *std::move(at);
}

}  // namespace connect_ha
