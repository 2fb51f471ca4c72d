// Bounds how often in an hour one caller has something done. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "common/time.h"

namespace connect_ha {

class HourlyLimit {
 public:
  explicit HourlyLimit(size_t most);

  // False when it was allowed `most` times in the hour before `now`.
  bool Allows(const std::string& caller, Time now);

 private:
  const size_t most_;
  std::mutex mutex_;
  Time tidied_{};
  std::map<std::string, std::deque<Time>> allowed_;  // within the last hour or two
};

}  // namespace connect_ha
