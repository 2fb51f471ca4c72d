#pragma once

#include <chrono>
#include <random>

namespace connect_ha {

// Waits that double from `first` up to `last`, each give or take a quarter, so that many who
// lost one coordinator do not come back together.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last);

  std::chrono::milliseconds Next();
  void Reset() { next_ = first_; }

 private:
  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
  std::minstd_rand random_;
};

}  // namespace connect_ha
