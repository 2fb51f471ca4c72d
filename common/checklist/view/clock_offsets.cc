#include "common/checklist/view/clock_offsets.h"

#include <algorithm>
#include <cstdlib>

namespace connect_ha {
namespace {

// What the true offset in the middle lies between.
struct Middle {
  int64_t lower;
  int64_t upper;
};

// Half of the clocks are at or above the median of the lower bounds, half at or below that of the
// upper ones, however wide the errors of some are. Of two, the one that is known better.
Middle FindMiddle(const std::vector<ClockReading>& readings) {
  if (readings.size() == 2) {
    const ClockReading& better =
        readings[0].error_us <= readings[1].error_us ? readings[0] : readings[1];
    return {better.Lower(), better.Upper()};
  }
  std::vector<int64_t> lower;
  std::vector<int64_t> upper;
  for (const ClockReading& reading : readings) {
    lower.push_back(reading.Lower());
    upper.push_back(reading.Upper());
  }
  std::sort(lower.begin(), lower.end());
  std::sort(upper.begin(), upper.end());
  return {lower[(lower.size() - 1) / 2], upper[upper.size() / 2]};
}

ClockReading Against(const Middle& middle, const ClockReading& reading) {
  const int64_t lower = reading.Lower() - middle.upper;
  const int64_t upper = reading.Upper() - middle.lower;
  return {reading.node, lower + (upper - lower) / 2, (upper - lower + 1) / 2};
}

bool AreApart(const ClockReading& a, const ClockReading& b, int64_t limit) {
  return a.Lower() - b.Upper() > limit || b.Lower() - a.Upper() > limit;
}

const ClockReading* Find(const std::vector<ClockReading>& readings, const v1::NodeSnapshot* node) {
  for (const ClockReading& reading : readings) {
    if (reading.node == node) return &reading;
  }
  return nullptr;
}

// Those that the witness has beyond the limit; none unless it has all the others within it.
std::vector<ClockReading> DecidedBy(const std::vector<ClockReading>& witness,
                                    const std::vector<ClockReading>& apart, int64_t limit) {
  std::vector<ClockReading> wrong;
  for (const ClockReading& one : apart) {
    const ClockReading* seen = Find(witness, one.node);
    if (seen == nullptr) return {};
    if (seen->IsBeyond(limit)) {
      wrong.push_back(one);
    } else if (!seen->IsWithin(limit)) {
      return {};
    }
  }
  return wrong.size() < apart.size() ? wrong : std::vector<ClockReading>();
}

// Each as it is against the one that is furthest from it, for the words.
std::vector<ClockReading> AgainstTheFurthest(const std::vector<ClockReading>& apart) {
  std::vector<ClockReading> against;
  for (const ClockReading& one : apart) {
    const ClockReading* furthest = &one;
    for (const ClockReading& other : apart) {
      if (std::abs(other.offset_us - one.offset_us) >
          std::abs(furthest->offset_us - one.offset_us)) {
        furthest = &other;
      }
    }
    against.push_back(
        {one.node, one.offset_us - furthest->offset_us, one.error_us + furthest->error_us});
  }
  return against;
}

}  // namespace

bool ClockComparison::IsOut(const v1::NodeSnapshot& node) const {
  return Find(out, &node) != nullptr;
}

ClockComparison CompareClocks(const std::vector<ClockReading>& readings,
                              const std::vector<ClockReading>& witness, int64_t limit_us) {
  ClockComparison compared;
  if (readings.size() < 2) return compared;
  const Middle middle = FindMiddle(readings);
  if (readings.size() > 2) {
    for (const ClockReading& reading : readings) {
      const ClockReading against = Against(middle, reading);
      if (against.IsBeyond(limit_us)) compared.out.push_back(against);
    }
  }
  std::vector<ClockReading> apart;
  for (const ClockReading& one : readings) {
    if (compared.IsOut(*one.node)) continue;
    const bool is_apart =
        std::any_of(readings.begin(), readings.end(), [&](const ClockReading& other) {
          return !compared.IsOut(*other.node) && AreApart(one, other, limit_us);
        });
    if (is_apart) apart.push_back(one);
  }
  if (!apart.empty()) {
    const std::vector<ClockReading> all = AgainstTheFurthest(apart);
    std::vector<ClockReading> decided = DecidedBy(witness, all, limit_us);
    compared.undecided = decided.empty();
    if (decided.empty()) decided = all;
    compared.out.insert(compared.out.end(), decided.begin(), decided.end());
  }
  for (const ClockReading& reading : readings) {
    const ClockReading against = Against(middle, reading);
    // One that is apart from another is either out or decided to be right.
    if (Find(apart, reading.node) != nullptr || compared.IsOut(*reading.node)) continue;
    if (!against.IsWithin(limit_us)) compared.unsure.push_back(against);
  }
  return compared;
}

}  // namespace connect_ha
