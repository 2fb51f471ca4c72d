#include "coordinator/plan/record/noted.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/verify.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/move/enter.h"
#include "coordinator/plan/next/first_start.h"
#include "coordinator/plan/record/estimate.h"

namespace connect_ha {

bool NoteDatabase(Situation& situation, const Change& change, v1::PlanMemory& remember) {
  v1::DatabaseMemory database = DatabaseNow(situation);
  if (!change.to_note.empty()) NoteStart(situation, change.to_note, database);
  for (const v1::Word* word : situation.words.of_cluster) {
    if (word->kind() == v1::Word::RESTORED) situation.words.ended.push_back(word->number());
  }
  const std::string before = situation.input.memory().database().SerializeAsString();
  if (database.SerializeAsString() == before) return false;
  *remember.mutable_database() = database;
  if (!change.to_note.empty()) remember.set_not_before(situation.input.generation());
  return true;
}

bool NoteBackup(const Situation& situation, const BackupLook& backup, v1::Decision& decision) {
  const v1::PlanInput& input = situation.input;
  v1::PlanMemory& remember = *decision.mutable_remember();
  if (backup.asked) {
    *decision.mutable_back_up() = backup.run;
    *remember.mutable_backup() = backup.run;
  }
  const v1::BackupRun& run = input.backup();
  const v1::BackupRun& known = input.memory().backup();
  const bool is_known = input.has_backup() && input.memory().has_backup() &&
                        run.generation() == known.generation() &&
                        FromProto(run.asked_at()) == FromProto(known.asked_at());
  if (!is_known || !run.has_ended_at() || known.has_ended_at()) return false;
  *remember.mutable_backup() = run;
  decision.clear_back_up();
  return true;
}

bool NoteVerified(Situation& situation, const Change& change, v1::PlanMemory& remember) {
  v1::Rollout& rollout = *remember.mutable_rollout();
  const std::string name = FirstOf(situation, change);
  if (name.empty()) return false;
  if (name != rollout.first()) {
    absl::StrAppend(rollout.mutable_remarks(), rollout.remarks().empty() ? "" : "; ", name,
                    " goes first in the place of ", rollout.first());
    rollout.set_first(name);
    return true;
  }
  const Member* first = FindMember(situation, name);
  const bool is_right = first != nullptr && first->position == v1::SERVING &&
                        change.aborted == nullptr && WhyNotVerified(situation, *first).empty();
  if (!is_right) return false;
  if (IsTimed(situation, first->memory)) {
    NoteSpan(rollout, v1::RolloutStep::STARTING,
             situation.moments.now() - FromProto(first->memory.since()), remember);
  }
  *rollout.mutable_verified_at() = ToProto(situation.moments.now());
  NoteRight(first->node->running_version(), *remember.mutable_database());
  return true;
}

bool NoteApproval(const Situation& situation, const Change& change, v1::PlanMemory& remember) {
  v1::Rollout& rollout = *remember.mutable_rollout();
  if (rollout.generation() == 0) {
    remember.clear_rollout();
    return false;
  }
  const bool is_said = change.approved != nullptr && rollout.approved_by().empty() &&
                       rollout.generation() == situation.input.generation();
  if (is_said) rollout.set_approved_by(change.approved->by());
  return is_said;
}

std::string OldestToApprove(Situation& situation, const v1::PlanMemory& remember) {
  std::string oldest;
  // What was applied since leads on, or back.
  if (situation.input.has_next()) return oldest;
  for (size_t i = 0; i < situation.members.size(); ++i) {
    const Member& member = situation.members[i];
    const bool is_ready = member.stays.empty() && HasReached(member, v1::READY) &&
                          remember.nodes(static_cast<int>(i)).state() == v1::READY;
    const std::string version = is_ready ? VersionToApprove(situation, member) : "";
    const bool is_older = oldest.empty() || CompareVersions(version, oldest) < 0;
    if (!version.empty() && is_older) oldest = version;
  }
  return oldest;
}

bool NoteFirstStart(Situation& situation, const std::string& version, const FirstStart& start,
                    v1::PlanMemory& remember) {
  if (version.empty() || !start.why.empty()) return false;
  v1::DatabaseMemory& database = *remember.mutable_database();
  NoteStart(situation, version, database);
  if (database.before_version().empty()) database.set_before_version(database.right_version());
  const uint64_t generation = situation.input.generation();
  remember.set_not_before(generation);
  const v1::Rollout& rollout = remember.rollout();
  if (rollout.generation() == generation && rollout.approved_by().empty()) {
    remember.mutable_rollout()->set_approved_by(start.by);
  }
  for (const v1::Word* word : situation.words.of_cluster) {
    const bool is_of_it = word->kind() == v1::Word::APPROVE && word->generation() == generation;
    if (is_of_it) situation.words.ended.push_back(word->number());
  }
  return true;
}

void EndApproval(Situation& situation, const Change& change) {
  if (change.approved == nullptr || change.under_way()) return;
  bool is_anybody_there = false;
  for (const Member& member : situation.members) {
    if (!member.stays.empty()) continue;
    is_anybody_there = true;
    const bool rests = IsLeftOut(member) || member.may != May::kServe;
    if (!HasConverged(situation.input, *member.node) || !(member.serves || rests)) return;
  }
  if (is_anybody_there) situation.words.ended.push_back(change.approved->number());
}

}  // namespace connect_ha
