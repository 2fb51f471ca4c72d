// A planner, with a generation in force and another one to come.
#pragma once

#include <string>

#include "tests/coordinator/service/planner_fixture.h"

namespace connect_ha {

inline const Time kNoon{std::chrono::seconds(1'700'000'000)};  // a Tuesday, 22:13:20 UTC

inline v1::ClusterSpec Enforced(const std::string& version = "2024.08.0") {
  v1::ClusterSpec spec;
  spec.set_enforcement(v1::ENFORCE);
  spec.mutable_connect()->set_version(version);
  return spec;
}

// Generation 3 is in force, and 4 was applied.
class RolloutFixture : public PlannerFixture {
 protected:
  RolloutFixture() {
    Apply(3, Enforced());
    Enrol("a");
    plan_.in_force = 3;
    planner_->Decide(kNoon);
    Apply(4, Enforced("2024.09.0"));
  }
  void Decide(int after_s) { planner_->Decide(kNoon + std::chrono::seconds(after_s)); }
  v1::HeartbeatRequest Serving(uint64_t generation) {
    v1::HeartbeatRequest request;
    request.set_node("a");
    request.set_machine_id("machine");
    request.set_boot_id("boot");
    request.set_facts_digest("digest");
    request.mutable_facts()->mutable_connect()->mutable_unit()->set_active_state("active");
    request.set_reported_state(v1::SERVING);
    request.set_reported_generation(generation);
    request.set_reported_lineage(store_->lineage());
    return request;
  }
};

}  // namespace connect_ha
