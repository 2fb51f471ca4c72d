// The time of a decision, and when the next one is due.
#pragma once

#include <optional>

#include "common/time.h"

namespace connect_ha {

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
  const std::optional<Time>& wake() const { return wake_; }

 private:
  Time now_;
  std::optional<Time> wake_;
};

}  // namespace connect_ha
