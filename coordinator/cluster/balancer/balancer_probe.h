// Looks at the load balancer from outside, as users do: once a minute a few requests through
// load_balancer.url, some without cookies, some of one session. What answered is the checklist's to
// judge. In a thread of its own: an answer that does not come delays nobody.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "coordinator/cluster/balancer/balancer_ask.h"
#include "coordinator/cluster/roster.h"

namespace connect_ha {

class BalancerProbe {
 public:
  // Borrows the roster, which says where the balancer is, and is told what it answered.
  BalancerProbe(Roster& roster, OpenVisitor open);
  ~BalancerProbe();
  BalancerProbe(const BalancerProbe&) = delete;
  BalancerProbe& operator=(const BalancerProbe&) = delete;

  void Start();
  // Waits for the request that is under way, some seconds at the most.
  void Stop();

  // One round; of the thread, or of a test that has not started it.
  void Round(Time now);

 private:
  void Loop();
  bool Stopping() const;
  void Ask(const BalancerVisitor& visitor, uint64_t session, Time now);

  Roster& roster_;
  const OpenVisitor open_;
  v1::BalancerLook look_;  // of the thread alone, as the next
  uint64_t sessions_ = 0;
  mutable std::mutex mutex_;  // for what follows
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace connect_ha
