// What was known to a coordinator where something was decided, as the world recorded it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "tests/plan_simulation/checklist.h"
#include "tests/plan_simulation/coordinator.h"
#include "tests/plan_simulation/window.h"

namespace connect_ha::simulation {

struct Knowledge {
  Time at;     // by the world's clock
  Time clock;  // by the coordinator's
  Views views;
  std::array<Lines, kMostNodes> lines;
  std::vector<v1::Word> words;
  // In force; null: of what was given before this begins.
  std::shared_ptr<const v1::ClusterSpec> spec;
  uint64_t generation = 0;
  // The newest, where it is not in force; generation 0: there is none.
  Applied next;
  bool window_is_open = false;
  std::optional<WindowTime> window;  // that it has
  uint32_t pinned = 0;               // runtimes, a bit for each
  Version newest = 0;                // that the database has known, as it was remembered
  uint64_t not_before = 0;           // as PlanMemory's
  uint32_t before_that = 0;          // who never was as that says, a bit for each node
  // Of the change, as it was remembered until then; empty: none is under way.
  uint64_t change = 0;  // its generation
  bool together = false;
  bool in_force = false;
  bool verified = false;
  std::string first;
  uint32_t listed = 0;       // who is to be changed by it, a bit for each node
  uint32_t left_behind = 0;  // as the world knows (host.h), a bit for each node
  bool stored = false;       // what was decided by it
};

}  // namespace connect_ha::simulation
