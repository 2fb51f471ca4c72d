// Keeps what somebody outside can cause from filling the log.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "common/time.h"

namespace connect_ha {

// Any thread.
class LogPace {
 public:
  // True once a minute for each key, and for ten keys in a minute at the most. A clock that is set
  // back keeps nothing out of the log for longer than two.
  bool Allows(const std::string& key, Time now);

 private:
  std::mutex mutex_;
  std::map<std::string, Time> told_at_;  // the last minute's
};

}  // namespace connect_ha
