// The change of the cluster that is under way or to come, as everything that decides looks at it;
// made once for each decision, from what is remembered (PlanMemory.generation, rollout, backup,
// database) and from what the nodes say. No list of steps: where it is follows from these.
//
// Only what is remembered is gone by. What a decision adds to it (progress.h) moves nodes with the
// next one, which is due at once: so it is stored before anything is done by it.
#pragma once

#include <string>

#include "connect_ha/v1/plan.pb.h"
#include "coordinator/plan/change/kind.h"
#include "coordinator/plan/look/situation.h"

namespace connect_ha {

struct Change {
  // Remembered, and under way (without end); else empty.
  v1::Rollout rollout;
  // TOGETHER, and begun: all nodes are to stop, as the generation before; none starts.
  bool stopping = false;
  // TOGETHER, in force, and nobody is known to be right yet: `rollout.first` alone is changed.
  bool first_alone = false;

  // Of the newest generation, where it is not in force; else empty.
  NextKind next;
  // Why it is not begun now; "": it is.
  std::string next_waits;

  // People's words on the whole cluster; null: none.
  const v1::Word* paused = nullptr;
  const v1::Word* aborted = nullptr;   // of the newest generation, or the one in force
  const v1::Word* approved = nullptr;  // of the same
  // Why nothing more is begun until a person says how it goes on; "": nothing went wrong.
  std::string halted;

  bool under_way() const { return rollout.generation() != 0; }
  // A further node may be taken out of service for it.
  bool goes_on() const { return paused == nullptr && aborted == nullptr && halted.empty(); }
};

// After the situation: it looks at its members, and says loudly what went wrong.
Change LookAtChange(Situation& situation);

}  // namespace connect_ha
