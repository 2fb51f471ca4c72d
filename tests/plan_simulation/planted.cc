#include "tests/plan_simulation/planted.h"

#include <utility>

#include "tests/plan_simulation/planted_subjects.h"

namespace connect_ha::simulation {

const std::vector<Planted>& AllPlanted() {
  static const auto& all = *[] {
    auto* planted = new std::vector<Planted>(PlantedInSight());
    for (Planted& more : PlantedInWords()) planted->push_back(std::move(more));
    for (Planted& more : PlantedInChanges()) planted->push_back(std::move(more));
    return planted;
  }();
  return all;
}

}  // namespace connect_ha::simulation
