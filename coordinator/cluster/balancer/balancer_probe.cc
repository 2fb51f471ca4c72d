#include "coordinator/cluster/balancer/balancer_probe.h"

#include <chrono>
#include <memory>
#include <utility>

namespace connect_ha {
namespace {

constexpr std::chrono::seconds kEvery{60};
// Of one request; nine of them leave most of the minute.
constexpr std::chrono::milliseconds kDeadline{3000};
// So many visitors that ask once, and one that asks so often with its cookies.
constexpr int kVisitors = 6;
constexpr int kRequestsOfOne = 3;
// As much of the past as is told: it tells of two dozen nodes and more whether each is reached.
constexpr std::chrono::minutes kTold{60};

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

void ForgetBefore(Time before, v1::BalancerLook& look) {
  auto& requests = *look.mutable_requests();
  int old = 0;
  while (old < requests.size() && FromProto(requests.Get(old).at()) < before) ++old;
  if (old > 0) requests.DeleteSubrange(0, old);
}

}  // namespace

BalancerProbe::BalancerProbe(Roster& roster, OpenVisitor open)
    : roster_(roster), open_(std::move(open)) {}

BalancerProbe::~BalancerProbe() { Stop(); }

void BalancerProbe::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void BalancerProbe::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

bool BalancerProbe::Stopping() const {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void BalancerProbe::Loop() {
  while (!Stopping()) {
    Round(Now());
    std::unique_lock lock(mutex_);
    stop_.wait_for(lock, kEvery, [this] { return stopping_; });
  }
}

void BalancerProbe::Round(Time now) {
  const std::string url = roster_.LoadBalancer().url();
  if (url != look_.url()) {
    look_.Clear();
    look_.set_url(url);
    if (url.empty()) roster_.SetBalancer(nullptr);
  }
  if (url.empty()) return;
  ForgetBefore(now - kTold, look_);
  *look_.mutable_at() = ToProto(now);
  for (int visitor = 0; visitor < kVisitors; ++visitor) Ask(open_(url), 0, now);
  const BalancerVisitor with_cookies = open_(url);
  ++sessions_;
  for (int request = 0; request < kRequestsOfOne; ++request) Ask(with_cookies, sessions_, now);
  if (!Stopping()) roster_.SetBalancer(std::make_shared<const v1::BalancerLook>(look_));
}

void BalancerProbe::Ask(const BalancerVisitor& visitor, uint64_t session, Time now) {
  if (Stopping()) return;
  BalancerAnswer answer = visitor(kDeadline);
  v1::BalancerLook::Request& request = *look_.add_requests();
  *request.mutable_at() = ToProto(now);
  request.set_session(session);
  request.set_node(std::move(answer.node));
  request.set_error(std::move(answer.error));
}

}  // namespace connect_ha
