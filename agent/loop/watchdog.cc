#include "agent/loop/watchdog.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace connect_ha {

LoopWatchdog::LoopWatchdog(LoopWatchdogOptions options)
    : options_(std::move(options)), progress_(options_.now()) {
  if (options_.interval.count() > 0) thread_ = std::thread([this] { Work(); });
}

LoopWatchdog::~LoopWatchdog() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LoopWatchdog::Progress() {
  const std::lock_guard<std::mutex> lock(mutex_);
  progress_ = options_.now();
}

void LoopWatchdog::Work() {
  bool told = false;
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    const bool alive = options_.now() - progress_ <= options_.patience;
    lock.unlock();
    if (alive) {
      options_.feed();
    } else if (!told) {
      spdlog::error("event=loop-hung seconds={}",
                    std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count());
    }
    told = !alive;
    lock.lock();
    stopped_.wait_for(lock, options_.interval / 4, [this] { return stop_; });
  }
}

}  // namespace connect_ha
