// Judges the checklist when something changed, and keeps since when each outcome holds, of a rule
// and of each node in it, across restarts. A change of an outcome is an event, and so is a node
// that joins or leaves those that fail; a change of words alone is not, nor that something follows
// another rule's trouble. What rests on volatile values turns only after a while (hold.h).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "coordinator/cluster/finding_changes.h"
#include "coordinator/cluster/findings_memory.h"
#include "coordinator/cluster/hold.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Evaluator {
 public:
  // Borrows both.
  Evaluator(Roster& roster, Store& store);

  // Called after each evaluation, by the thread that makes it. Before the first Tick, once.
  void OnJudged(std::function<void()> told) { on_judged_ = std::move(told); }

  // Takes what is remembered of the latest checklist from the store. After the roster's Load.
  absl::Status Load();

  // Evaluates when the roster changed, and at the least every ten seconds: facts age, clocks
  // drift. After a restart the outcomes that are remembered stand, with their own time and without
  // words, until the nodes had their time to call (Roster::Settled). Of the loop alone: it may take
  // seconds, and no caller is to make it work.
  void Tick(Time now);
  // Stores what there is to remember as it is, before a stop.
  void Save(Time now);

  // The latest. Any thread.
  std::shared_ptr<const v1::Checklist> Latest() const;
  // Roster::changes() that the latest shows, at the least; 0: it is of before the start. Any
  // thread.
  uint64_t judged() const { return judged_.load(); }

 private:
  void EvaluateIfDue(Time now);
  void Evaluate(Time now);
  void Keep(std::vector<v1::Event> changes, Time now);
  v1::Checklist Recalled(Time evaluated_at) const;

  Roster& roster_;
  Store& store_;
  std::function<void()> on_judged_;
  std::mutex tick_mutex_;  // all but judged_ and latest_: one evaluation at a time
  uint64_t changes_seen_ = 0;
  Time evaluated_at_{};
  Time stored_at_{};
  bool store_failed_ = false;
  Hold hold_;
  FindingsMemory memory_;  // of the latest
  FindingsMemory stored_;  // as it is in the store, and was told
  ChangePaces paces_;

  std::atomic<uint64_t> judged_{0};
  mutable std::mutex mutex_;
  std::shared_ptr<const v1::Checklist> latest_;
};

}  // namespace connect_ha
