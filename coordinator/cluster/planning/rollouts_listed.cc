#include "coordinator/cluster/planning/rollouts_listed.h"

#include <algorithm>
#include <utility>

#include "common/time.h"

namespace connect_ha {
namespace {

bool IsSame(const v1::Rollout& a, const v1::Rollout& b) {
  return a.generation() == b.generation() && FromProto(a.began_at()) == FromProto(b.began_at());
}

}  // namespace

std::vector<v1::Rollout> ListedRollouts(const v1::Rollout& before, std::vector<v1::Rollout> ended,
                                        const v1::Rollout& after, size_t limit) {
  const auto known = std::find_if(ended.begin(), ended.end(), [&before](const v1::Rollout& one) {
    return IsSame(one, before);
  });
  const bool has_ended = known != ended.end() && !IsSame(before, after);
  if (known != ended.end() && !has_ended) ended.erase(known);
  if (before.generation() != 0 && !has_ended) ended.insert(ended.begin(), before);
  if (ended.size() > limit) ended.resize(limit);
  return ended;
}

}  // namespace connect_ha
