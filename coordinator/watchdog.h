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

namespace connect_ha {

// What is known of the loop.
struct LoopProgress {
  std::chrono::steady_clock::time_point turned;  // it last began or ended its work
  // Of the store: since when it has been writing; nullopt: it is not.
  std::optional<std::chrono::steady_clock::time_point> writing_since;
};

struct LoopVerdict {
  bool lives = false;
  std::string status;  // for a person, one line
};

// It lives when it turned within a minute, or while the store has been writing for less than five.
LoopVerdict JudgeLoop(const LoopProgress& progress, std::chrono::steady_clock::time_point now);

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

 private:
  void Tell();

  const WritingSince writing_since_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point turned_ = std::chrono::steady_clock::now();
  std::thread thread_;
};

}  // namespace connect_ha
