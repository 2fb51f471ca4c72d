#include "coordinator/plan/next/first_start.h"

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/next/approval.h"

namespace connect_ha {

bool IsApprovedStart(const v1::PlanInput& input, const v1::DatabaseMemory& database,
                     const std::string& version) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool is_named = rollout.generation() == input.generation() && !rollout.has_ended_at() &&
                        rollout.kind() == v1::Rollout::TOGETHER && !rollout.approved_by().empty() &&
                        SameVersion(input.spec().connect().version(), version);
  // One that was seen to run, and not noted before, knows of nothing before it.
  const bool is_noted = input.memory().not_before() == input.generation() &&
                        !database.before_version().empty() &&
                        CompareVersions(version, database.newest_version()) <= 0;
  return is_named || is_noted;
}

FirstStart LookAtFirstStart(Situation& situation) {
  const NextKind kind{v1::Rollout::TOGETHER};
  const std::string approve =
      absl::StrCat("connect-ha approve ", situation.input.generation(), " --reason ...");
  FirstStart start;
  start.by = ApprovedBy(situation, kind, start.why);
  if (start.by.empty()) {
    if (!situation.input.has_window()) start.why = approve;
    const bool is_said = ApprovalOf(situation) != nullptr;
    const std::string failed = WhyNoBackup(situation, kind);
    start.why = absl::StrCat(is_said ? ": " : ", which nobody approved: ", start.why,
                             failed.empty() ? "" : "; ", failed);
    return start;
  }
  start.backup = BackupFor(situation, kind);
  if (start.backup.why.empty()) return start;
  start.why = absl::StrCat(": ", start.backup.why,
                           start.backup.failed ? "; to try it again: " + approve : "");
  return start;
}

}  // namespace connect_ha
