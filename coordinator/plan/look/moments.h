// The time of a decision, and when the next one is due.
#pragma once

#include <chrono>
#include <optional>

#include "common/time.h"

namespace connect_ha {

// So much a clock may be set back without its being looked at as another one.
inline constexpr std::chrono::minutes kClockSetBack{1};

class Moments {
 public:
  explicit Moments(Time now) : now_(now) {}

  Time now() const { return now_; }
  // Whether it is so late already; if not, it is asked again then.
  bool Reached(Time at) {
    if (now_ >= at) return true;
    if (!wake_ || at < *wake_) wake_ = at;
    return false;
  }
  // Whether what is so since then has been so for that long. What began later than now was so
  // before the clock was set back: for long enough, as far as anybody can tell.
  bool Lasted(Time since, Time::duration span) {
    return since > now_ + kClockSetBack || Reached(since + span);
  }
  const std::optional<Time>& wake() const { return wake_; }

 private:
  Time now_;
  std::optional<Time> wake_;
};

}  // namespace connect_ha
