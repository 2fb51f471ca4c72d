#include "coordinator/cluster/planning/rollout_events.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/text/short_text.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/plan/change/phases.h"

namespace connect_ha {
namespace {

// "GOES_ON" -> "goes on"
std::string Spoken(const std::string& name) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
}

// "together"; "" where it is not known yet.
std::string KindText(v1::Rollout::Kind kind) {
  return kind == v1::Rollout::KIND_UNSPECIFIED ? "" : Spoken(v1::Rollout::Kind_Name(kind));
}

std::string PhaseText(v1::RolloutStatus::Phase phase) {
  const PhaseRow* row = FindPhase(phase);
  return row == nullptr ? "nothing is left to be changed" : row->name;
}

std::string StatusText(const v1::RolloutStatus& status) {
  const std::string kind = KindText(status.kind());
  std::string text = absl::StrCat("generation ", status.generation(), kind.empty() ? "" : ", ",
                                  kind, ": ", PhaseText(status.phase()));
  if (status.standing() != v1::RolloutStatus::STANDING_UNSPECIFIED) {
    absl::StrAppend(&text, ", ", Spoken(v1::RolloutStatus::Standing_Name(status.standing())));
  }
  if (!status.reason().empty()) absl::StrAppend(&text, ": ", status.reason());
  if (status.fixes_size() > 0) {
    absl::StrAppend(&text, "; fix: ", absl::StrJoin(status.fixes(), "; or: "));
  }
  return text;
}

// "node-1" of "node-1, node-2: ..." or "node-1: it was not heard for 35s": what stands behind goes
// on changing.
std::string CauseOf(const v1::RolloutStatus& status) {
  const bool holds = status.standing() != v1::RolloutStatus::STANDING_UNSPECIFIED &&
                     status.standing() != v1::RolloutStatus::GOES_ON;
  const std::string& reason = status.reason();
  return holds ? reason.substr(0, std::min(reason.find(": "), reason.find(", "))) : "";
}

// One and the same, as far as it may have come.
bool IsSameOne(const v1::Rollout& a, const v1::Rollout& b) {
  return a.generation() == b.generation() && a.began_at() == b.began_at();
}

v1::AuditEntry Entry(v1::AuditEntry::Action action, const v1::Rollout& rollout,
                     const std::string& text, Time now) {
  v1::AuditEntry entry;
  *entry.mutable_at() = ToProto(now);
  entry.set_action(action);
  entry.set_actor("coordinator");
  entry.set_subject(absl::StrCat("generation ", rollout.generation()));
  entry.set_text(ShortText(text, kTextBytes));
  return entry;
}

std::string BegunText(const v1::Rollout& rollout) {
  const std::string kind = KindText(rollout.kind());
  return absl::StrCat(kind.empty() ? "a change" : kind, ", from generation ", rollout.from(),
                      rollout.applied_by().empty() ? "" : "; applied by ", rollout.applied_by(),
                      rollout.approved_by().empty() ? "" : "; approved by ", rollout.approved_by());
}

std::string EndedText(const v1::Rollout& rollout) {
  const auto took = FromProto(rollout.ended_at()) - FromProto(rollout.began_at());
  std::string text =
      absl::StrCat(Spoken(v1::Rollout::End_Name(rollout.end())), " after ", FormatSpan(took));
  if (!rollout.first().empty()) absl::StrAppend(&text, "; first ", rollout.first());
  if (!rollout.remarks().empty()) absl::StrAppend(&text, "; ", rollout.remarks());
  return text;
}

}  // namespace

RolloutTold ToldOf(const v1::RolloutStatus& status) {
  return {status.generation(), status.phase(), status.standing(), CauseOf(status)};
}

std::optional<v1::Event> RolloutChanged(const std::optional<RolloutTold>& told,
                                        const v1::RolloutStatus& status, Time now) {
  const bool is_over = status.phase() == v1::RolloutStatus::PHASE_UNSPECIFIED ||
                       status.phase() == v1::RolloutStatus::DONE;
  if (told ? *told == ToldOf(status) : is_over) return std::nullopt;
  // That one of which it was told that it is done is no longer spoken of is no news.
  const bool was_done = told && told->phase == v1::RolloutStatus::DONE;
  if (was_done && status.phase() == v1::RolloutStatus::PHASE_UNSPECIFIED) return std::nullopt;
  return MakeEvent(v1::Event::ROLLOUT_CHANGED, "", StatusText(status), now);
}

std::optional<v1::Event> BackupRan(const v1::PlanMemory& before, const v1::PlanMemory& remember,
                                   Time now) {
  const v1::BackupRun& run = remember.backup();
  if (!run.has_ended_at()) return std::nullopt;
  const bool is_known = before.backup().has_ended_at() &&
                        before.backup().asked_at() == run.asked_at() &&
                        before.backup().generation() == run.generation();
  if (is_known) return std::nullopt;
  const auto took = FromProto(run.ended_at()) - FromProto(run.asked_at());
  return MakeEvent(v1::Event::BACKUP_RAN, "",
                   absl::StrCat("before generation ", run.generation(), ": it ",
                                run.went_well() ? "went well" : "failed", " after ",
                                FormatSpan(took), run.text().empty() ? "" : ": ", run.text()),
                   now);
}

std::vector<v1::AuditEntry> RolloutAudits(const v1::PlanMemory& before,
                                          const v1::Decision& decision, Time now) {
  std::vector<v1::AuditEntry> entries;
  const v1::Rollout& was = before.rollout();
  const v1::Rollout& is = decision.remember().rollout();
  for (const v1::Rollout& rollout : decision.ended()) {
    // One that was given up ends with that; who is back since is only counted.
    if (IsSameOne(before.given_up(), rollout)) continue;
    entries.push_back(Entry(v1::AuditEntry::ROLLOUT_ENDED, rollout, EndedText(rollout), now));
  }
  if (is.generation() != 0 && !IsSameOne(was, is)) {
    entries.push_back(Entry(v1::AuditEntry::ROLLOUT_BEGUN, is, BegunText(is), now));
  }
  return entries;
}

}  // namespace connect_ha
