#include "coordinator/identity/hourly_limit.h"

#include <iterator>

namespace connect_ha {
namespace {

constexpr std::chrono::hours kHour{1};

// Those of the future, too: the clock was set back.
void ForgetOld(std::deque<Time>& times, Time now) {
  while (!times.empty() && (now - times.front() >= kHour || times.front() > now)) {
    times.pop_front();
  }
}

}  // namespace

HourlyLimit::HourlyLimit(size_t most) : most_(most) {}

bool HourlyLimit::Allows(const std::string& caller, Time now) {
  std::lock_guard lock(mutex_);
  if (now - tidied_ >= kHour || now < tidied_) {
    tidied_ = now;
    for (auto it = allowed_.begin(); it != allowed_.end();) {
      ForgetOld(it->second, now);
      it = it->second.empty() ? allowed_.erase(it) : std::next(it);
    }
  }
  std::deque<Time>& times = allowed_[caller];
  ForgetOld(times, now);
  if (times.size() >= most_) return false;
  times.push_back(now);
  return true;
}

}  // namespace connect_ha
