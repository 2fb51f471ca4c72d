// Judges the checklist when something changed, and keeps since when each outcome holds, of a rule
// and of each node in it, across restarts. A change of an outcome is an event, and so is a node
// that joins or leaves those that fail; a change of words alone is not, nor that something follows
// another rule's trouble. What rests on volatile values turns only after a while (hold.h).
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "common/time.h"
#include "connect_ha/v1/checklist.pb.h"
#include "coordinator/cluster/hold.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/store/store.h"

namespace connect_ha {

class Evaluator {
 public:
  // Borrows both.
  Evaluator(Roster& roster, Store& store);

  // Takes the latest checklist from the store.
  absl::Status Load();

  // Evaluates when the roster changed, and at the least every ten seconds: facts age, clocks
  // drift. After a restart the stored checklist stands, with its own time, until the nodes had
  // their time to call (Roster::Settled). A loop calls it every 200 ms or so; any other thread that
  // wants what was taken so far judged now may, too.
  void Tick(Time now);
  // Stores the latest checklist as it is, before a stop.
  void Save(Time now);

  // The latest. Any thread.
  std::shared_ptr<const v1::Checklist> Latest() const;

 private:
  void Evaluate(Time now);
  void Keep(const v1::Checklist& checklist, const std::vector<v1::Event>& changes, Time now);

  Roster& roster_;
  Store& store_;
  std::mutex tick_mutex_;  // all but latest_: one evaluation at a time
  uint64_t changes_seen_ = 0;
  Time evaluated_at_{};
  Time stored_at_{};
  bool store_failed_ = false;
  Hold hold_;
  v1::Checklist stored_;  // as it is in the store, for its outcomes

  mutable std::mutex mutex_;
  std::shared_ptr<const v1::Checklist> latest_;
};

// Sets `since` of each finding and of each line of its evidence: that of `before` where the outcome
// is the same, or was before it was unknown or followed; else `now`. Keeps what was known last
// while it is so.
void SetSince(const v1::Checklist& before, Time now, v1::Checklist* checklist);

// One FINDING_CHANGED for each rule whose outcome is another than in `before`; of a rule that
// failed and fails, one for each node that began or ceased to. A rule that `before` does not have
// is not a change.
std::vector<v1::Event> FindChanges(const v1::Checklist& before, const v1::Checklist& checklist,
                                   Time now);

}  // namespace connect_ha
