#include "agent/assignment/transitions.h"

namespace connect_ha {
namespace {

using v1::DRAINING;
using v1::FENCED;
using v1::OBSERVED;
using v1::PREPARING;
using v1::READY;
using v1::SERVING;
using v1::STOPPED;

constexpr GateWanted kAsConnect = GateWanted::kAsConnect;
constexpr GateWanted kClosed = GateWanted::kClosed;
constexpr GateWanted kOpen = GateWanted::kOpen;
constexpr UnitWanted kAsItIs = UnitWanted::kAsItIs;
constexpr UnitWanted kHeld = UnitWanted::kHeld;
constexpr UnitWanted kRunning = UnitWanted::kRunning;
constexpr auto kNone = Transition::kNone;
constexpr auto kWithoutRestart = Transition::kWithoutRestart;
constexpr auto kAll = Transition::kAll;

constexpr char kLeave[] = "leave Connect and its unit as they are";
constexpr char kHold[] = "close the gate, stop Connect, mask its unit";
constexpr char kKeep[] = "keep Connect stopped and masked";
constexpr char kStart[] = "pass the preflight, unmask, enable and start Connect; open the gate";
constexpr char kAdopt[] = "enable Connect, start it where it does not run; open the gate";
constexpr char kReopen[] = "open the gate, start Connect where it does not run";
constexpr char kClose[] = "close the gate, leave Connect as it is";

}  // namespace

const std::vector<Transition>& Transitions() {
  static const auto& rows = *new std::vector<Transition>{
      {OBSERVED, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {PREPARING, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {READY, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {SERVING, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {DRAINING, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {STOPPED, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},
      {FENCED, OBSERVED, kAsConnect, kAsItIs, kNone, kLeave},

      {OBSERVED, PREPARING, kClosed, kHeld, kAll, kHold},
      {PREPARING, PREPARING, kClosed, kHeld, kAll, kKeep},
      {READY, PREPARING, kClosed, kHeld, kAll, kKeep},
      {SERVING, PREPARING, kClosed, kHeld, kAll, kHold},
      {DRAINING, PREPARING, kClosed, kHeld, kAll, kHold},
      {STOPPED, PREPARING, kClosed, kHeld, kAll, kKeep},
      {FENCED, PREPARING, kClosed, kHeld, kAll, kKeep},

      {OBSERVED, READY, kClosed, kHeld, kAll, kHold},
      {PREPARING, READY, kClosed, kHeld, kAll, kKeep},
      {READY, READY, kClosed, kHeld, kAll, kKeep},
      {SERVING, READY, kClosed, kHeld, kAll, kHold},
      {DRAINING, READY, kClosed, kHeld, kAll, kHold},
      {STOPPED, READY, kClosed, kHeld, kAll, kKeep},
      {FENCED, READY, kClosed, kHeld, kAll, kKeep},

      {OBSERVED, SERVING, kOpen, kRunning, kWithoutRestart, kAdopt},
      {PREPARING, SERVING, kOpen, kRunning, kWithoutRestart, kStart},
      {READY, SERVING, kOpen, kRunning, kWithoutRestart, kStart},
      {SERVING, SERVING, kOpen, kRunning, kWithoutRestart, kReopen},
      {DRAINING, SERVING, kOpen, kRunning, kWithoutRestart, kReopen},
      {STOPPED, SERVING, kOpen, kRunning, kWithoutRestart, kStart},
      {FENCED, SERVING, kOpen, kRunning, kWithoutRestart, kStart},

      {OBSERVED, DRAINING, kClosed, kAsItIs, kWithoutRestart, kClose},
      {PREPARING, DRAINING, kClosed, kAsItIs, kWithoutRestart, kKeep},
      {READY, DRAINING, kClosed, kAsItIs, kWithoutRestart, kKeep},
      {SERVING, DRAINING, kClosed, kAsItIs, kWithoutRestart, kClose},
      {DRAINING, DRAINING, kClosed, kAsItIs, kWithoutRestart, kClose},
      {STOPPED, DRAINING, kClosed, kAsItIs, kWithoutRestart, kKeep},
      {FENCED, DRAINING, kClosed, kAsItIs, kWithoutRestart, kKeep},

      {OBSERVED, STOPPED, kClosed, kHeld, kNone, kHold},
      {PREPARING, STOPPED, kClosed, kHeld, kNone, kKeep},
      {READY, STOPPED, kClosed, kHeld, kNone, kKeep},
      {SERVING, STOPPED, kClosed, kHeld, kNone, kHold},
      {DRAINING, STOPPED, kClosed, kHeld, kNone, kHold},
      {STOPPED, STOPPED, kClosed, kHeld, kNone, kKeep},
      {FENCED, STOPPED, kClosed, kHeld, kNone, kKeep},

      {OBSERVED, FENCED, kClosed, kHeld, kAll, kHold},
      {PREPARING, FENCED, kClosed, kHeld, kAll, kKeep},
      {READY, FENCED, kClosed, kHeld, kAll, kKeep},
      {SERVING, FENCED, kClosed, kHeld, kAll, kHold},
      {DRAINING, FENCED, kClosed, kHeld, kAll, kHold},
      {STOPPED, FENCED, kClosed, kHeld, kAll, kKeep},
      {FENCED, FENCED, kClosed, kHeld, kAll, kKeep},
  };
  return rows;
}

const Transition* FindTransition(v1::NodeState from, v1::NodeState to) {
  for (const Transition& row : Transitions()) {
    if (row.from == from && row.to == to) return &row;
  }
  return nullptr;
}

}  // namespace connect_ha
