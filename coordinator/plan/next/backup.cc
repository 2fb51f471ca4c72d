#include "coordinator/plan/next/backup.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/next/asked.h"

namespace connect_ha {
namespace {

using std::chrono::microseconds;

// What was written after it is not in it: an older one is made again.
constexpr std::chrono::hours kBackupCounts{1};
constexpr std::chrono::minutes kBackupDeadline{30};
// After its deadline a command is killed, and says so.
constexpr std::chrono::minutes kResultComes{1};

bool IsOfNext(const v1::PlanInput& input, const v1::BackupRun& run) {
  return input.memory().has_backup() && run.generation() == AskedGeneration(input);
}

bool IsAskedFor(const v1::PlanInput& input, const NextKind& next) {
  return next.kind == v1::Rollout::TOGETHER &&
         AskedSpec(input).database().has_backup_before_migration();
}

bool CountsYet(const Situation& situation, const v1::BackupRun& run) {
  const Time ended = FromProto(run.ended_at());
  const Time now = situation.moments.now();
  return ended <= now + kClockSetBack && now < ended + kBackupCounts;
}

// A person said so since, or another window has opened.
bool IsTriedAgain(const Situation& situation, const v1::BackupRun& run) {
  const v1::PlanInput& input = situation.input;
  const Time ended = FromProto(run.ended_at());
  const Time now = situation.moments.now();
  // The clock was set back since: what was said later is not known by it.
  if (ended > now + kClockSetBack) return true;
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, AskedGeneration(input));
  // Nor does what was said before that try it again and again.
  if (word != nullptr && FromProto(word->at()) > ended && FromProto(word->at()) <= now) return true;
  const Time opens = FromProto(input.window().opens());
  return input.has_window() && opens > ended && situation.moments.Reached(opens);
}

std::string WhileItRuns(const Situation& situation, const v1::BackupRun& run) {
  const v1::BackupSpec& spec = AskedSpec(situation.input).database().backup_before_migration();
  const microseconds deadline =
      spec.has_deadline()
          ? microseconds(google::protobuf::util::TimeUtil::DurationToMicroseconds(spec.deadline()))
          : kBackupDeadline;
  const Time asked = FromProto(run.asked_at());
  const bool is_late = situation.moments.now() > asked + deadline + kResultComes;
  return absl::StrCat("the backup before it (", spec.command(), "), which was asked for at ",
                      FormatUtc(asked),
                      is_late ? ", and has not said how it ended: systemctl status "
                                "connect-ha-backup.path connect-ha-backup on the coordinator's host"
                              : "");
}

}  // namespace

BackupLook BackupFor(const Situation& situation, const NextKind& next) {
  const v1::PlanInput& input = situation.input;
  BackupLook backup;
  if (!IsAskedFor(input, next)) return backup;
  const v1::BackupRun& last = input.memory().backup();
  if (IsOfNext(input, last) && last.has_ended_at()) {
    if (last.went_well() && CountsYet(situation, last)) return backup;
    if (!last.went_well() && !IsTriedAgain(situation, last)) {
      backup.failed = true;
      backup.why = absl::StrCat("the backup before it failed: ", last.text());
      return backup;
    }
  }
  backup.runs = IsOfNext(input, last) && !last.has_ended_at();
  backup.asked = true;
  backup.run.set_generation(AskedGeneration(input));
  *backup.run.mutable_asked_at() = backup.runs ? last.asked_at() : input.now();
  backup.why = WhileItRuns(situation, backup.run);
  return backup;
}

microseconds BackupTakes(const Situation& situation, const NextKind& next) {
  const v1::PlanInput& input = situation.input;
  const v1::BackupRun& last = input.memory().backup();
  const bool is_known = last.has_ended_at() && last.went_well();
  if (!IsAskedFor(input, next) || !is_known) return microseconds(0);
  if (IsOfNext(input, last) && CountsYet(situation, last)) return microseconds(0);
  const microseconds took = FromProto(last.ended_at()) - FromProto(last.asked_at());
  return std::max(took, microseconds(0));
}

std::string WhyNoBackup(const Situation& situation, const NextKind& next) {
  const v1::BackupRun& last = situation.input.memory().backup();
  const bool failed = IsAskedFor(situation.input, next) && IsOfNext(situation.input, last) &&
                      last.has_ended_at() && !last.went_well();
  if (!failed) return "";
  return absl::StrCat("the backup before it failed at ", FormatUtc(FromProto(last.ended_at())),
                      ": ", last.text());
}

}  // namespace connect_ha
