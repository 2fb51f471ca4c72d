// Which of several clocks are off, as far as offsets tell that are known within their errors.
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

// A node's clock minus another one, and the bound of the measuring error.
struct ClockReading {
  const v1::NodeSnapshot* node;
  int64_t offset_us;
  int64_t error_us;

  int64_t Lower() const { return offset_us - error_us; }
  int64_t Upper() const { return offset_us + error_us; }
  // For certain; a reading may be neither.
  bool IsBeyond(int64_t limit) const { return Lower() > limit || Upper() < -limit; }
  bool IsWithin(int64_t limit) const { return Lower() >= -limit && Upper() <= limit; }
};

struct ClockComparison {
  // Offsets against the other nodes, errors included.
  std::vector<ClockReading> out;     // beyond the limit for certain
  std::vector<ClockReading> unsure;  // perhaps
  // Nothing tells which of those that are out are wrong.
  bool undecided = false;

  bool IsOut(const v1::NodeSnapshot& node) const { return nodes_out.count(&node) > 0; }
  void AddOut(const ClockReading& reading);

  std::unordered_set<const v1::NodeSnapshot*> nodes_out;  // of `out`
};

// Of readings against one clock, those that are too far from the median. Of two that are apart both
// are out, unless `witness`, readings against another clock, has exactly one of them beyond the
// limit and the other within it. Fewer than two readings are never apart.
ClockComparison CompareClocks(const std::vector<ClockReading>& readings,
                              const std::vector<ClockReading>& witness, int64_t limit_us);

}  // namespace connect_ha
