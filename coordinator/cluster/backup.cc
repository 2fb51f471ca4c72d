#include "coordinator/cluster/backup.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/log.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

constexpr seconds kDefaultDeadline{30 * 60};
// systemd may have seen nothing of it: the file was written while the run before ended.
constexpr seconds kAskAgain{20};
// From the request until it begins, and from its deadline until the result is there.
constexpr seconds kGrace{60};

seconds DeadlineOf(const v1::BackupRequest& request) {
  return std::clamp(seconds(request.deadline().seconds()), seconds(0), kLongestBackup);
}

v1::BackupRequest RequestFor(const v1::BackupRun& run, const v1::ClusterSpec& spec) {
  const v1::BackupSpec& backup = spec.database().backup_before_migration();
  v1::BackupRequest request;
  request.mutable_run()->set_generation(run.generation());
  *request.mutable_run()->mutable_asked_at() = run.asked_at();
  request.set_cluster(spec.cluster());
  request.set_version(spec.connect().version());
  request.set_command(backup.command());
  const int64_t whole = backup.deadline().seconds() + (backup.deadline().nanos() > 0 ? 1 : 0);
  request.mutable_deadline()->set_seconds(backup.has_deadline() ? whole : kDefaultDeadline.count());
  return request;
}

// What another account wrote, as it may be kept and shown.
v1::BackupRun Bounded(const v1::BackupRun& said) {
  constexpr size_t kMostText = 4096 + 256;
  v1::BackupRun run = said;
  run.set_text(ShortLines(said.text(), kMostText));
  return run;
}

}  // namespace

Backup::Backup(std::string room) : room_(std::move(room)) {}

void Backup::Ask(const v1::BackupRun& run, const v1::ClusterSpec& spec, Time now) {
  const bool is_new = !asked_ || !IsSameRun(asked_->run(), run);
  if (is_new) {
    asked_ = RequestFor(run, spec);
    waits_since_ = now;
    failed_.reset();
  }
  if (Latest(now)) return;
  // A clock that ran back is no reason to wait.
  const bool was_made = trouble_.empty() && now >= written_at_ && now - written_at_ < kAskAgain;
  if (!is_new && was_made) return;
  const absl::Status written = WriteBackupNote(BackupRequestFile(room_), *asked_);
  written_at_ = now;
  const std::string trouble(written.message());
  if (trouble != trouble_ && !written.ok()) {
    spdlog::error("event=BACKUP_NOT_ASKED_FOR generation={} error={}", run.generation(),
                  LogValue(trouble));
  }
  if (written.ok() && is_new) {
    spdlog::info("event=BACKUP_ASKED_FOR generation={} command={}", run.generation(),
                 LogValue(asked_->command()));
  }
  trouble_ = trouble;
}

std::optional<v1::BackupRun> Backup::Latest(Time now) {
  if (failed_) return failed_;
  // Looked at first: with the result it goes.
  const absl::StatusOr<v1::BackupRequest> began = ReadBackupRequest(BackupBeganFile(room_));
  const absl::StatusOr<v1::BackupRun> result = ReadBackupRun(BackupResultFile(room_));
  const bool has_ended = result.ok() && result->has_ended_at();
  if (!asked_) return has_ended ? std::make_optional(Bounded(*result)) : std::nullopt;
  if (has_ended && IsSameRun(*result, asked_->run())) return Bounded(*result);
  if (now < waits_since_ || (began.ok() && IsUnderWay(*began, now))) waits_since_ = now;
  const bool has_begun = began.ok() && IsSameRun(began->run(), asked_->run());
  const auto limit = has_begun ? DeadlineOf(*asked_) + kGrace : kGrace;
  if (now - waits_since_ <= limit) return std::nullopt;
  // Whoever sees it late is not to begin.
  static_cast<void>(RemoveFile(BackupRequestFile(room_)));
  failed_ = NeverRan(has_begun, now);
  return failed_;
}

// Another run than the one that was asked for, which has to wait for its end.
bool Backup::IsUnderWay(const v1::BackupRequest& began, Time now) const {
  return !IsSameRun(began.run(), asked_->run()) &&
         now - FromProto(began.began_at()) <= DeadlineOf(began) + kGrace;
}

v1::BackupRun Backup::NeverRan(bool has_begun, Time now) const {
  v1::BackupRun run = asked_->run();
  *run.mutable_ended_at() = ToProto(now);
  run.set_went_well(false);
  run.set_text(
      absl::StrCat(!trouble_.empty() ? trouble_
                   : has_begun       ? "nothing was heard of it"
                                     : "nothing has begun it within a minute",
                   "\nfix: systemctl status connect-ha-backup.path connect-ha-backup.service"));
  return run;
}

}  // namespace connect_ha
