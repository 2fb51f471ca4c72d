// Schedules are run, and those that fail made short.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/plan_simulation/counts.h"
#include "tests/plan_simulation/schedule.h"
#include "tests/plan_simulation/world.h"

namespace connect_ha::simulation {

// What is released: coordinator/plan, as it is.
Subject TheRealOne();

// `trace`: a line for each thing that happens; null where nobody reads it.
std::optional<Failure> Run(const Schedule& schedule, const Subject& subject, Counts* counts,
                           std::vector<std::string>* trace = nullptr);

// A schedule that breaks the same invariant, from which nothing can be left out, and of which
// nothing can be made plainer.
Schedule Shrink(const Schedule& schedule, const Subject& subject, const std::string& invariant);

// The schedule as a file, with what happens in it as comments.
std::string Describe(const Schedule& schedule, const Subject& subject);

}  // namespace connect_ha::simulation
