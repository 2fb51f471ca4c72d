#include "coordinator/backup/backup_runner.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/connect/connect_redaction.h"
#include "common/file.h"
#include "common/spec/config_checker.h"
#include "common/text/short_text.h"
#include "common/tls/identity.h"
#include "common/version.h"
#include "coordinator/backup/timed_command.h"

namespace connect_ha {
namespace {

constexpr size_t kMostOutput = 4096;

std::string Errno() { return std::generic_category().message(errno); }

// One process at a time; the lock goes with the process.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) {}
  ~Lock() {
    if (fd_ >= 0) close(fd_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // False: another one has it.
  absl::StatusOr<bool> Take() const {
    if (fd_ >= 0 && flock(fd_, LOCK_EX | LOCK_NB) == 0) return true;
    if (fd_ >= 0 && errno == EWOULDBLOCK) return false;
    return absl::UnavailableError(
        absl::StrCat("cannot lock what is left for the coordinator: ", Errno(),
                     "\nfix: systemd-tmpfiles --create connect-ha.conf"));
  }

 private:
  const int fd_;
};

// In a directory that is everybody's, but for what others own there, an entry of ours stays ours.
bool OnlyOwnerWrites(const struct stat& status, uint32_t owner) {
  const bool is_owners = status.st_uid == owner || status.st_uid == 0;
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
  return is_owners && (!others_write || is_sticky);
}

absl::Status OthersWrite(const std::string& path) {
  return absl::PermissionDeniedError(absl::StrCat(
      path, " is not root's alone to write\nfix: chown root ", path, " && chmod go-w ", path));
}

// From the root down to it.
absl::StatusOr<std::string> SafeDirectory(const std::string& directory, uint32_t owner) {
  char* const resolved = realpath(directory.c_str(), nullptr);
  if (resolved == nullptr) {
    return absl::NotFoundError(absl::StrCat("cannot find ", directory, ": ", Errno(),
                                            "\nfix: install -d -m 0755 ", directory));
  }
  const std::string path = resolved;
  std::free(resolved);
  for (size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string above = path.substr(0, end);
    struct stat status {};
    if (lstat(above.c_str(), &status) != 0 || !OnlyOwnerWrites(status, owner)) {
      return OthersWrite(above);
    }
  }
  return path;
}

absl::Status CheckRequest(const v1::BackupRequest& request) {
  const bool is_whole = request.run().generation() > 0 && request.run().has_asked_at() &&
                        CheckName("name", request.cluster()).ok() &&
                        (request.version().empty() || LooksLikeVersion(request.version()));
  if (is_whole) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "what is asked for is no backup\nfix: systemctl restart connect-ha-coordinator");
}

std::vector<std::string> EnvironmentFor(const BackupRunnerOptions& options,
                                        const v1::BackupRequest& request) {
  std::vector<std::string> environment;
  for (const std::string& variable : options.environment) {
    if (!absl::StartsWith(variable, "CONNECT_HA_")) environment.push_back(variable);
  }
  environment.push_back(absl::StrCat("CONNECT_HA_CLUSTER=", request.cluster()));
  environment.push_back(absl::StrCat("CONNECT_HA_GENERATION=", request.run().generation()));
  environment.push_back(absl::StrCat("CONNECT_HA_VERSION=", request.version()));
  return environment;
}

// The last lines that it wrote, as they may be kept: of one that was cut off nothing is left, since
// the middle of a secret looks like none.
std::string LastLines(std::string output) {
  if (output.size() == kMostOutput) {
    const size_t cut = output.find('\n');
    output.erase(0, cut == std::string::npos ? cut : cut + 1);
  }
  std::vector<std::string> lines = absl::StrSplit(output, '\n', absl::SkipEmpty());
  for (std::string& line : lines) line = RedactPasswords(line).text;
  return ShortLines(absl::StrJoin(lines, "\n"), kMostOutput);
}

// "nightly ended with status 3 after 4s", and what it wrote last.
std::string HowItEnded(const std::string& command, const CommandEnd& end,
                       std::chrono::microseconds took, std::chrono::seconds deadline) {
  std::string text;
  if (end.timed_out) {
    text = absl::StrCat(command, " was killed: it had not ended after ", FormatSpan(deadline),
                        " (database.backup_before_migration.deadline)");
  } else if (end.exit_code != 0) {
    text = absl::StrCat(command, " ended with status ", end.exit_code, " after ", FormatSpan(took));
  } else {
    text = absl::StrCat(command, " took ", FormatSpan(took));
  }
  const std::string last = LastLines(end.output);
  return last.empty() ? text : absl::StrCat(text, "\n", last);
}

v1::BackupRun Ended(const v1::BackupRequest& request, bool went_well, const std::string& text,
                    Time now) {
  v1::BackupRun run;
  run.set_generation(request.run().generation());
  *run.mutable_asked_at() = request.run().asked_at();
  *run.mutable_ended_at() = ToProto(now);
  run.set_went_well(went_well);
  run.set_text(text);
  return run;
}

v1::BackupRun Run(const BackupRunnerOptions& options, const v1::BackupRequest& request) {
  absl::StatusOr<std::string> path = FindBackupCommand(options, request.command());
  if (!path.ok()) {
    return Ended(request, false, std::string(path.status().message()), options.now());
  }
  const auto deadline = std::clamp(std::chrono::seconds(request.deadline().seconds()),
                                   std::chrono::seconds(1), kLongestBackup);
  TimedCommand command;
  command.path = *std::move(path);
  command.environment = EnvironmentFor(options, request);
  command.deadline = deadline;
  command.keep_bytes = kMostOutput;
  const auto began = std::chrono::steady_clock::now();
  const absl::StatusOr<CommandEnd> end = RunTimed(command);
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - began);
  if (!end.ok()) {
    return Ended(request, false,
                 absl::StrCat(end.status().message(),
                              "\nfix: its first line names what runs it, as #!/bin/sh"),
                 options.now());
  }
  return Ended(request, !end->timed_out && end->exit_code == 0,
               HowItEnded(request.command(), *end, took, deadline), options.now());
}

// Whether it began before and left no result.
bool WasEnded(const BackupRunnerOptions& options, const v1::BackupRequest& request) {
  const absl::StatusOr<v1::BackupRequest> began = ReadBackupRequest(BackupBeganFile(options.room));
  return began.ok() && IsSameRun(began->run(), request.run());
}

// nullopt: it has its result.
absl::StatusOr<std::optional<v1::BackupRun>> RunOnce(const BackupRunnerOptions& options,
                                                     v1::BackupRequest request) {
  const absl::StatusOr<v1::BackupRun> result = ReadBackupRun(BackupResultFile(options.room));
  if (result.ok() && IsSameRun(*result, request.run())) return std::nullopt;
  v1::BackupRun run;
  if (WasEnded(options, request)) {
    run = Ended(request, false,
                absl::StrCat(request.command(),
                             " was ended before it had come to an end\nfix: journalctl -u "
                             "connect-ha-backup says by whom"),
                options.now());
  } else {
    *request.mutable_began_at() = ToProto(options.now());
    absl::Status noted = WriteBackupNote(BackupBeganFile(options.room), request);
    if (!noted.ok()) return noted;
    run = Run(options, request);
  }
  absl::Status left = WriteBackupNote(BackupResultFile(options.room), run);
  if (!left.ok()) return left;
  static_cast<void>(RemoveFile(BackupBeganFile(options.room)));
  return run;
}

}  // namespace

absl::StatusOr<std::string> FindBackupCommand(const BackupRunnerOptions& options,
                                              const std::string& name) {
  if (!IsFileName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", ShortText(name, kNameBytes),
        "\" is no file's name\nfix: database.backup_before_migration.command is the name of a file "
        "in ",
        options.commands));
  }
  const absl::StatusOr<std::string> directory = SafeDirectory(options.commands, options.owner);
  if (!directory.ok()) return directory.status();
  const std::string path = absl::StrCat(*directory, "/", name);
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    return absl::NotFoundError(
        absl::StrCat("cannot find ", path, ": ", Errno(), "\nfix: put the program there, as root"));
  }
  if (!S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is no regular file\nfix: put the program itself there, as root"));
  }
  if (!OnlyOwnerWrites(status, options.owner)) return OthersWrite(path);
  if (access(path.c_str(), X_OK) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, " may not be run by connect-ha-backup: ", Errno(), "\nfix: chmod 0755 ", path));
  }
  return path;
}

absl::StatusOr<std::optional<v1::BackupRun>> RunBackup(const BackupRunnerOptions& options) {
  const Lock lock(options.room + "/result/lock");
  const absl::StatusOr<bool> taken = lock.Take();
  if (!taken.ok()) return taken.status();
  std::optional<v1::BackupRun> last;
  if (!*taken) return last;
  while (true) {
    const absl::StatusOr<v1::BackupRequest> request =
        ReadBackupRequest(BackupRequestFile(options.room));
    if (absl::IsNotFound(request.status())) return last;
    if (!request.ok()) return request.status();
    if (absl::Status right = CheckRequest(*request); !right.ok()) return right;
    absl::StatusOr<std::optional<v1::BackupRun>> run = RunOnce(options, *request);
    if (!run.ok()) return run.status();
    if (!run->has_value()) return last;
    last = *std::move(run);
  }
}

}  // namespace connect_ha
