// What a simulated node says of itself in a heartbeat.
#pragma once

#include <cstdint>
#include <string>

#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/state.pb.h"

namespace connect_ha::simulation {

// 0: none.
using Version = uint32_t;
inline constexpr Version kVersions = 4;
const std::string& VersionText(Version version);

inline constexpr uint32_t kRuntimes = 3;

// What EC2 says of an instance: it takes it back; it recommends to replace it; it reboots it at a
// time that is known; Auto Scaling ends it.
enum class Notice { kNone, kInterruption, kRebalance, kMaintenance, kTerminating };
// The machine goes, whatever is done.
inline bool IsCertain(Notice notice) {
  return notice == Notice::kInterruption || notice == Notice::kTerminating;
}

enum class Mount { kVerified, kNone, kOther, kHung };

// Once it is reached, Connect rests.
inline bool IsAtRest(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::STOPPED ||
         state == v1::FENCED;
}

struct Report {
  uint32_t machine = 0;
  v1::NodeState state = v1::OBSERVED;  // reached
  uint64_t generation = 0;             // held
  int64_t applied_at_us = 0;           // of that; 0: not said
  uint64_t epoch = 0;                  // of the order taken; with serial 0: none
  uint64_t serial = 0;
  v1::Allow allow = v1::ALLOW_SERVE;
  bool can_serve = true;
  bool enforces = false;  // the specification held does
  bool connect_runs = false;
  bool answers = false;
  bool boots = false;  // a boot starts Connect
  Version installed = 0;
  Version running = 0;
  Mount mount = Mount::kVerified;
  uint32_t database = 0;  // another number, another database
  uint32_t key = 0;
  uint32_t covered = 0;  // its beacons are where nobody else writes
  bool clock_off = false;
  bool config_broken = false;
  bool license_ends = false;
  bool database_answers = true;
  uint32_t cannot_tell = 0;  // a bit for each rule (checklist.h) that cannot be judged
  bool looked = false;
  bool converged = false;
  // What differs, by what it needs; the greatest that any of it does.
  bool unit_differs = false;
  bool runtimes_differ = false;
  bool prunes = false;  // runtimes that are there are to be removed yet
  bool package_differs = false;
  v1::Change::Needs file_needs = v1::Change::NEEDS_UNSPECIFIED;
  v1::Change::Needs needs = v1::Change::NOTHING;
  bool stuck = false;  // it cannot be changed
  uint32_t runtimes = 0;
  // Of the generation that is not in force yet; 0: it is told of none.
  uint64_t ahead = 0;
  int64_t ahead_applied_at_us = 0;
  bool ahead_ready = false;
  bool ahead_trouble = false;
  // It would remove runtimes that content is pinned to, or not known not to be.
  bool ahead_keeps = false;
  v1::Change::Needs ahead_needs = v1::Change::NOTHING;
  // What the database says of itself, when it was asked last; 0: not known.
  uint32_t migration = 0;
  uint32_t pinned = 0;  // runtimes that content is pinned to, a bit for each
  Version newest_start = 0;
  uint64_t newest_epoch = 0;
  uint64_t newest_serial = 0;
  bool closed = false;  // told so, by the order that it has taken
  bool gate_open = false;
  bool jobs_known = true;
  uint32_t jobs = 0;
  bool start_failed = false;
  Notice notice = Notice::kNone;
  int64_t notice_at_us = 0;  // 0: EC2 does not say when
  // As the world knows it: Connect ran when its machine was looked at, and its agent has stopped it
  // since, without having said so before.
  bool found_before_it_stopped = false;

  bool operator==(const Report&) const = default;
};

}  // namespace connect_ha::simulation
