// Decides what every node is to be, again and again: gathers what is known, remembered and said,
// asks the plan (coordinator/plan/decide.h), asks what no decision may do (invariants.h), stores
// what is to be remembered, and only then tells the roster, whose heartbeats look it up: which
// generation is in force, and what each node is to be; and has the command before a migration run.
// A decision that would break an invariant, or cannot be stored, is not in force: the one before
// stays.
//
// It decides in one thread of its own: when something changed, when the decision says that time
// alone makes it another one, and at the least every ten seconds; and in the thread of whoever
// gives it a word, before that call returns. One decision at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/admin_service.pb.h"
#include "connect_ha/v1/audit.pb.h"
#include "connect_ha/v1/convergence.pb.h"
#include "connect_ha/v1/event.pb.h"
#include "connect_ha/v1/plan.pb.h"
#include "coordinator/cluster/evaluator.h"
#include "coordinator/cluster/node/event_pace.h"
#include "coordinator/cluster/planning/plan_events.h"
#include "coordinator/cluster/planning/plan_rules.h"
#include "coordinator/cluster/planning/rollout_events.h"
#include "coordinator/cluster/roster.h"
#include "coordinator/plan/outlook.h"
#include "coordinator/store/store.h"

namespace connect_ha {

// What decides, what watches over it, and what looks at a specification that is only thought of:
// Decide, Broken and LookAhead, but for tests.
struct PlanFunctions {
  std::function<v1::Decision(const v1::PlanInput&)> decide;
  std::function<std::vector<std::string>(const v1::PlanInput&, const v1::Decision&)> broken;
  std::function<v1::Outlook(const v1::PlanInput&)> look_ahead = LookAhead;
};

// The command before a migration (cluster/backup.h), but for tests. Neither waits for it.
struct BackupFunctions {
  // Has it run, but where it ran already as that: by generation and asked_at. The specification is
  // that generation's.
  std::function<void(const v1::BackupRun& run, const v1::ClusterSpec& spec, Time now)> ask;
  std::function<std::optional<v1::BackupRun>(Time now)> latest;  // on this host
};

// Of what decisions say loudly; what is more is counted.
inline constexpr uint32_t kSaidPerMinute = 60;

class Planner {
 public:
  // Borrows all three.
  Planner(Roster& roster, Evaluator& evaluator, Store& store);
  Planner(Roster& roster, Evaluator& evaluator, Store& store, PlanFunctions functions);
  ~Planner();
  Planner(const Planner&) = delete;
  Planner& operator=(const Planner&) = delete;

  // Shows what every node was told last, before the restart; nodes are told nothing before a first
  // decision, and stay what they are. After the roster's and the evaluator's Load.
  absl::Status Load(Time now);
  // From now on `nudge` has a node call at once. Before Start, once.
  void OnOrder(std::function<void(const std::string& node)> nudge);
  // Until then none is asked for, and none known. Before Start, once.
  void OnBackup(BackupFunctions backup);
  void Start();
  // Waits for the decision that is being made. Nothing is decided after it but by Decide.
  void Stop();

  // Something changed: decide soon. Any thread, whatever it holds.
  void Wake();
  // Decides now.
  void Decide(Time now);

  // Puts the word into force, together with its line of the audit log: of it `by`, `at`, `number`
  // and the entry's action, subject, text and why are set here; `role` is the caller's to set, and
  // that the role suffices (NeededRole) the caller's to see to. `entry` says who, from where and
  // when. InvalidArgument says what is missing (CheckWord). NotFound: no such node. The assignment
  // is the node's after it, unset where there is none.
  absl::StatusOr<v1::GiveWordResponse> GiveWord(v1::Word word, v1::AuditEntry entry, Time now);
  // Takes back all words of these kinds on the node (and of the rule, where one is named).
  // NotFound: there is none. The entry as above.
  absl::StatusOr<v1::TakeBackResponse> TakeBack(const v1::TakeBackRequest& request,
                                                v1::AuditEntry entry, Time now);
  // What is in force, and what would be. Any thread; waits for nothing.
  v1::GetPlanResponse CurrentPlan() const;
  // The change of the cluster that is under way; without a generation: none is. As above.
  v1::Rollout CurrentRollout() const;
  // Of a node that is to be removed: why another one would be started beside it. As above.
  absl::Status CheckRemoval(const std::string& node) const;
  // What `draft`, which nobody applied, would ask of the cluster, by what these nodes say that they
  // would change. Unset: nothing was decided yet since the start. As above.
  std::optional<v1::Outlook> OutlookOf(const v1::Desired& draft,
                                       const std::map<std::string, v1::Preview>& previews,
                                       Time now) const;

 private:
  struct Round;

  void Loop();
  std::chrono::milliseconds UntilNext(Time now) const;
  // All of these with deciding_ held.
  void DecideNow(Time now);
  absl::StatusOr<bool> TryOnce(Time now);
  absl::Status Read();
  absl::Status Keep(Round& round, Time now);
  absl::Status PutIntoForce(Round& round, Time now);
  void BackUp(const v1::Decision& decision, Time now);
  void WakeAt(const v1::Decision& decision, Time now);
  void TellRefused(const std::vector<std::string>& broken, Time now);
  // planner_words.cc
  absl::Status CheckGeneration(const v1::Word& word) const;
  std::vector<v1::Word> WordsLike(const v1::TakeBackRequest& request) const;

  // planning/planner_shown.cc; the first two with deciding_ held.
  v1::GetPlanResponse Shown(const v1::PlanInput& input, v1::Decision decision, Time now) const;
  void LeaveInForce(std::vector<std::string> why);
  void Show(v1::GetPlanResponse shown);
  std::shared_ptr<const v1::GetPlanResponse> LastShown() const;
  v1::NodeAssignment AssignmentOf(const std::string& node) const;

  Roster& roster_;
  Evaluator& evaluator_;
  Store& store_;
  const PlanFunctions functions_;
  std::function<void(const std::string& node)> nudge_;
  BackupFunctions backup_;

  std::mutex deciding_;              // all that follows; one decision at a time
  std::optional<Store::Plan> plan_;  // as the store has it; unset: to be read
  PlanRules rules_;
  SaidLately said_;  // by the decisions that were in force
  std::optional<RolloutTold> rollout_told_;
  std::vector<std::string> broken_;  // as told last; none: what is decided is in force
  EventPace pace_{kSaidPerMinute};

  mutable std::mutex shown_mutex_;
  std::shared_ptr<const v1::GetPlanResponse> shown_;
  std::shared_ptr<const v1::PlanInput> looked_at_;  // by the decision in force; null: none is

  mutable std::mutex wake_mutex_;  // all that follows; taken last
  std::condition_variable woken_;
  bool wake_ = true;
  bool stopping_ = false;
  std::optional<Time> wake_at_;
  std::thread thread_;
};

}  // namespace connect_ha
