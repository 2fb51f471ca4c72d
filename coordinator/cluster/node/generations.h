// The specifications that nodes are told of: the one in force, which all of them are assigned, and
// the newest, which they get ready for while it is another one.
#pragma once

#include <memory>
#include <string>

#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// Of one moment. Neither is null; their lineage is the store's.
struct Generations {
  std::shared_ptr<const v1::Desired> in_force;
  std::shared_ptr<const v1::Desired> newest;
  std::string newest_by;  // who applied it: "admin/alice"
};

// The newest is not in force.
bool HasNext(const v1::Desired& in_force, const v1::Desired& newest);

// It is of this very specification: of one generation there may be two (Desired.applied_at).
bool SpeaksOf(const v1::Ahead& said, const v1::Desired& desired);

}  // namespace connect_ha
