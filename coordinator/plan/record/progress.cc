#include "coordinator/plan/record/progress.h"

#include <chrono>
#include <string>

#include "coordinator/plan/change/halted.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/next/begin.h"
#include "coordinator/plan/record/accounts.h"
#include "coordinator/plan/record/begun.h"
#include "coordinator/plan/record/done.h"
#include "coordinator/plan/record/ended.h"
#include "coordinator/plan/record/noted.h"

namespace connect_ha {
namespace {

// So soon what was added is gone by: once it is stored.
constexpr std::chrono::milliseconds kAtOnce{10};

void Carry(const v1::PlanMemory& from, v1::PlanMemory& to) {
  to.set_generation(from.generation());
  to.set_good_generation(from.good_generation());
  if (from.has_rollout()) *to.mutable_rollout() = from.rollout();
  if (from.has_database()) *to.mutable_database() = from.database();
  if (from.has_backup()) *to.mutable_backup() = from.backup();
  if (from.has_given_up()) *to.mutable_given_up() = from.given_up();
  *to.mutable_spans() = from.spans();
  *to.mutable_restarts() = from.restarts();
  to.set_not_before(from.not_before());
}

class Progress {
 public:
  Progress(Situation& situation, const Change& change, v1::Decision& decision)
      : situation_(situation),
        input_(situation.input),
        change_(change),
        decision_(decision),
        remember_(*decision.mutable_remember()) {}

  void Go() {
    news_ |= NoteDatabase(situation_, change_, remember_);
    const std::string version = OldestToApprove(situation_, remember_);
    const FirstStart start = version.empty() ? FirstStart() : LookAtFirstStart(situation_);
    const BackupLook& backup = version.empty() ? change_.backup : start.backup;
    news_ |= NoteBackup(situation_, backup, decision_);
    if (change_.stopping) {
      Stop();
    } else {
      GoOn();
      if (change_.begins(input_)) Begin();
    }
    EndApproval(situation_, change_);
    news_ |= NoteApproval(situation_, change_, remember_);
    news_ |= NoteFirstStart(situation_, version, start, remember_);
    if (news_) situation_.moments.Reached(situation_.moments.now() + kAtOnce);
  }

 private:
  google::protobuf::Timestamp Now() const { return ToProto(situation_.moments.now()); }

  void EndWord(const v1::Word& word) { situation_.words.ended.push_back(word.number()); }

  void EndAs(v1::Rollout::End end, v1::Rollout& rollout) {
    End(situation_, change_, end, rollout, decision_);
  }

  // All nodes are to stop, or go back into service.
  void Stop() {
    if (!change_.goes_back.empty()) {
      const uint64_t generation = remember_.rollout().generation();
      const bool newer = input_.next().generation() != generation;
      const bool aborted = ClusterWord(situation_.words, v1::Word::ABORT, generation) != nullptr;
      // Paused, or no longer approved, it may be begun again.
      GiveUp(situation_, change_,
             aborted ? v1::Rollout::ABORTED
             : newer ? v1::Rollout::SUPERSEDED
                     : v1::Rollout::WENT_BACK,
             decision_);
      news_ = true;
      return;
    }
    std::string waits;
    if (!AllStopped(situation_, waits)) return;
    const Member* first = FindMember(situation_, FirstOf(situation_, change_));
    // Until here all may go back: a database that failed over meanwhile is waited for.
    if (first == nullptr || !WhyNoDatabase(situation_, *first).empty()) return;
    v1::Rollout& rollout = *remember_.mutable_rollout();
    *rollout.mutable_in_force_at() = Now();
    rollout.set_first(first->name());
    remember_.set_generation(rollout.generation());
    remember_.set_not_before(rollout.generation());
    news_ = true;
  }

  void GoOn() {
    if (!change_.under_way() || change_.rollout.generation() != input_.generation()) return;
    v1::Rollout& rollout = *remember_.mutable_rollout();
    if (change_.first_alone) {
      news_ |= NoteVerified(situation_, change_, remember_);
    } else if (rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_opened_at() &&
               MayOpen(situation_, change_)) {
      *rollout.mutable_opened_at() = Now();
      news_ = true;
    }
    if (!IsDone(situation_, change_.rollout)) return;
    EndAs(v1::Rollout::DONE, rollout);
    remember_.set_good_generation(rollout.generation());
    for (const v1::Word* word : situation_.words.of_cluster) {
      const bool is_of_one = word->kind() == v1::Word::APPROVE || word->kind() == v1::Word::ABORT;
      if (!is_of_one || word->generation() != rollout.generation()) continue;
      if (word->kind() == v1::Word::APPROVE || !LeavesAnybody(situation_, rollout)) EndWord(*word);
    }
    news_ = true;
  }

  // The newest generation's turn has come.
  void Begin() {
    const v1::Rollout rollout = Begun(situation_, change_);
    Supersede(situation_, change_, rollout, decision_);
    if (rollout.has_in_force_at()) remember_.set_generation(rollout.generation());
    *remember_.mutable_rollout() = rollout;
    news_ = true;
  }

  Situation& situation_;
  const v1::PlanInput& input_;
  const Change& change_;
  v1::Decision& decision_;
  v1::PlanMemory& remember_;
  bool news_ = false;
};

}  // namespace

void Advance(Situation& situation, const Change& change, v1::Decision& decision) {
  v1::PlanMemory& remember = *decision.mutable_remember();
  Carry(situation.input.memory(), remember);
  if (situation.restored_at) return;
  // Of a store that knew no generation in force but the newest.
  if (remember.generation() == 0) remember.set_generation(situation.input.generation());
  remember.set_good_generation(GoodGeneration(situation.input));
  KeepAccounts(situation, change, decision);
  KeepGivenUp(situation, decision);
  Progress(situation, change, decision).Go();
}

}  // namespace connect_ha
