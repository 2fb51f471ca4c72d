// The simulated world: machines, one database, a store, one or two coordinators, messages on their
// way, and one clock. Events change it; after each, what must never be so is looked for in the
// world itself: what runs where, what takes users, which orders a node took, and what was known to
// whoever gave them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"
#include "tests/plan_simulation/coordinator.h"
#include "tests/plan_simulation/counts.h"
#include "tests/plan_simulation/host.h"
#include "tests/plan_simulation/knowledge.h"
#include "tests/plan_simulation/schedule.h"

namespace connect_ha::simulation {

// What is under test, and what is planted in it.
struct Subject {
  std::function<v1::Decision(const v1::PlanInput&)> decide;
  AgentFaults agent;
  CoordinatorFaults coordinator;
  // Broken() is asked, and says nothing. Off where a fault is planted: the world is to show it.
  bool asks_broken = true;
  // decision_checks.h
  bool checks_decisions = true;
};

struct Failure {
  std::string invariant;  // "the-last-one-stays"
  std::string text;
};

class World {
 public:
  // Borrows all but the setup. `trace`: null where nobody reads it.
  World(const Setup& setup, const Subject& subject, Counts* counts,
        std::vector<std::string>* trace);

  void Do(const Event& event);
  // What is broken is mended, as far as the setup says so, and nothing happens any more: the world
  // comes to rest, as the specification says or with a reason (liveness.cc).
  void ComeToRest();
  bool IsStartAwaited() const;

  // The first.
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  // An order, as it was published first.
  struct Given {
    uint64_t epoch = 0;
    uint64_t serial = 0;
    v1::NodeState state = v1::OBSERVED;
    uint64_t generation = 0;
    bool release = false;
    bool closed = false;
    size_t knowledge = 0;
    // By what it was decided that the node is to be so, where that has not changed since: a new
    // specification, say, gives what stays a new order.
    size_t decided = 0;
    bool forgotten = false;  // by a store that was replaced by an older copy
  };
  struct Restored {
    size_t knowledge = 0;  // of what was known before, so much
    // The node had taken an order that the copy had not given.
    std::array<bool, kMostNodes> later{};
    std::array<uint32_t, kMostNodes> machine{};
  };
  // What a machine was before its agent took an order.
  struct Before {
    v1::NodeState state = v1::OBSERVED;
    bool running = false;
    bool has_users = false;  // or may have
    bool served = false;
    bool closed = false;
  };
  struct Message {
    bool is_answer = false;
    bool kept = false;  // comes once more
    size_t slot = 0;
    uint32_t machine = 0;
    uint64_t call = 0;
    Report report;
    Answer answer;
  };

  // world.cc
  void Begin();
  void BeginHost(size_t slot);
  void BeginServing();
  void Break(const std::string& invariant, const std::string& text);
  void Note(const std::string& text);
  void Count(Sometimes what) { ++(*counts_)[static_cast<size_t>(what)]; }
  Surroundings Around() const;
  Time ClockOf(size_t coordinator) const { return now_ + offsets_[coordinator]; }
  // Of those that are up the one that has the store; any that is up where none has; -1: none.
  int Leader(uint32_t other = 0) const;
  // What people ask of a coordinator gets into the store.
  bool MayWrite() const;
  bool Reaches(size_t slot) const;

  // exchange.cc
  Report Tell(Host& host, Looks looks);
  void Call(size_t slot, int coordinator, Looks looks = Looks::kAnew);
  void CallAll();
  void Send(size_t slot, Looks looks);
  void TakeRequest(uint32_t which, int coordinator);
  void HearAnswer(uint32_t which);
  void Lose(uint32_t which);
  void Repeat(uint32_t which);
  std::optional<Answer> Ask(size_t slot, const Report& report, int coordinator);
  void Deliver(size_t slot, const Answer& answer);
  void Work(size_t slot, uint32_t steps);
  void Round(uint32_t how = 0);

  // planning.cc
  void PlanAll(int coordinator);
  void DecideWhileTimePasses();
  void PlanStep(int coordinator);
  void DecideNow(int coordinator);
  void Publish(int coordinator);
  void CheckPublished(size_t slot, const v1::NodeAssignment& assignment, const Knowledge& known);
  void CheckDecision(const v1::PlanInput& input, const v1::Decision& decision);
  void CountDecision(const Knowledge& known, const v1::Decision& decision);

  // changes.cc: what of a change is written down, and what it takes for that
  void NoteChange(const v1::PlanInput& input, Knowledge& known);
  void CheckChange(const v1::PlanMemory& before, const v1::Decision& decision,
                   const Knowledge& known);
  void CheckInForce(const v1::PlanMemory& before, const v1::PlanMemory& after,
                    const Knowledge& known);
  void CheckRemembered(const v1::PlanMemory& before, const v1::Decision& decision,
                       const Knowledge& known);
  void CheckBegun(const v1::Rollout& before, const v1::Rollout& after, const Knowledge& known);
  void CheckVerified(const v1::Rollout& before, const v1::Rollout& after, const Knowledge& known);
  void CheckWindow(const v1::PlanMemory& before, const v1::Rollout& after, const Knowledge& known);
  void CheckFetched(const v1::Rollout& after, const Knowledge& known);
  void NoteLeftBehind(const v1::PlanMemory& before, const v1::PlanMemory& after);
  // changes_counted.cc
  void CountChange(const v1::PlanMemory& before, const v1::Decision& decision);
  void CountInPhase(InPhase what);
  // obeyed_changing.cc: who leaves, starts and serves for one
  bool IsApproved(const Knowledge& known) const;
  bool IsStartApproved(const Knowledge& known) const;
  static const v1::Word* PauseOf(const Knowledge& known);
  static bool AllRest(const Knowledge& known);
  static bool RunsOlder(size_t slot, const Knowledge& known);
  static bool IsLeftBehind(size_t slot, const Knowledge& known);
  bool LeavesForChange(size_t slot, const Knowledge& known) const;
  bool MayLeaveTooFew(const Knowledge& known) const;
  static bool FailsByRule(size_t slot, const Knowledge& known);
  size_t OutAsKnown(size_t slot, size_t knowledge) const;
  void CheckLeavesForChange(size_t slot, size_t decided);
  void CheckRestarts(size_t slot, const Before& before, const Knowledge& known);
  void CheckStartsInTurn(size_t slot, const Given& given);
  void CheckOpens(size_t slot, const Given& given);
  void CheckGate(size_t slot);
  void CheckMigrated(size_t slot);

  // witnessed.cc: what nobody may find in the world
  size_t LeastMinimum() const;
  void CheckEnoughServe(size_t slot);
  void CheckStartsBesideAMigration(size_t slot);
  void CheckMigrationStopped(size_t slot, bool by_hand);
  void CheckRemoved(size_t slot, uint32_t had);
  bool RunsAsBefore(size_t slot) const;
  void CheckDrainsAsBefore(size_t slot, const Before& before, const Knowledge& known);
  void CheckServesAsBefore(size_t slot);

  // change_events.cc
  bool DoToChange(const Event& event, size_t slot);
  void ApplyChange(uint32_t how);
  void SayOfChange(uint32_t how);
  static constexpr uint32_t kApproveNow = 15;  // of these, and with downtime
  uint32_t RuntimesThere() const;
  void PutDatabaseBack(v1::Word& word);
  void Put(Applied applied);
  void BackUp(const v1::BackupRun& run, const Knowledge& known);
  void RunBackup(Time clock);

  // ec2.cc: what EC2 says of machines and does with them, and that nodes are out of service by then
  bool DoByEc2(const Event& event, size_t slot);
  void Warn(size_t slot, Notice notice, Time::duration in, bool says_when);
  // `lives`: until EC2 does something, nodes and plan go on meanwhile.
  void PassTo(Time end, bool lives);
  void LiveUntil(Time end);
  size_t NextToGo(Time end) const;
  void Depart(size_t slot);
  bool IsToLeave(size_t slot, size_t knowledge) const;
  void NoteWhoStays(size_t knowledge);
  void NoteRound();
  void CheckOutInTime(size_t slot);

  // machine_events.cc, operator_events.cc: true where the event is one of theirs
  bool DoToMachine(const Event& event, size_t slot);
  bool DoToConnect(const Event& event, size_t slot);
  bool DoEverywhere(const Event& event, size_t slot);
  bool DoAsOperator(const Event& event, size_t slot);
  bool DoToCoordinators(const Event& event);
  bool MaySwitchOn(size_t slot) const;
  bool IsMember(size_t slot) const;
  void PowerOff(size_t slot);
  void Replace(size_t slot);
  bool IsLost(size_t slot) const;
  void GiveWord(size_t slot, uint32_t how);
  void TakeBack(uint32_t how);
  void Apply(uint32_t how);
  void Remove(size_t slot);
  void Restore();
  void StartCoordinator(size_t index);
  void Forget(size_t slot);
  const std::string& NameOf(size_t slot) const { return hosts_[slot].name; }

  // obeyed.cc: what must hold where a node takes an order
  void CheckObeyed(size_t slot, const Before& before);
  void CheckDecided(size_t slot, const Given& given, const Before& before);
  void CheckSomebodyIsLeft();
  void CheckLeaves(size_t slot, size_t decided);
  void CheckCause(size_t slot, const Before& before, size_t decided);
  void CheckAccused(size_t slot, const Before& before, const Knowledge& known);
  void CheckStored(size_t slot);
  void CheckOlderStore(size_t slot, const Given& given, const Knowledge& known);
  void CheckDrainTime(size_t slot, const Before& before, size_t decided);
  Time SeenOpen(size_t slot, size_t decided) const;
  // obeyed_back.cc
  void CheckBack(size_t slot, const Given& given, const Before& before);
  const Given* OutBefore(size_t slot, const Given& given, v1::NodeState state) const;
  size_t TookOut(size_t slot, v1::NodeState state, const Knowledge& then) const;
  bool WasOverBefore(size_t slot, size_t rule, size_t from, size_t to) const;
  // obeyed_entering.cc
  void CheckEnters(size_t slot, const Knowledge& known);
  void CheckEntersByRules(size_t slot, const Knowledge& known);
  void CheckStartsFirst(size_t slot, const Given& given);
  void CheckFenced(size_t slot, const Knowledge& known);
  // `surely`: the plan, which may count fewer among the nodes that serve, sees it, too.
  bool MayFence(size_t slot, size_t rule, const Knowledge& known, bool surely) const;
  void CheckStarted(size_t slot, bool was_running);
  bool MightRunAsKnown(size_t slot, Version version, size_t knowledge) const;
  bool WasToStartBeside(size_t slot, size_t other) const;

  // known.cc: what of it was known
  static bool IsInForce(const Knowledge& known, const v1::Word& word);
  static const v1::Word* FindWord(const Knowledge& known, v1::Word::Kind kind,
                                  const std::string& node);
  static bool IsWaived(const Knowledge& known, size_t rule, const std::string& node);
  // Which the plan is to act upon.
  static Notice NoticeDue(const Knowledge& known, size_t slot);
  static v1::RuleAction ActionOf(const Knowledge& known, size_t rule);
  bool ServedAsKnown(const Knowledge& known, size_t slot) const;
  size_t OthersAsKnown(size_t slot, size_t knowledge) const;
  size_t SoundAsKnown(size_t slot, size_t rule, size_t knowledge) const;
  // How long it was so by then, as the decisions show; what was unknown in between does not end it.
  Time::duration FailedFor(size_t slot, size_t rule, size_t knowledge) const;
  Time::duration HeldFor(size_t slot, size_t rule, size_t knowledge) const;
  Time Since(size_t slot, size_t rule, size_t knowledge, bool (*is_so)(v1::Outcome),
             bool (*is_other)(v1::Outcome)) const;
  const Given* Find(size_t slot, uint64_t epoch, uint64_t serial) const;
  // The latest by then; null: none.
  const Given* ToldBy(size_t slot, size_t knowledge) const;

  // liveness.cc
  void MendHosts();
  void MendCoordinators();
  uint64_t Signature() const;
  bool PassToNext(size_t coordinator);
  bool IsAble(size_t slot) const;
  bool HasFailedToStart(size_t slot) const;
  bool HasReason(size_t slot) const;
  bool HasCommonReason() const;
  bool HasReason() const;
  void CheckSomebodyServes();
  void CheckLastGate(size_t coordinator);
  void CheckAtRest(size_t coordinator);
  void CheckReason(size_t slot, const v1::NodeAssignment& told);
  void CheckStatus(const v1::RolloutStatus& status, bool has_reason);
  // named_states.cc
  bool IsElseRight() const;
  bool WaitsForAChange(size_t slot, const v1::RolloutStatus& status) const;
  std::string WhyNotAsNamed(size_t slot) const;
  void CheckNamedStates(const v1::RolloutStatus& status);
  void ApplyLast();
  void CheckHeld(size_t slot);

  const Setup setup_;
  const Subject& subject_;
  Counts* counts_;
  std::vector<std::string>* trace_;
  std::optional<Failure> failure_;

  static constexpr std::chrono::seconds kRoundTakes{5};
  Time now_;
  std::array<Host, kMostNodes> hosts_;
  uint32_t last_machine_ = 0;
  bool database_away_ = false;
  // Also of what is const: who starts Connect changes it.
  const std::unique_ptr<Database> database_ = std::make_unique<Database>();
  uint32_t pinned_ = 0;
  // The command before a migration: the latest run, and when it ends.
  Beside beside_;
  Time backup_ends_;
  bool backup_fails_ = false;
  uint64_t backed_up_ = 0;       // the generation before which it went well
  std::set<uint64_t> approved_;  // generations, by a person or a window, ever
  std::vector<Time> restarts_;   // for what differed, not for a generation
  // Of the change, as it was decided last.
  v1::RolloutStatus::Phase phase_ = v1::RolloutStatus::PHASE_UNSPECIFIED;
  v1::RolloutStatus::Standing standing_ = v1::RolloutStatus::STANDING_UNSPECIFIED;
  Store store_;
  std::optional<Store> backup_;
  std::array<Coordinator, 2> coordinators_;
  std::array<std::chrono::microseconds, 2> offsets_{};
  std::vector<Message> messages_;

  std::vector<Knowledge> knowledge_;
  std::array<size_t, 2> pending_{};  // what each coordinator's decision rests on
  std::array<std::vector<Given>, kMostNodes> given_;
  std::array<uint64_t, kMostNodes> been_{};  // the newest generation that it was known to be as
  std::map<size_t, Time> rule_fences_;       // by slot: when a rule fenced it last
  std::optional<Restored> restored_;
  bool clock_jumped_ = false;
  bool was_restored_ = false;
  bool machine_lost_ = false;  // with what its agent remembered
  // Something happened by which nodes fall out of service whatever they are told.
  bool harmed_ = false;
  // Or are taken out by what leaves fewer than minimum_serving; `false`: they may be.
  bool steady_ = true;
  bool was_sent_ = false;  // messages may be late
  bool has_migration_failed_ = false;
  uint32_t decisions_ = 0;
  int64_t starts_ = 0;
};

}  // namespace connect_ha::simulation
