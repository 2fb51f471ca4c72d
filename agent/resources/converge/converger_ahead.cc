// The converger's part that is beside its turns: what the node is to get ready for.
#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "agent/resources/converge/converger.h"

namespace connect_ha {
namespace {

using google::protobuf::util::MessageDifferencer;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Where facts change all the time, a turn is always due, and nothing would be got ready.
constexpr std::chrono::seconds kTurnsWait{5};

}  // namespace

// What getting ready tells and asks. Orders go first at once, what else a turn is due for soon.
class Converger::ReadyWatch : public AheadWatch {
 public:
  ReadyWatch(Converger& owner, std::shared_ptr<const AheadHeld> ahead)
      : owner_(owner), ahead_(std::move(ahead)) {}

  void Publish(const v1::Ahead& ahead) override {
    std::unique_lock<std::mutex> lock(owner_.mutex_);
    const bool is_present = owner_.held_.Ahead() == ahead_;
    if (!is_present || (owner_.ahead_ && MessageDifferencer::Equals(*owner_.ahead_, ahead))) return;
    owner_.ahead_ = ahead;
    owner_.Changed(lock);
  }
  bool Stopped() override {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    return IsStopped();
  }
  bool Wait(milliseconds span) override {
    std::unique_lock<std::mutex> lock(owner_.mutex_);
    return owner_.WaitUntil(lock, steady_clock::now() + span, [this] { return IsStopped(); });
  }
  SteadyTime Now() override { return steady_clock::now(); }

 private:
  // Needs the owner's mutex_.
  bool IsStopped() const {
    if (owner_.stop_ || owner_.interrupt_ || owner_.held_.Ahead() != ahead_) return true;
    return steady_clock::now() - began_ >= kTurnsWait && owner_.IsTurnDue();
  }

  Converger& owner_;
  const SteadyTime began_ = steady_clock::now();
  const std::shared_ptr<const AheadHeld> ahead_;
};

// What is said of it at once is that it is known: it need not be sent again.
void Converger::AheadChanged() {
  const std::shared_ptr<const AheadHeld> ahead = held_.Ahead();
  std::unique_lock<std::mutex> lock(mutex_);
  ahead_.reset();
  if (ahead != nullptr) {
    ahead_.emplace();
    ahead_->set_generation(ahead->desired.generation());
    ahead_->set_lineage(ahead->desired.lineage());
    *ahead_->mutable_applied_at() = ahead->desired.applied_at();
    if (!ahead->why.ok()) *ahead_->add_troubles() = ToTrouble(kSpecificationName, ahead->why);
  }
  ahead_due_ = true;
  ahead_retry_at_.reset();
  wake_.notify_all();
  Changed(lock);
}

bool Converger::IsAheadDue() const {
  const bool is_time = ahead_retry_at_ && *ahead_retry_at_ <= steady_clock::now();
  if (!ahead_due_ && !is_time) return false;
  const std::shared_ptr<const AheadHeld> ahead = held_.Ahead();
  return HasWork(*held_.Orders()) && ahead != nullptr && ahead->why.ok();
}

void Converger::GetReady(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const v1::Assignment> orders = held_.Orders();
  const std::shared_ptr<const AheadHeld> ahead = held_.Ahead();
  ahead_due_ = false;
  ahead_retry_at_.reset();
  if (!HasWork(*orders) || ahead == nullptr || !ahead->why.ok()) return;  // since it was due
  busy_ = true;
  lock.unlock();
  ReadyWatch watch(*this, ahead);
  const std::optional<milliseconds> retry = converge_.GetReady(*orders, ahead->desired, watch);
  const bool stopped = watch.Stopped();
  lock.lock();
  busy_ = false;
  wake_.notify_all();
  if (stopped) ahead_due_ = true;
  if (!retry || held_.Ahead() != ahead) return;
  ahead_retry_at_ = steady_clock::now() + std::max(*retry, milliseconds(0));
}

}  // namespace connect_ha
