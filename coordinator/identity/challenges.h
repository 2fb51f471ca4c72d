// Challenges for joining nodes: each good for one successful use within a minute. Those given out
// are not kept (they carry a MAC of this process), only those spent, so a flood of requests from
// callers without a token takes no memory. All calls may be made from any thread.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "common/time.h"

namespace connect_ha {

class Challenges {
 public:
  Challenges();

  std::string Issue(Time now) const;
  // Whether it is one of ours, in time and not spent.
  bool Good(const std::string& challenge, Time now) const;
  // False when it was not Good; else it is not any more.
  bool Spend(const std::string& challenge, Time now);

 private:
  bool Fresh(const std::string& challenge, Time now) const;

  const std::string key_;
  mutable std::mutex mutex_;
  std::set<std::string> spent_;  // those of the last minute
};

}  // namespace connect_ha
