#include "coordinator/watchdog.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
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
constexpr std::chrono::minutes kLongestWait{5};
// Less is not worth a word.
constexpr seconds kSlowWrite{5};
constexpr seconds kPaceWithoutWatchdog{10};

Steady::duration Since(const std::optional<Steady::time_point>& began, Steady::time_point now) {
  return began.has_value() ? now - *began : Steady::duration::zero();
}

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
  const auto waiting = Since(progress.waiting_since, now);
  const auto waited = progress.waited + waiting;
  const bool works_too_long = turn - waited > kLongestTurn;
  const auto slowest = std::max(waiting, Since(progress.writing_since, now));
  LoopVerdict verdict;
  verdict.lives = !works_too_long && waited < kLongestWait;
  if (slowest >= kSlowWrite && !works_too_long) {
    verdict.status = absl::StrCat(
        "waits for the disk below the state directory: a write has "
        "taken ",
        Seconds(slowest), " s");
  } else if (!verdict.lives) {
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
  waited_before_ = waits_.Look().ended;
}

LoopProgress Watchdog::Progress() const {
  LoopProgress progress;
  {
    std::lock_guard lock(mutex_);
    const StoreWaits::Waited waited = waits_.Look();
    progress.turned = turned_;
    progress.waited = waited.ended - waited_before_;
    progress.waiting_since = waited.since;
  }
  progress.writing_since = writing_since_();
  return progress;
}

void Watchdog::Tell() {
  const std::chrono::microseconds pace = Pace();
  std::string told;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const LoopVerdict verdict = JudgeLoop(Progress(), Steady::now());
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
