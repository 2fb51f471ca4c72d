// Plans, agents and coordinators with a fault planted in them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/plan_simulation/planted.h"

namespace connect_ha::simulation {

// The decisions are looked at, too: else the world alone is to show what is wrong.
Subject Checked(Subject subject);

// The plan sees its input otherwise than it is.
Subject Seeing(std::function<void(v1::PlanInput*)> blind);
Subject SeeingNodes(std::function<void(v1::PlanNode*)> blind);
Subject SeeingLines(std::function<void(v1::NodeRule*)> blind);
// The plan sees what is not there, of which its decision says nothing.
Subject SeeingMore(std::function<void(v1::PlanInput*)> add,
                   std::function<void(v1::Decision*)> take_away);
// The plan says something else than it has found.
Subject Saying(std::function<void(const v1::PlanInput&, v1::Decision*)> spoil);

Subject WithAgent(const AgentFaults& faults);
Subject WithCoordinator(const CoordinatorFaults& faults);

// Null: it is not in the memory.
v1::NodeMemory* Remembered(v1::PlanMemory* memory, const std::string& name);
const v1::NodeMemory* Remembered(const v1::PlanMemory& memory, const std::string& name);

// planted_sight.cc, planted_words.cc, planted_changes.cc
std::vector<Planted> PlantedInSight();
std::vector<Planted> PlantedInWords();
std::vector<Planted> PlantedInChanges();

}  // namespace connect_ha::simulation
