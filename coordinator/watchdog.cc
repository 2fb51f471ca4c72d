#include "coordinator/watchdog.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::seconds;

// The longest turn of 10,000 nodes is of some seconds.
constexpr seconds kLongestTurn{60};
// A volume that stalls comes back, or is found by a person; then nothing but a new start is left.
constexpr std::chrono::minutes kLongestWrite{5};
// Less is not worth a word.
constexpr seconds kSlowWrite{5};
constexpr seconds kPaceWithoutWatchdog{10};

long long Seconds(Steady::duration span) {
  return std::chrono::duration_cast<seconds>(span).count();
}

std::chrono::microseconds Pace() {
  uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) > 0) return std::chrono::microseconds(interval_us / 2);
  return kPaceWithoutWatchdog;
}

}  // namespace

LoopVerdict JudgeLoop(const LoopProgress& progress, Steady::time_point now) {
  const auto turn = now - progress.turned;
  const auto write =
      progress.writing_since.has_value() ? now - *progress.writing_since : Steady::duration::zero();
  LoopVerdict verdict;
  verdict.lives =
      turn <= kLongestTurn || (progress.writing_since.has_value() && write < kLongestWrite);
  if (write >= kSlowWrite) {
    verdict.status = absl::StrCat(
        "waits for the disk below the state directory: a write has "
        "taken ",
        Seconds(write), " s");
  } else if (turn > kLongestTurn) {
    verdict.status = absl::StrCat("its loop has not turned for ", Seconds(turn), " s");
  } else {
    verdict.status = "serving";
  }
  return verdict;
}

Watchdog::Watchdog(WritingSince writing_since) : writing_since_(std::move(writing_since)) {
  thread_ = std::thread([this] { Tell(); });
}

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watchdog::Turned() {
  std::lock_guard lock(mutex_);
  turned_ = Steady::now();
}

void Watchdog::Tell() {
  const std::chrono::microseconds pace = Pace();
  std::string told;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    LoopProgress progress;
    progress.turned = turned_;
    lock.unlock();
    progress.writing_since = writing_since_();
    const LoopVerdict verdict = JudgeLoop(progress, Steady::now());
    if (verdict.lives) sd_notify(0, "WATCHDOG=1");
    if (verdict.status != told) {
      told = verdict.status;
      sd_notify(0, absl::StrCat("STATUS=", told).c_str());
    }
    lock.lock();
    changed_.wait_for(lock, pace, [this] { return stopping_; });
  }
}

}  // namespace connect_ha
