// How long a thread has been waiting in calls of the store, as another thread sees it: so a
// watchdog that finds its loop at a standstill knows whether it hangs.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>

namespace connect_ha {

// Of the thread that makes it, which is also the one that destroys it; one for a thread.
class StoreWaits {
 public:
  StoreWaits();
  ~StoreWaits();
  StoreWaits(const StoreWaits&) = delete;
  StoreWaits& operator=(const StoreWaits&) = delete;

  struct Waited {
    std::chrono::steady_clock::duration ended{};                 // in all calls that have returned
    std::optional<std::chrono::steady_clock::time_point> since;  // in the one that has not
  };
  // Any thread.
  Waited Look() const;

 private:
  friend class StoreWait;

  mutable std::mutex mutex_;
  Waited waited_;
};

// Lives as long as a call in which the calling thread waits. Costs nothing where nobody has asked
// for the thread's waits. Not one inside another.
class StoreWait {
 public:
  StoreWait();
  ~StoreWait();
  StoreWait(const StoreWait&) = delete;
  StoreWait& operator=(const StoreWait&) = delete;

 private:
  StoreWaits* const waits_;
};

}  // namespace connect_ha
