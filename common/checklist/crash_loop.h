// What a loop of restarts is: the agent counts them, the checklist judges.
#pragma once

#include <chrono>
#include <cstdint>

namespace connect_ha {

// So many automatic restarts within so much time.
inline constexpr uint32_t kRestartsOfALoop = 3;
inline constexpr std::chrono::minutes kLoopWindow{10};

}  // namespace connect_ha
