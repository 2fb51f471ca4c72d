// Feeds systemd's watchdog on behalf of the loop, from a thread of its own: what the loop waits for
// (the coordinator, an fsync on a busy disk) delays no feeding. It stops when the loop itself has
// not turned for so long that nothing it does can explain it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace connect_ha {

struct LoopWatchdogOptions {
  // systemd's WatchdogSec=; zero: none, and no thread.
  std::chrono::microseconds interval{0};
  // A turn of the loop is calls of ten seconds, and writes that a full device may hold for minutes;
  // to be killed and to begin anew would make none of them faster.
  std::chrono::milliseconds patience{300'000};
  std::function<void()> feed;  // sd_notify's WATCHDOG=1
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

class LoopWatchdog {
 public:
  explicit LoopWatchdog(LoopWatchdogOptions options);
  ~LoopWatchdog();

  // The loop begins a turn, which it does once a minute at the least. From any thread.
  void Progress();

 private:
  void Work();

  const LoopWatchdogOptions options_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::chrono::steady_clock::time_point progress_;
  std::thread thread_;
};

}  // namespace connect_ha
