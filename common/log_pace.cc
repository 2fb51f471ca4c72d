#include "common/log_pace.h"

#include <chrono>
#include <iterator>

namespace connect_ha {
namespace {

constexpr std::chrono::minutes kPace{1};
constexpr size_t kMostInAMinute = 10;

}  // namespace

bool LogPace::Allows(const std::string& key, Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = told_at_.begin(); it != told_at_.end();) {
    // What is a minute ahead was told before the clock was set back.
    const bool over = now - it->second >= kPace || it->second - now >= kPace;
    it = over ? told_at_.erase(it) : std::next(it);
  }
  return told_at_.size() < kMostInAMinute && told_at_.emplace(key, now).second;
}

}  // namespace connect_ha
