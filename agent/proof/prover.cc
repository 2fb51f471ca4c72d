#include "agent/proof/prover.h"

#include <algorithm>
#include <utility>

#include "agent/proof/mark_rounds.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What others would see of it: worth a round at once.
bool SaysTheSame(const ProofOrder& a, const ProofOrder& b) {
  return a.cluster == b.cluster && a.node == b.node && a.machine_id == b.machine_id &&
         a.boot_id == b.boot_id && a.challenge == b.challenge;
}

}  // namespace

Prover::Prover(std::vector<Proof> proofs, std::function<void()> on_news, milliseconds least_gap)
    : on_news_(std::move(on_news)), least_gap_(least_gap), running_(proofs.size()) {
  for (Proof& proof : proofs) {
    workers_.push_back(std::make_unique<Worker>());
    workers_.back()->proof = std::move(proof);
  }
  for (const std::unique_ptr<Worker>& each : workers_) {
    Worker& worker = *each;
    worker.thread = std::thread([this, &worker] { Work(worker); });
  }
}

Prover::~Prover() {
  Stop(milliseconds(0));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->thread.join();
}

bool Prover::Stop(milliseconds patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  stop_ = true;
  wake_.notify_all();
  return end_.wait_for(lock, patience, [this] { return running_ == 0; });
}

void Prover::SetOrder(ProofOrder order) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool same = SaysTheSame(order, order_);
  order.config = std::move(order_.config);
  const ProofOrder before = std::exchange(order_, std::move(order));
  bool is_news = false;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    const auto asked = worker->proof.asked;
    // What is asked for as before goes on at its pace: rounds count as time that has passed.
    if (same && order_.*asked == before.*asked) continue;
    worker->hurry = true;
    is_news = true;
  }
  if (is_news) wake_.notify_all();
}

void Prover::SetConfig(std::shared_ptr<const ConnectConfig> config) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool begins_or_ends = (config == nullptr) != (order_.config == nullptr);
  order_.config = std::move(config);
  if (begins_or_ends) wake_.notify_all();
}

bool Prover::IsAsked(const Worker& worker) const {
  return order_.*worker.proof.asked && order_.config != nullptr;
}

Prover::SteadyTime Prover::DueOf(const Worker& worker) {
  return worker.hurry ? std::min(worker.due, worker.may_hurry) : worker.due;
}

void Prover::Work(Worker& worker) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    if (!IsAsked(worker)) {
      if (worker.begun) {
        StopRounds(lock, worker);
      } else {
        wake_.wait(lock);
      }
    } else if (steady_clock::now() >= DueOf(worker)) {
      RunRound(lock, worker);
    } else {
      wake_.wait_until(lock, DueOf(worker));
    }
  }
  if (worker.begun) StopRounds(lock, worker);
  --running_;
  end_.notify_all();
}

void Prover::RunRound(std::unique_lock<std::mutex>& lock, Worker& worker) {
  const ProofOrder order = order_;
  worker.begun = true;
  worker.hurry = false;
  lock.unlock();
  if (worker.proof.rounds->Run(order) && on_news_) on_news_();
  const SteadyTime ended = steady_clock::now();
  const SteadyTime due = ended + std::max(worker.proof.rounds->Pace(), least_gap_);
  lock.lock();
  worker.due = due;
  worker.may_hurry = ended + least_gap_;
}

void Prover::StopRounds(std::unique_lock<std::mutex>& lock, Worker& worker) {
  worker.begun = false;
  worker.hurry = true;  // when it is asked for again
  lock.unlock();
  worker.proof.rounds->Stop();
  if (on_news_) on_news_();
  lock.lock();
}

void SetProofs(const v1::Assignment& orders, v1::Allow allow, ProofOrder& order) {
  const bool may_write = allow != v1::ALLOW_OBSERVE && !orders.removed();
  const v1::ProveSpec& prove = orders.desired().spec().prove();
  order.storage = may_write && prove.storage();
  order.database = may_write && prove.database();
  order.mark = may_write && WantsMark(orders);
}

}  // namespace connect_ha
