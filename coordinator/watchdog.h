// Whether the coordinator lives, as systemd is told: WATCHDOG=1 as long as its loop turns, and
// STATUS= with what it waits for. A thread of its own tells it, as the loop may wait for a disk
// for longer than the watchdog does, and to be killed then would help nobody: the next one would
// wait for the same disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "coordinator/store/store_wait.h"

namespace connect_ha {

// What is known of the loop.
struct LoopProgress {
  std::chrono::steady_clock::time_point turned;  // it last began or ended its work
  // How long it has waited since then in calls of the store that have returned, and since when it
  // has been in one that has not; nullopt: it is in none.
  std::chrono::steady_clock::duration waited{};
  std::optional<std::chrono::steady_clock::time_point> waiting_since;
  // Since when the store has been writing, whoever gave it what it writes: that is said, and says
  // nothing of the loop. nullopt: it is not.
  std::optional<std::chrono::steady_clock::time_point> writing_since;
};

struct LoopVerdict {
  bool lives = false;
  std::string status;  // for a person, one line
};

// It lives when it has worked for no more than a minute since it turned. What it has waited itself
// in calls of the store is no work, if it is less than five minutes.
LoopVerdict JudgeLoop(const LoopProgress& progress, std::chrono::steady_clock::time_point now);

// Made and destroyed by the loop's thread.
class Watchdog {
 public:
  using WritingSince = std::function<std::optional<std::chrono::steady_clock::time_point>()>;

  // Tells systemd from now on, twice as often as its watchdog wants to hear; where there is none,
  // every ten seconds for the status. `writing_since` is asked on another thread.
  explicit Watchdog(WritingSince writing_since);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // The loop begins or ends its work.
  void Turned();
  LoopProgress Progress() const;  // any thread

 private:
  void Tell();

  const WritingSince writing_since_;
  StoreWaits waits_;  // the loop's
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point turned_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::duration waited_before_{};  // it turned
  std::thread thread_;
};

}  // namespace connect_ha
