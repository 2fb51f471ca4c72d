// A planner on a real store, with a plan that does what the test says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/cluster/planner.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {

// Gives each node the state that is wanted for it, by a new order where that is another one.
class FakePlan {
 public:
  PlanFunctions Functions() {
    return {[this](const v1::PlanInput& input) { return Decide(input); },
            [this](const v1::PlanInput&, const v1::Decision&) { return broken; },
            [this](const v1::PlanInput& input) {
              thought_of = input;
              return outlook;
            }};
  }

  std::map<std::string, v1::NodeState> wanted;  // OBSERVED, where nothing is said
  bool release = false;                         // of those that are OBSERVED
  std::vector<v1::Said> said;
  std::vector<uint64_t> ended;
  std::vector<std::string> broken;
  std::optional<Time> wake_at;
  uint64_t in_force = 0;  // from the next decision on; 0: as it was
  std::set<std::string> closed;
  std::function<void(v1::Decision& decision)> also;  // to every decision, when it is made
  v1::Outlook outlook;
  v1::PlanInput thought_of;         // of the latest outlook
  std::function<void()> meanwhile;  // once, while it decides
  v1::PlanInput input;              // of the latest decision
  int decisions = 0;

 private:
  v1::Decision Decide(const v1::PlanInput& given) {
    input = given;
    ++decisions;
    if (const auto act = std::exchange(meanwhile, nullptr)) act();
    v1::Decision decision;
    v1::PlanMemory& remember = *decision.mutable_remember();
    remember = given.memory();
    remember.clear_nodes();
    if (in_force != 0) remember.set_generation(in_force);
    *remember.mutable_made_at() = given.now();
    if (given.memory().has_made_at()) *remember.mutable_made_at() = given.memory().made_at();
    uint64_t serial = given.memory().epoch() == given.epoch() ? given.memory().serial() : 0;
    std::map<std::string, v1::NodeMemory> before;
    for (const v1::NodeMemory& one : given.memory().nodes()) before[one.node()] = one;
    for (const v1::PlanNode& node : given.nodes()) {
      const std::string& name = node.brief().name();
      v1::NodeMemory memory = before[name];
      const auto said_of = wanted.find(name);
      const v1::NodeState state = said_of == wanted.end() ? v1::OBSERVED : said_of->second;
      const bool is_closed = closed.count(name) > 0;
      if (memory.state() != state || memory.generation() != given.generation() ||
          memory.closed() != is_closed) {
        memory.set_node(name);
        memory.set_state(state);
        memory.set_closed(is_closed);
        memory.set_generation(given.generation());
        memory.mutable_order()->set_lineage(given.lineage());
        memory.mutable_order()->set_epoch(given.epoch());
        memory.mutable_order()->set_serial(++serial);
        *memory.mutable_since() = given.now();
      }
      v1::NodeAssignment& assigned = *decision.add_assignments();
      assigned.set_node(name);
      assigned.set_state(memory.state());
      assigned.set_release(release && memory.state() == v1::OBSERVED);
      assigned.set_generation(memory.generation());
      *assigned.mutable_order() = memory.order();
      *assigned.mutable_since() = memory.since();
      assigned.set_reason("wanted");
      assigned.set_closed(is_closed);
      *remember.add_nodes() = memory;
    }
    remember.set_epoch(serial == 0 ? given.memory().epoch() : given.epoch());
    remember.set_serial(serial == 0 ? given.memory().serial() : serial);
    for (const v1::Said& one : said) *decision.add_said() = one;
    for (const uint64_t number : ended) decision.add_ended_words(number);
    if (wake_at) *decision.mutable_wake_at() = ToProto(*wake_at);
    if (also) also(decision);
    return decision;
  }
};

class PlannerFixture : public RosterFixture {
 protected:
  PlannerFixture() { MakePlanner(noon_); }
  ~PlannerFixture() override { planner_.reset(); }

  // As a coordinator's start: what was in memory is gone.
  void Restart(Time now) {
    planner_.reset();
    Start(now);
    MakePlanner(now);
  }
  void MakePlanner(Time now) {
    planner_ = std::make_unique<Planner>(*roster_, *evaluator_, *store_, plan_.Functions());
    nudged_.clear();
    planner_->OnOrder([this](const std::string& node) { nudged_.push_back(node); });
    const absl::Status loaded = planner_->Load(now);
    ASSERT_TRUE(loaded.ok()) << loaded;
  }
  // The node calls, and goes by `order`, where there is one.
  v1::HeartbeatResponse Call(const std::string& node, Time now, const v1::Order& order = {},
                             const std::string& machine = "machine") {
    v1::HeartbeatRequest request;
    request.set_node(node);
    request.set_machine_id(machine);
    request.set_boot_id("boot");
    request.set_facts_digest("digest of " + machine);
    request.mutable_facts()->mutable_connect();  // no Connect there
    request.set_reported_state(v1::OBSERVED);
    if (order.epoch() != 0) *request.mutable_order() = order;
    return Hear(request, now);
  }
  v1::NodeAssignment Given(const std::string& node) {
    const v1::GetPlanResponse plan = planner_->CurrentPlan();
    for (const v1::NodeAssignment& one : plan.decision().assignments()) {
      if (one.node() == node) return one;
    }
    return {};
  }
  // Another generation, which somebody applied: the newest from now on.
  v1::Desired Apply(uint64_t generation, const v1::ClusterSpec& what) {
    v1::SpecGeneration spec;
    spec.set_generation(generation);
    *spec.mutable_applied_at() = ToProto(noon_);
    spec.set_applied_by("admin/alice");
    *spec.mutable_bundle()->mutable_spec() = what;
    const auto newest = store_->GetSpec(0);
    const absl::Status added = store_->AddSpec(spec, newest.ok() ? newest->generation() : 0,
                                               v1::Event(), v1::AuditEntry());
    EXPECT_TRUE(added.ok()) << added;
    v1::Desired desired;
    desired.set_generation(generation);
    *desired.mutable_applied_at() = spec.applied_at();
    *desired.mutable_spec() = what;
    roster_->SetSpec(desired, spec.applied_by());
    desired.set_lineage(store_->lineage());
    return desired;
  }
  static v1::AuditEntry By(const std::string& actor) {
    v1::AuditEntry entry;
    entry.set_actor(actor);
    entry.set_address("192.0.2.7");
    return entry;
  }

  FakePlan plan_;
  std::vector<std::string> nudged_;
  std::unique_ptr<Planner> planner_;
};

}  // namespace connect_ha
