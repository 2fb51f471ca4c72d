// Commits the writes of many threads in groups: one fsync for all that wait.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// Owns the writer thread. Writes run there, in the order they came, each in a savepoint of its
// own: one that fails is undone and does not touch the others of its group.
class GroupCommit {
 public:
  using Write = std::function<absl::Status(Database& database)>;

  // `database` is used by the writer thread alone from now on. `guard` is asked in each
  // transaction, before any write of it: its error is that of every write of the group, and none is
  // made.
  GroupCommit(Database& database, Write guard);
  // Writes that wait are finished first.
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // Returns when the write is on disk, or with its error, or with that of the commit. Any thread.
  absl::Status Commit(const Write& write);
  // Since when the group that is on its way to the disk has been; nullopt: none is. Any thread.
  std::optional<std::chrono::steady_clock::time_point> committing_since() const;

 private:
  struct Waiting {
    const Write* write;
    absl::Status status;
    bool done = false;
    std::condition_variable finished;
  };

  void Loop();
  void RunGroup(const std::vector<Waiting*>& group);
  void RunWrite(Waiting& waiting);
  static absl::Status FirstError(const std::vector<Waiting*>& group);

  Database& database_;
  const Write guard_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Waiting*> queue_;
  bool stopping_ = false;
  std::atomic<std::chrono::steady_clock::duration> committing_since_{};  // the clock's; 0: none
  std::thread thread_;
};

}  // namespace connect_ha
