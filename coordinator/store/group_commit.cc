#include "coordinator/store/group_commit.h"

#include <algorithm>
#include <utility>

#include "coordinator/store/store_wait.h"

namespace connect_ha {
namespace {

// Measured: bigger groups gain nothing and wait longer.
constexpr size_t kGroupSize = 100;

}  // namespace

GroupCommit::GroupCommit(Database& database, Write guard)
    : database_(database), guard_(std::move(guard)), thread_([this] { Loop(); }) {}

GroupCommit::~GroupCommit() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    arrived_.notify_one();
  }
  thread_.join();
}

absl::Status GroupCommit::Commit(const Write& write) {
  const StoreWait wait;
  Waiting waiting;
  waiting.write = &write;
  std::unique_lock lock(mutex_);
  queue_.push_back(&waiting);
  if (queue_.size() == 1) arrived_.notify_one();
  waiting.finished.wait(lock, [&] { return waiting.done; });
  return waiting.status;
}

std::optional<std::chrono::steady_clock::time_point> GroupCommit::committing_since() const {
  const std::chrono::steady_clock::duration since = committing_since_;
  if (since == std::chrono::steady_clock::duration::zero()) return std::nullopt;
  return std::chrono::steady_clock::time_point(since);
}

void GroupCommit::Loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto end = queue_.begin() + static_cast<long>(std::min(queue_.size(), kGroupSize));
    const std::vector<Waiting*> group(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
    lock.unlock();
    committing_since_ = std::chrono::steady_clock::now().time_since_epoch();
    RunGroup(group);
    committing_since_ = std::chrono::steady_clock::duration::zero();
    lock.lock();
    for (Waiting* waiting : group) {
      waiting->done = true;
      waiting->finished.notify_one();  // under the lock: `waiting` is gone once it is released
    }
  }
}

// A full disk makes SQLite give up the whole transaction: then no write of it holds.
absl::Status GroupCommit::FirstError(const std::vector<Waiting*>& group) {
  for (const Waiting* waiting : group) {
    if (!waiting->status.ok()) return waiting->status;
  }
  return absl::InternalError("store: the transaction ended by itself");
}

void GroupCommit::RunGroup(const std::vector<Waiting*>& group) {
  absl::Status status = database_.Prepare("BEGIN IMMEDIATE").Run();
  if (status.ok()) status = guard_(database_);
  if (status.ok()) {
    for (Waiting* waiting : group) RunWrite(*waiting);
    status = database_.in_transaction() ? database_.Prepare("COMMIT").Run() : FirstError(group);
  }
  if (status.ok()) return;
  if (database_.in_transaction()) database_.Prepare("ROLLBACK").Run().IgnoreError();
  for (Waiting* waiting : group) {
    if (waiting->status.ok()) waiting->status = status;
  }
}

void GroupCommit::RunWrite(Waiting& waiting) {
  if (!database_.in_transaction()) return;  // an earlier write ended it
  waiting.status = database_.Prepare("SAVEPOINT one_write").Run();
  if (!waiting.status.ok()) return;
  waiting.status = (*waiting.write)(database_);
  if (!database_.in_transaction()) return;
  if (!waiting.status.ok()) {
    database_.Prepare("ROLLBACK TO one_write").Run().IgnoreError();
  }
  const absl::Status released = database_.Prepare("RELEASE one_write").Run();
  if (waiting.status.ok()) waiting.status = released;
}

}  // namespace connect_ha
