// What work on a node tells and asks while it goes on.
#pragma once

#include <chrono>

#include "agent/assignment/transitions.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

using SteadyTime = std::chrono::steady_clock::time_point;

class WorkWatch {
 public:
  virtual ~WorkWatch() = default;
  // Something else is to be done first, or the agent stops.
  virtual bool Stopped() = 0;
  // False as soon as Stopped.
  virtual bool Wait(std::chrono::milliseconds span) = 0;
  virtual SteadyTime Now() = 0;
};

// Of a turn; Stopped: another assignment came, or the agent stops.
class TurnWatch : public WorkWatch {
 public:
  virtual void Publish(const v1::Convergence& convergence) = 0;
  // Connect's unit was looked at, by orders that want this of it.
  virtual void UnitSeen(UnitWanted /*wanted*/, bool /*is_so*/) {}
};

// Of getting ready for a specification (ahead.h).
class AheadWatch : public WorkWatch {
 public:
  virtual void Publish(const v1::Ahead& ahead) = 0;
};

}  // namespace connect_ha
