// What asks for a node to be out of service.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coordinator/plan/change/change.h"
#include "coordinator/plan/look/situation.h"
#include "coordinator/plan/move/fence.h"

namespace connect_ha {

struct Wish {
  // In the order in which they are granted, but that those with `downtime` come first: those that
  // need fewer others to serve, so that the next count on nobody who leaves.
  enum Kind {
    kFence,
    kInstanceGoes,  // whatever is decided
    kStartFailed,
    kOlder,  // it runs what all others have left together
    kClose,
    kFenceWord,
    kStop,
    kDrain,
    kNotice,
    kHold,
    kChange
  } kind = kHold;
  size_t member = 0;
  Time since;           // the longer, the sooner
  uint64_t number = 0;  // of a word
  Leave leave;
  bool downtime = false;  // whoever asked said so
};

// All of them, in the order in which they are granted, of which no name is part. `waits`, one for
// each member: what keeps it from its turn, where it is to be changed.
std::vector<Wish> WishesOf(Situation& situation, const Change& change,
                           std::vector<std::string>& waits);

}  // namespace connect_ha
