// The converger's other thread: a look at what is installed may take minutes, or hang, and whoever
// is to stop Connect does not wait for it.
#include <memory>
#include <mutex>

#include "agent/resources/converge/converger.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

// Of a turn whose orders are not those of now. And between two tries to stop Connect beside it.
constexpr milliseconds kTurnEndsWithin{1'000};
constexpr milliseconds kHoldAgain{5'000};

}  // namespace

void Converger::HoldInTime() {
  const auto overdue = [this] { return busy_ && interrupt_; };
  // The next turn does it itself, or something else by later orders.
  const auto stopped = [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stop_ || !overdue();
  };
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    wake_.wait(lock, [&] { return stop_ || overdue(); });
    // As a rule it ends at once.
    if (wake_.wait_for(lock, kTurnEndsWithin, [&] { return stop_ || !overdue(); })) continue;
    const std::shared_ptr<const v1::Assignment> orders = held_.Orders();
    lock.unlock();
    converge_.HoldNow(*orders, stopped);
    lock.lock();
    wake_.wait_for(lock, kHoldAgain, [&] { return stop_ || !overdue(); });
  }
  --running_;
  end_.notify_all();
}

}  // namespace connect_ha
