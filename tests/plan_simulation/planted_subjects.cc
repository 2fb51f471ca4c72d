#include "tests/plan_simulation/planted_subjects.h"

#include <utility>

#include "coordinator/plan/decide.h"

namespace connect_ha::simulation {
namespace {

// The world alone is to show what is wrong.
Subject Bare() {
  Subject subject;
  subject.asks_broken = false;
  subject.checks_decisions = false;
  return subject;
}

}  // namespace

Subject Checked(Subject subject) {
  subject.checks_decisions = true;
  return subject;
}

Subject Seeing(std::function<void(v1::PlanInput*)> blind) {
  Subject subject = Bare();
  subject.decide = [blind = std::move(blind)](const v1::PlanInput& input) {
    v1::PlanInput seen = input;
    blind(&seen);
    return Decide(seen);
  };
  return subject;
}

Subject SeeingNodes(std::function<void(v1::PlanNode*)> blind) {
  return Seeing([blind = std::move(blind)](v1::PlanInput* input) {
    for (v1::PlanNode& node : *input->mutable_nodes()) blind(&node);
  });
}

Subject SeeingLines(std::function<void(v1::NodeRule*)> blind) {
  return SeeingNodes([blind = std::move(blind)](v1::PlanNode* node) {
    for (v1::NodeRule& line : *node->mutable_rules()) blind(&line);
  });
}

Subject SeeingMore(std::function<void(v1::PlanInput*)> add,
                   std::function<void(v1::Decision*)> take_away) {
  Subject subject = Bare();
  subject.decide = [add = std::move(add),
                    take_away = std::move(take_away)](const v1::PlanInput& input) {
    v1::PlanInput seen = input;
    add(&seen);
    v1::Decision decision = Decide(seen);
    take_away(&decision);
    return decision;
  };
  return subject;
}

Subject Saying(std::function<void(const v1::PlanInput&, v1::Decision*)> spoil) {
  Subject subject = Bare();
  subject.decide = [spoil = std::move(spoil)](const v1::PlanInput& input) {
    v1::Decision decision = Decide(input);
    spoil(input, &decision);
    return decision;
  };
  return subject;
}

Subject WithAgent(const AgentFaults& faults) {
  Subject subject = Bare();
  subject.decide = Decide;
  subject.agent = faults;
  return subject;
}

Subject WithCoordinator(const CoordinatorFaults& faults) {
  Subject subject = Bare();
  subject.decide = Decide;
  subject.coordinator = faults;
  return subject;
}

v1::NodeMemory* Remembered(v1::PlanMemory* memory, const std::string& name) {
  for (v1::NodeMemory& node : *memory->mutable_nodes()) {
    if (node.node() == name) return &node;
  }
  return nullptr;
}

const v1::NodeMemory* Remembered(const v1::PlanMemory& memory, const std::string& name) {
  for (const v1::NodeMemory& node : memory.nodes()) {
    if (node.node() == name) return &node;
  }
  return nullptr;
}

}  // namespace connect_ha::simulation
