#include "coordinator/cluster/node/generations.h"

#include <google/protobuf/util/time_util.h>

namespace connect_ha {

bool HasNext(const v1::Desired& in_force, const v1::Desired& newest) {
  return in_force.generation() != newest.generation();
}

bool SpeaksOf(const v1::Ahead& said, const v1::Desired& desired) {
  return said.generation() == desired.generation() && said.lineage() == desired.lineage() &&
         said.has_applied_at() == desired.has_applied_at() &&
         said.applied_at() == desired.applied_at();
}

}  // namespace connect_ha
