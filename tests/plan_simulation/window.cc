#include "tests/plan_simulation/window.h"

namespace connect_ha::simulation {
namespace {

constexpr std::chrono::hours kEvery{4};
constexpr std::chrono::hours kLong{1};
constexpr std::chrono::minutes kShort{10};

}  // namespace

std::optional<WindowTime> WindowOf(const v1::ClusterSpec& spec, Time now) {
  if (!spec.rollout().has_maintenance_window()) return std::nullopt;
  const bool is_short = spec.rollout().maintenance_window() == kShortWindow;
  WindowTime window;
  window.opens = now - (now.time_since_epoch() % std::chrono::microseconds(kEvery));
  window.closes = window.opens + (is_short ? std::chrono::minutes(kShort) : kLong);
  if (now < window.closes) return window;
  window.opens += kEvery;
  window.closes += kEvery;
  return window;
}

}  // namespace connect_ha::simulation
