#include "coordinator/plan/next/next.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/remembered.h"
#include "coordinator/plan/look/serving.h"
#include "coordinator/plan/next/approval.h"
#include "coordinator/plan/next/backup.h"
#include "coordinator/plan/next/begin.h"

namespace connect_ha {
namespace {

using v1::RolloutStatus;

// Null: nobody is changed alone, or it has answered or ended.
const Member* WhoMayBeMigrating(const Situation& situation, const Change& change) {
  if (!change.first_alone) return nullptr;
  const Member* first = FindMember(situation, change.rollout.first());
  return first != nullptr && MayBeMigrating(*first) ? first : nullptr;
}

// Nothing of it was done yet, or it may be left where it is: a newer one takes its place.
bool IsSafePoint(const Change& change, const Member* migrating) {
  if (!change.under_way() || change.rollout.kind() != v1::Rollout::TOGETHER) return true;
  return !change.goes_on() && migrating == nullptr;
}

// It takes connect-ha's hands off all nodes: that is never waited with.
bool LetsGo(const v1::PlanInput& input) { return input.next().spec().enforcement() != v1::ENFORCE; }

// What keeps a node from being ready does not pass by itself.
bool IsStagingInTrouble(const Situation& situation) {
  return std::any_of(situation.members.begin(), situation.members.end(), [&](const Member& member) {
    const v1::Ahead& staged = member.node->staged();
    const bool waits = member.node->fresh() && SpeaksOfNext(situation.input, *member.node) &&
                       !staged.ready() && !IsGone(member);
    return waits && std::any_of(staged.troubles().begin(), staged.troubles().end(),
                                [](const v1::Trouble& trouble) { return !trouble.has_retry_at(); });
  });
}

void Wait(Change& change, RolloutStatus::Phase phase, RolloutStatus::Standing standing,
          const std::string& why, const std::vector<std::string>& fixes) {
  change.next_phase = phase;
  change.next_standing = standing;
  change.next_waits = why;
  for (const std::string& fix : fixes) {
    if (!fix.empty()) change.next_fixes.push_back(fix);
  }
}

}  // namespace

void LookAtNext(Situation& situation, Change& change) {
  const v1::PlanInput& input = situation.input;
  const std::string number = std::to_string(input.next().generation());
  const std::string abort =
      absl::StrCat("to go back: connect-ha rollout abort ", number, " --reason ...");
  change.next = KindOfNext(situation);
  if (!change.next.refused.empty()) {
    Wait(change, RolloutStatus::REFUSED, RolloutStatus::HALTED, change.next.refused,
         {change.next.fix.empty() ? "correct cluster.yaml, then: connect-ha apply"
                                  : change.next.fix});
    return;
  }
  if (situation.restored_at) {
    Wait(change, RolloutStatus::STAGING, RolloutStatus::HALTED, kOlderStore, {kHowNodesMoveAgain});
    return;
  }
  const v1::Word* aborted =
      ClusterWord(situation.words, v1::Word::ABORT, input.next().generation());
  if (aborted != nullptr) {
    Wait(change, RolloutStatus::ABORTED, RolloutStatus::HALTED, SaidBy(*aborted),
         {absl::StrCat("connect-ha rollout resume ", number, " --reason ..."), "connect-ha apply"});
    return;
  }
  const bool lets_go = LetsGo(input);
  const Member* migrating = WhoMayBeMigrating(situation, change);
  if (!lets_go && !IsSafePoint(change, migrating)) {
    const std::string what =
        migrating == nullptr ? "it is under way"
                             : absl::StrCat(migrating->name(), " may be migrating the database");
    Wait(change, RolloutStatus::AWAITING, RolloutStatus::WAITS,
         absl::StrCat("generation ", change.rollout.generation(), " to be done: ", what),
         {change.aborted != nullptr && migrating != nullptr
              ? HowToStopIt(*migrating)
              : absl::StrCat("connect-ha rollout abort ", change.rollout.generation(),
                             " --reason ...: generation ", number, " takes its place then")});
    return;
  }
  const bool at_once = BeginsAtOnce(situation, change.next);
  const std::string staging = at_once ? "" : WhyNotStaged(situation);
  if (!staging.empty()) {
    const bool halted = IsStagingInTrouble(situation);
    Wait(change, RolloutStatus::STAGING, halted ? RolloutStatus::HALTED : RolloutStatus::GOES_ON,
         staging,
         {halted ? "to go on, put right what is in the way: it is tried again by itself" : "",
          halted ? abort : ""});
    return;
  }
  if (!lets_go && change.paused != nullptr) {
    Wait(change, RolloutStatus::AWAITING, RolloutStatus::PAUSED, SaidBy(*change.paused),
         {"connect-ha rollout resume --reason ..."});
    return;
  }
  if (at_once) return;
  // Without --now it would wait for the window.
  const std::string approve = absl::StrCat("connect-ha approve ", number,
                                           input.has_window() ? " --now" : "", " --reason ...");
  std::string why;
  change.approved_by = ApprovedBy(situation, change.next, why);
  if (!why.empty()) {
    // In the morning it is to be seen what went wrong in the window.
    const std::string failed = WhyNoBackup(situation, change.next);
    if (!failed.empty()) absl::StrAppend(&why, "; ", failed);
    Wait(change, RolloutStatus::AWAITING, RolloutStatus::WAITS, why, {approve});
    return;
  }
  change.backup = BackupFor(situation, change.next);
  const bool has_begun = change.backup.runs || change.backup.failed;
  why = has_begun ? "" : WhyNotReady(situation, change.next);
  if (!why.empty()) {
    change.backup = BackupLook();
    Wait(change, RolloutStatus::AWAITING, RolloutStatus::WAITS, why,
         {"connect-ha checklist; once that is right it goes on by itself", abort});
    return;
  }
  if (change.backup.why.empty()) return;
  const bool failed = change.backup.failed;
  Wait(change, RolloutStatus::BACKING_UP, failed ? RolloutStatus::HALTED : RolloutStatus::GOES_ON,
       change.backup.why, {failed ? "to try it again: " + approve : "", failed ? abort : ""});
}

}  // namespace connect_ha
