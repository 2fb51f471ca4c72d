#include "common/backoff.h"

#include <algorithm>

namespace connect_ha {

Backoff::Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last)
    : first_(first), last_(last), next_(first), random_(std::random_device()()) {}

std::chrono::milliseconds Backoff::Next() {
  const auto wait = next_;
  next_ = std::min(last_, next_ * 2);
  return wait * std::uniform_int_distribution<int>(75, 125)(random_) / 100;
}

}  // namespace connect_ha
