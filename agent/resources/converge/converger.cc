#include "agent/resources/converge/converger.h"

#include <google/protobuf/util/message_differencer.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "agent/assignment/standing.h"
#include "agent/resources/service/start_connect.h"
#include "common/log.h"

namespace connect_ha {
namespace {

using google::protobuf::util::MessageDifferencer;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kChangesInAReport = 50;
constexpr std::chrono::minutes kDefaultVerify{10};

milliseconds VerifyInterval(const v1::AgentConfig& config) {
  if (!config.has_verify_interval()) return kDefaultVerify;
  return std::chrono::seconds(config.verify_interval().seconds());
}

// What a node says of a specification that it does not go by.
v1::Convergence ToConvergence(const Refusal& refusal) {
  v1::Convergence convergence;
  convergence.set_generation(refusal.generation);
  convergence.set_state(v1::Convergence::STUCK);
  *convergence.add_troubles() = ToTrouble(kSpecificationName, refusal.why);
  return convergence;
}

}  // namespace

// What the turn on the thread tells and asks.
class Converger::Watch : public TurnWatch {
 public:
  Watch(Converger& owner, std::shared_ptr<const v1::Assignment> orders)
      : owner_(owner), orders_(std::move(orders)) {}

  void Publish(const v1::Convergence& convergence) override {
    std::unique_lock<std::mutex> lock(owner_.mutex_);
    if (owner_.SpeaksOf(*orders_) &&
        MessageDifferencer::Equals(*owner_.convergence_, convergence)) {
      return;
    }
    owner_.convergence_ = convergence;
    owner_.convergence_of_ = orders_;
    owner_.Changed(lock);
  }
  void UnitSeen(UnitWanted wanted, bool is_so) override {
    std::optional<UnitWanted> seen;
    if (is_so && wanted != UnitWanted::kAsItIs) seen = wanted;
    {
      std::unique_lock<std::mutex> lock(owner_.mutex_);
      if (owner_.unit_seen_ == seen) return;
      owner_.unit_seen_ = seen;
      owner_.Changed(lock);
    }
    owner_.NoteReached(*orders_);
  }
  bool Stopped() override {
    const std::lock_guard<std::mutex> lock(owner_.mutex_);
    return owner_.stop_ || owner_.interrupt_;
  }
  // A preview that is asked for does not wait for an installer.
  bool Wait(milliseconds span) override {
    std::unique_lock<std::mutex> lock(owner_.mutex_);
    return owner_.WaitUntil(lock, steady_clock::now() + span,
                            [this] { return owner_.stop_ || owner_.interrupt_; });
  }
  SteadyTime Now() override { return steady_clock::now(); }

 private:
  Converger& owner_;
  const std::shared_ptr<const v1::Assignment> orders_;
};

bool Converger::WaitUntil(std::unique_lock<std::mutex>& lock, SteadyTime until,
                          const std::function<bool()>& woken) {
  const auto is_asked = [&] { return woken() || preview_request_; };
  while (wake_.wait_until(lock, until, is_asked)) {
    if (woken()) return false;
    AnswerPreview(lock);
  }
  return true;
}

Converger::Converger(ConvergeOptions options, WritableHost& host, ProbeCache& cache, Held& held,
                     std::function<void()> on_news)
    : options_(std::move(options)),
      held_(held),
      on_news_(std::move(on_news)),
      journal_(host, options_.state_dir + "/changes"),
      converge_(options_, host, cache, journal_) {}

Converger::~Converger() {
  held_.OnChange(nullptr);
  held_.OnAhead(nullptr);
  Stop(milliseconds(0));
  if (thread_.joinable()) thread_.join();
  if (holder_.joinable()) holder_.join();
}

bool Converger::Stop(milliseconds patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  stop_ = true;
  wake_.notify_all();
  return end_.wait_for(lock, patience, [this] { return running_ == 0; });
}

absl::Status Converger::Start() {
  absl::Status journal = journal_.Load();
  if (const v1::NodeState reached = Memory().reached(); reached != v1::NODE_STATE_UNSPECIFIED) {
    reached_ = reached;
  }
  look_ = HasWork(*held_.Orders());
  held_.OnChange([this] { OrdersChanged(); });
  held_.OnAhead([this] { AheadChanged(); });
  version_ = 1;
  verify_at_ = steady_clock::now() + VerifyInterval(options_.agent_config);
  running_ = 2;
  thread_ = std::thread([this] { Run(); });
  holder_ = std::thread([this] { HoldInTime(); });
  return journal;
}

void Converger::OrdersChanged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  interrupt_ = true;
  look_ = true;
  wake_.notify_all();
}

void Converger::AskPreview(const v1::PreviewRequest& request) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (request.number() == previewing_) return;
  previewing_ = request.number();
  preview_request_ = request;
  preview_.reset();
  wake_.notify_all();
}

void Converger::PreviewTaken(uint64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!preview_ || preview_->number() != number) return;
  preview_.reset();
  previewing_ = 0;
}

void Converger::ChangesTaken(uint64_t number) {
  const absl::Status taken = journal_.Taken(number);
  if (!taken.ok()) {
    spdlog::warn("event=journal-not-written error={}", LogValue(std::string(taken.message())));
  }
}

void Converger::Look(bool verify) {
  const std::lock_guard<std::mutex> lock(mutex_);
  look_ = true;
  verify_ = verify_ || verify;
  wake_.notify_all();
}

void Converger::TryAgain() {
  const std::lock_guard<std::mutex> lock(mutex_);
  look_ = true;
  verify_ = true;
  try_again_ = true;
  wake_.notify_all();
}

uint64_t Converger::version() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return version_ + held_.version();
}

bool Converger::SpeaksOf(const v1::Assignment& orders) const {
  return convergence_ && IsOneSpecification(convergence_of_->desired(), orders.desired());
}

bool Converger::HasWork(const v1::Assignment& orders) {
  return orders.has_desired() || orders.release();
}

std::optional<v1::NodeState> Converger::Reached(const v1::Assignment& orders) const {
  if (!MayChange(orders)) return v1::OBSERVED;
  const UnitWanted wanted = CourseOf(orders, reached_, options_.agent_config.allow()).unit;
  if (wanted != UnitWanted::kAsItIs && unit_seen_ != wanted) return std::nullopt;
  if (orders.state() != v1::PREPARING && orders.state() != v1::READY) return orders.state();
  // READY is a preparation that is over: its own word, not the coordinator's.
  const bool converged = SpeaksOf(orders) && convergence_->state() == v1::Convergence::CONVERGED;
  return converged ? v1::READY : v1::PREPARING;
}

// Who counts on a node that is stopped goes by this together with the order that it obeys: that it
// was stopped once, before it was told to serve in between, is no answer to the order of now.
v1::NodeState Converger::State(const v1::Assignment& orders) const {
  if (const std::optional<v1::NodeState> reached = Reached(orders)) return *reached;
  const bool is_told_to_stop = orders.state() == v1::STOPPED || orders.state() == v1::FENCED;
  return is_told_to_stop && reached_ == orders.state() ? v1::DRAINING : reached_;
}

void Converger::NoteReached(const v1::Assignment& orders) {
  std::optional<v1::NodeState> reached;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    reached = Reached(orders);
    if (!reached || std::exchange(reached_, *reached) == *reached) return;
  }
  converge_.NoteReached(*reached);
}

ConvergerNews Converger::News() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  ConvergerNews news;
  // Before what it speaks of: whatever changes meanwhile is told again.
  news.version = version_ + held_.version();
  const std::shared_ptr<const v1::Assignment> orders = held_.Orders();
  news.state = State(*orders);
  news.generation = held_.Report().generation;
  if (const std::optional<Refusal> refusal = held_.refusal()) {
    news.convergence = ToConvergence(*refusal);
  } else if (SpeaksOf(*orders)) {
    news.convergence = convergence_;
  }
  news.ahead = ahead_;
  news.preview = preview_;
  news.changes_made = journal_.Pending(kChangesInAReport);
  const v1::ServiceMemory memory = converge_.Memory();
  news.start_failed = StartFailure(memory, *orders);
  if (memory.has_newest_start()) news.newest_start = memory.newest_start();
  return news;
}

void Converger::Changed(std::unique_lock<std::mutex>& lock) {
  ++version_;
  if (!on_news_) return;
  lock.unlock();
  on_news_();
  lock.lock();
}

bool Converger::IsTurnDue() const {
  return HasWork(*held_.Orders()) && (look_ || NextDue() <= steady_clock::now());
}

SteadyTime Converger::NextDue() const {
  return retry_at_ ? std::min(*retry_at_, verify_at_) : verify_at_;
}

void Converger::Run() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    if (preview_request_) {
      AnswerPreview(lock);
    } else if (IsTurnDue()) {
      TakeTurn(lock);
    } else if (IsAheadDue()) {
      GetReady(lock);
    } else if (HasWork(*held_.Orders())) {
      wake_.wait_until(lock, std::min(NextDue(), ahead_retry_at_.value_or(NextDue())));
    } else {
      wake_.wait(lock);  // nothing is verified while nothing is assigned
    }
  }
  --running_;
  end_.notify_all();
}

void Converger::AnswerPreview(std::unique_lock<std::mutex>& lock) {
  const v1::PreviewRequest request = *std::move(preview_request_);
  preview_request_.reset();
  const bool in_turn = std::exchange(busy_, true);
  // Whoever holds Connect in time, where orders came before this began.
  wake_.notify_all();
  lock.unlock();
  const absl::StatusOr<v1::Desired> draft = held_.CheckDraft(request.desired());
  v1::Preview preview;
  if (draft.ok()) {
    preview = converge_.MakePreview(*draft);
  } else {
    *preview.add_troubles() = ToTrouble(kSpecificationName, draft.status());
  }
  preview.set_number(request.number());
  lock.lock();
  busy_ = in_turn;
  if (previewing_ != request.number()) return;  // another was asked for meanwhile
  preview_ = std::move(preview);
  Changed(lock);
}

void Converger::TakeTurn(std::unique_lock<std::mutex>& lock) {
  const std::shared_ptr<const v1::Assignment> orders = held_.Orders();
  if (!HasWork(*orders)) return;  // taken back since it was due
  const bool verify = verify_ || verify_at_ <= steady_clock::now();
  const bool try_again = try_again_;
  look_ = verify_ = try_again_ = interrupt_ = false;
  busy_ = true;
  lock.unlock();
  if (verify) converge_.VerifyAgain();
  if (try_again) converge_.TryAgain();
  NoteReached(*orders);
  Watch watch(*this, orders);
  const std::shared_ptr<const AheadHeld> ahead = held_.Ahead();
  const bool gets_ready = ahead != nullptr && ahead->why.ok();
  const std::optional<milliseconds> retry =
      converge_.Turn(*orders, watch, gets_ready ? &ahead->desired : nullptr);
  NoteReached(*orders);
  lock.lock();
  busy_ = false;
  wake_.notify_all();
  const SteadyTime now = steady_clock::now();
  retry_at_.reset();
  if (retry) retry_at_ = now + std::max(*retry, milliseconds(0));
  if (verify) verify_at_ = now + VerifyInterval(options_.agent_config);
  ahead_due_ = true;
}

}  // namespace connect_ha
