// For converge.cc and converge_service.cc alone.
#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/resources/converge/converge.h"

namespace connect_ha {

// What is known while one turn lasts.
struct Converge::Turning {
  const v1::Assignment& assignment;
  TurnWatch& watch;
  ResourceContext context;
  std::vector<std::unique_ptr<Resource>> resources;
  std::vector<LookedAt> looks;
  v1::Convergence report;
  std::optional<std::chrono::milliseconds> retry;
  std::optional<std::chrono::milliseconds> look_again;  // at what could not be looked at
  bool stuck = false;                  // one of the troubles does not pass by itself
  std::map<std::string, int> changed;  // how often, by resource
  Course course;
  bool connect_is_up = true;  // as far as is known

  uint64_t generation() const { return assignment.desired().generation(); }
  void RetryIn(std::chrono::milliseconds wait) { retry = std::min(retry.value_or(wait), wait); }
};

}  // namespace connect_ha
