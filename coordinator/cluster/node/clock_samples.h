#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/node_service.pb.h"

namespace connect_ha {

// A node's clock against ours, from the four timestamps of its heartbeats (as NTP does, RFC 5905
// section 8). Of the last eight samples the one with the smallest error counts: the quickest round
// trip. Not for use by two threads at once.
class ClockSamples {
 public:
  // Exchanges that are not complete, that no clock could show, or that were added already, are left
  // out.
  void Add(const v1::ClockExchange& exchange);
  std::optional<v1::ClockOffset> Best() const;
  void Clear() { count_ = 0; }

 private:
  struct Sample {
    int64_t offset_us;
    int64_t error_us;
    int64_t measured_us;
  };
  std::array<Sample, 8> samples_{};  // oldest first
  size_t count_ = 0;
};

}  // namespace connect_ha
