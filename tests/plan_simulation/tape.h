// Supplies every choice of a schedule: the same seed, the same choices.
#pragma once

#include <cstdint>

namespace connect_ha::simulation {

class Tape {
 public:
  explicit Tape(uint64_t seed) : state_(seed) {}

  // Below n, which is not 0.
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(((Next() >> 32) * n) >> 32); }
  bool OneIn(uint32_t n) { return Below(n) == 0; }

 private:
  // SplitMix64: https://prng.di.unimi.it/splitmix64.c
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t state_;
};

}  // namespace connect_ha::simulation
