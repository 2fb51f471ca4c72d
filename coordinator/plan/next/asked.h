// For what an approval and a backup are asked for.
#pragma once

#include <cstdint>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

// The newest generation, or what a person only thinks of; where that is in force, a start of it
// that may migrate the database.
inline uint64_t AskedGeneration(const v1::PlanInput& input) {
  return input.has_next() ? input.next().generation() : input.generation();
}
inline const v1::ClusterSpec& AskedSpec(const v1::PlanInput& input) {
  return input.has_next() ? input.next().spec() : input.spec();
}

}  // namespace connect_ha
