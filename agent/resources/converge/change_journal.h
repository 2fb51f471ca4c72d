// The changes that were made on this node, kept until the coordinator has stored them; and the one
// that was begun, so that a change is told even when the agent is killed between making it and
// saying so.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/writable_host.h"
#include "connect_ha/v1/convergence.pb.h"

namespace connect_ha {

// May be used from any thread. What it returned OK for is on disk.
class ChangeJournal {
 public:
  ChangeJournal(WritableHost& host, std::string path);

  // What an earlier process left. A file that cannot be read as one is moved aside; numbers grow
  // all the same, since they follow the clock, and Taken.
  absl::Status Load();

  absl::Status Begin(const v1::ChangeMade& change);
  // The change that was begun is made; numbers it.
  absl::Status Finish(const v1::ChangeMade& change);
  // It was not made.
  absl::Status Abandon();
  // It ended before its end: is told as what it came to, by what is still left. What changed
  // nothing is not told.
  absl::Status FinishPart(v1::ChangeMade made, const std::optional<v1::Change>& left);
  // No resource: nothing is begun.
  v1::ChangeMade begun() const;

  // Oldest first, at most so many.
  std::vector<v1::ChangeMade> Pending(size_t most) const;
  // Forgets those up to this number, and gives it to none that come.
  absl::Status Taken(uint64_t number);

 private:
  // Needs mutex_. Takes `next` only when it is on disk.
  absl::Status Store(const v1::ChangeJournal& next);

  WritableHost& host_;
  const std::string path_;
  mutable std::mutex mutex_;
  v1::ChangeJournal kept_;
};

}  // namespace connect_ha
