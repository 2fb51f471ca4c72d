#include "common/checklist/view/clock_offsets.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <unordered_map>
#include <unordered_set>

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

// Those of which some other is too far. Each is compared with the two that lie furthest out: a
// cluster may have ten thousand.
std::vector<ClockReading> ApartFromAnother(const std::vector<ClockReading>& readings,
                                           const ClockComparison& compared, int64_t limit) {
  int64_t least_upper = std::numeric_limits<int64_t>::max();
  int64_t greatest_lower = std::numeric_limits<int64_t>::min();
  std::vector<ClockReading> in;
  for (const ClockReading& reading : readings) {
    if (compared.IsOut(*reading.node)) continue;
    in.push_back(reading);
    least_upper = std::min(least_upper, reading.Upper());
    greatest_lower = std::max(greatest_lower, reading.Lower());
  }
  std::vector<ClockReading> apart;
  for (const ClockReading& one : in) {
    if (one.Lower() - least_upper > limit || greatest_lower - one.Upper() > limit) {
      apart.push_back(one);
    }
  }
  return apart;
}

// Those that the witness has beyond the limit; none unless it has all the others within it.
std::vector<ClockReading> DecidedBy(const std::vector<ClockReading>& witness,
                                    const std::vector<ClockReading>& apart, int64_t limit) {
  std::unordered_map<const v1::NodeSnapshot*, const ClockReading*> seen_by;
  for (const ClockReading& reading : witness) seen_by.emplace(reading.node, &reading);
  std::vector<ClockReading> wrong;
  for (const ClockReading& one : apart) {
    const auto seen = seen_by.find(one.node);
    if (seen == seen_by.end()) return {};
    if (seen->second->IsBeyond(limit)) {
      wrong.push_back(one);
    } else if (!seen->second->IsWithin(limit)) {
      return {};
    }
  }
  return wrong.size() < apart.size() ? wrong : std::vector<ClockReading>();
}

// Each as it is against the one that is furthest from it, for the words; of two that are as far the
// one that comes first.
std::vector<ClockReading> AgainstTheFurthest(const std::vector<ClockReading>& apart) {
  const auto is_less = [](const ClockReading& a, const ClockReading& b) {
    return a.offset_us < b.offset_us;
  };
  const auto low = std::min_element(apart.begin(), apart.end(), is_less);
  const auto high = std::max_element(apart.begin(), apart.end(), is_less);
  const ClockReading* const first = low < high ? &*low : &*high;
  const ClockReading* const second = low < high ? &*high : &*low;
  std::vector<ClockReading> against;
  for (const ClockReading& one : apart) {
    const ClockReading* furthest = &one;
    for (const ClockReading* end : {first, second}) {
      if (std::abs(end->offset_us - one.offset_us) >
          std::abs(furthest->offset_us - one.offset_us)) {
        furthest = end;
      }
    }
    against.push_back(
        {one.node, one.offset_us - furthest->offset_us, one.error_us + furthest->error_us});
  }
  return against;
}

}  // namespace

void ClockComparison::AddOut(const ClockReading& reading) {
  out.push_back(reading);
  nodes_out.insert(reading.node);
}

ClockComparison CompareClocks(const std::vector<ClockReading>& readings,
                              const std::vector<ClockReading>& witness, int64_t limit_us) {
  ClockComparison compared;
  if (readings.size() < 2) return compared;
  const Middle middle = FindMiddle(readings);
  if (readings.size() > 2) {
    for (const ClockReading& reading : readings) {
      const ClockReading against = Against(middle, reading);
      if (against.IsBeyond(limit_us)) compared.AddOut(against);
    }
  }
  const std::vector<ClockReading> apart = ApartFromAnother(readings, compared, limit_us);
  if (!apart.empty()) {
    const std::vector<ClockReading> all = AgainstTheFurthest(apart);
    std::vector<ClockReading> decided = DecidedBy(witness, all, limit_us);
    compared.undecided = decided.empty();
    if (decided.empty()) decided = all;
    for (const ClockReading& one : decided) compared.AddOut(one);
  }
  std::unordered_set<const v1::NodeSnapshot*> nodes_apart;
  for (const ClockReading& one : apart) nodes_apart.insert(one.node);
  for (const ClockReading& reading : readings) {
    const ClockReading against = Against(middle, reading);
    // One that is apart from another is either out or decided to be right.
    if (nodes_apart.count(reading.node) > 0 || compared.IsOut(*reading.node)) continue;
    if (!against.IsWithin(limit_us)) compared.unsure.push_back(against);
  }
  return compared;
}

}  // namespace connect_ha
