#include "coordinator/identity/hourly_limit.h"

#include <algorithm>
#include <iterator>

namespace connect_ha {
namespace {

constexpr std::chrono::hours kHour{1};

// Calls at the same time may overtake each other by this; what is further ahead was allowed before
// the clock was set back.
constexpr std::chrono::seconds kOvertaking{10};

// Wherever they are: they stand as they came, which is not by time where a clock was set back.
void ForgetOld(std::deque<Time>& times, Time now) {
  const auto counts_no_more = [now](Time time) {
    return now - time >= kHour || time - now > kOvertaking;
  };
  times.erase(std::remove_if(times.begin(), times.end(), counts_no_more), times.end());
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
