#include "coordinator/plan/record/progress.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/record/accounts.h"
#include "coordinator/plan/record/done.h"

namespace connect_ha {
namespace {

// So soon what was added is gone by: once it is stored.
constexpr std::chrono::milliseconds kAtOnce{10};

void Carry(const v1::PlanMemory& from, v1::PlanMemory& to) {
  to.set_generation(from.generation());
  if (from.has_rollout()) *to.mutable_rollout() = from.rollout();
  if (from.has_database()) *to.mutable_database() = from.database();
  if (from.has_backup()) *to.mutable_backup() = from.backup();
  *to.mutable_spans() = from.spans();
  *to.mutable_restarts() = from.restarts();
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
    NoteDatabase();
    NoteBackup();
    if (change_.stopping) {
      Stop();
    } else {
      GoOn();
      if (input_.has_next() && change_.next_waits.empty()) Begin();
    }
    EndApproval();
    NoteApproval();
    if (news_) situation_.moments.Reached(situation_.moments.now() + kAtOnce);
  }

 private:
  google::protobuf::Timestamp Now() const { return ToProto(situation_.moments.now()); }

  void EndWord(const v1::Word& word) { situation_.words.ended.push_back(word.number()); }

  void NoteDatabase() {
    v1::DatabaseMemory database = DatabaseNow(situation_);
    if (!change_.to_note.empty()) NoteStart(situation_, change_.to_note, database);
    const std::string before = input_.memory().database().SerializeAsString();
    const std::string after = database.SerializeAsString();
    if (after != before) {
      *remember_.mutable_database() = database;
      news_ = true;
    }
    for (const v1::Word* word : situation_.words.of_cluster) {
      if (word->kind() == v1::Word::RESTORED) EndWord(*word);
    }
  }

  void NoteBackup() {
    if (change_.backup.asked) {
      *decision_.mutable_back_up() = change_.backup.run;
      *remember_.mutable_backup() = change_.backup.run;
    }
    const v1::BackupRun& run = input_.backup();
    const v1::BackupRun& known = input_.memory().backup();
    const bool is_known = input_.has_backup() && input_.memory().has_backup() &&
                          run.generation() == known.generation() &&
                          FromProto(run.asked_at()) == FromProto(known.asked_at());
    if (!is_known || !run.has_ended_at() || known.has_ended_at()) return;
    *remember_.mutable_backup() = run;
    decision_.clear_back_up();
    news_ = true;
  }

  // All nodes are to stop, or go back into service.
  void Stop() {
    if (!change_.goes_back.empty()) {
      v1::Rollout given_up = remember_.rollout();
      const bool newer = input_.next().generation() != given_up.generation();
      const bool aborted =
          ClusterWord(situation_.words, v1::Word::ABORT, given_up.generation()) != nullptr;
      // Paused, or no longer approved, it is begun again: that is no end.
      if (newer || aborted) End(given_up, aborted ? v1::Rollout::ABORTED : v1::Rollout::SUPERSEDED);
      remember_.clear_rollout();
      news_ = true;
      return;
    }
    std::string waits;
    if (!AllStopped(situation_, waits)) return;
    const std::string first = FirstOf(situation_, change_);
    if (first.empty()) return;
    v1::Rollout& rollout = *remember_.mutable_rollout();
    *rollout.mutable_in_force_at() = Now();
    rollout.set_first(first);
    remember_.set_generation(rollout.generation());
    news_ = true;
  }

  void GoOn() {
    if (!change_.under_way() || change_.rollout.generation() != input_.generation()) return;
    v1::Rollout& rollout = *remember_.mutable_rollout();
    if (change_.first_alone) {
      Verify(rollout);
    } else if (rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_opened_at() &&
               MayOpen(situation_, change_)) {
      *rollout.mutable_opened_at() = Now();
      news_ = true;
    }
    if (!IsDone(situation_, change_.rollout)) return;
    End(rollout, v1::Rollout::DONE);
    for (const v1::Word* word : situation_.words.of_cluster) {
      const bool is_of_it = word->generation() == rollout.generation();
      if (word->kind() == v1::Word::APPROVE && is_of_it) EndWord(*word);
    }
    news_ = true;
  }

  // Whoever goes first is right, or another one has to.
  void Verify(v1::Rollout& rollout) {
    const std::string name = FirstOf(situation_, change_);
    if (name.empty()) return;
    if (name != rollout.first()) {
      absl::StrAppend(rollout.mutable_remarks(), rollout.remarks().empty() ? "" : "; ", name,
                      " goes first in the place of ", rollout.first());
      rollout.set_first(name);
      news_ = true;
      return;
    }
    const Member* first = FindMember(situation_, name);
    const bool is_right = first != nullptr && first->position == v1::SERVING &&
                          change_.aborted == nullptr && WhyNotVerified(situation_, *first).empty();
    if (!is_right) return;
    NoteSpan(rollout, v1::RolloutStep::STARTING,
             situation_.moments.now() - FromProto(first->memory.since()), remember_);
    *rollout.mutable_verified_at() = Now();
    news_ = true;
  }

  void End(v1::Rollout& rollout, v1::Rollout::End end) {
    if (end == v1::Rollout::DONE && rollout.kind() == v1::Rollout::IN_PLACE) {
      NoteSpan(rollout, v1::RolloutStep::CHANGING,
               situation_.moments.now() - FromProto(rollout.in_force_at()), remember_);
    }
    *rollout.mutable_ended_at() = Now();
    rollout.set_end(end);
    AddRemarks(rollout);
    *decision_.add_ended() = rollout;
  }

  void AddRemarks(v1::Rollout& rollout) const {
    std::vector<std::string> remarks;
    if (!rollout.remarks().empty()) remarks.push_back(rollout.remarks());
    for (const v1::RolloutNode& node : rollout.nodes()) {
      if (node.skipped()) remarks.push_back(absl::StrCat(node.node(), " was declared gone"));
    }
    if (!change_.halted.empty()) remarks.push_back(change_.halted);
    rollout.set_remarks(absl::StrJoin(remarks, "; "));
  }

  // The newest generation's turn has come.
  void Begin() {
    if (change_.under_way()) {
      v1::Rollout before = remember_.rollout();
      if (!before.has_ended_at()) {
        End(before, change_.aborted != nullptr ? v1::Rollout::ABORTED : v1::Rollout::SUPERSEDED);
      }
    }
    const v1::NextSpec& next = input_.next();
    const bool at_once = BeginsAtOnce(situation_, change_.next);
    const bool together = !at_once && change_.next.kind == v1::Rollout::TOGETHER;
    v1::Rollout rollout;
    rollout.set_generation(next.generation());
    rollout.set_from(input_.generation());
    const bool rolling = !at_once && change_.next.kind == v1::Rollout::ROLLING;
    rollout.set_kind(together  ? v1::Rollout::TOGETHER
                     : rolling ? v1::Rollout::ROLLING
                               : v1::Rollout::IN_PLACE);
    rollout.set_applied_by(next.applied_by());
    rollout.set_approved_by(change_.approved_by);
    *rollout.mutable_began_at() = Now();
    if (!together) {
      *rollout.mutable_in_force_at() = Now();
      remember_.set_generation(next.generation());
    }
    ListNodes(situation_, at_once, rollout);
    *remember_.mutable_rollout() = rollout;
    news_ = true;
  }

  // Said once the change was done, for what differed since: it ends with that, or the next time
  // fewer than minimum_serving would be left, too.
  void EndApproval() {
    if (change_.approved == nullptr || change_.under_way()) return;
    bool is_anybody_there = false;
    for (const Member& member : situation_.members) {
      if (!member.stays.empty()) continue;
      is_anybody_there = true;
      const bool rests = IsLeftOut(member) || member.may != May::kServe;
      if (!HasConverged(input_, *member.node) || !(member.serves || rests)) return;
    }
    if (is_anybody_there) EndWord(*change_.approved);
  }

  // Said after it was put into force: where that needed no word, and something of it does.
  void NoteApproval() {
    v1::Rollout& rollout = *remember_.mutable_rollout();
    if (rollout.generation() == 0) {
      remember_.clear_rollout();
      return;
    }
    const bool is_said = change_.approved != nullptr && rollout.approved_by().empty() &&
                         rollout.generation() == input_.generation();
    if (!is_said) return;
    rollout.set_approved_by(change_.approved->by());
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
  KeepAccounts(situation, change, decision);
  Progress(situation, change, decision).Go();
}

}  // namespace connect_ha
