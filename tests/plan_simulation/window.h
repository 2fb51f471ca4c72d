// Maintenance windows as this world has them: every few hours, by the coordinator's clock.
#pragma once

#include <optional>

#include "common/time.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha::simulation {

inline constexpr char kLongWindow[] = "an hour of every four";
inline constexpr char kShortWindow[] = "ten minutes of every four hours";  // nothing fits in

struct WindowTime {
  Time opens;
  Time closes;

  bool IsOpen(Time now) const { return opens <= now && now < closes; }
};

// The one that is now, else the next; unset: the specification has none.
std::optional<WindowTime> WindowOf(const v1::ClusterSpec& spec, Time now);

}  // namespace connect_ha::simulation
