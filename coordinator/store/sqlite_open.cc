#include "coordinator/store/sqlite_open.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/text/shell_word.h"
#include "coordinator/store/schema.h"

namespace connect_ha {
namespace {

// A coordinator that waits longer than this for a lock says so instead.
constexpr int kBusyTimeoutMs = 2000;
// Epochs are microseconds: what is above the year 100,000 is no epoch.
constexpr uint64_t kNoEpoch = uint64_t{1} << 62;

absl::Status CannotMake(const std::string& path) {
  return absl::PermissionDeniedError(absl::StrCat("store ", path, ": ", std::strerror(errno),
                                                  "\nfix: check the directory's owner and mode"));
}

absl::Status MakeItsOwnersOnly(const std::string& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) return errno == ENOENT ? absl::OkStatus() : CannotMake(path);
  if ((file.st_mode & 0777) == 0600 || chmod(path.c_str(), 0600) == 0) return absl::OkStatus();
  return CannotMake(path);
}

// A file that is there, such as a copy that was put back, is not opened here: closing it again
// would take from this process the locks that SQLite holds on it.
absl::Status CreatePrivately(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return absl::OkStatus();
  }
  if (errno != EEXIST) return CannotMake(path);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const absl::Status made = MakeItsOwnersOnly(path + suffix);
    if (!made.ok()) return made;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> OpenWriter(const std::string& path, Time now) {
  const absl::Status created = CreatePrivately(path);
  if (!created.ok()) return created;
  auto database = Database::Open(path, kBusyTimeoutMs);
  if (!database.ok()) return database.status();
  absl::Status status = (*database)->Execute(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000;"
      "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY;");
  if (status.ok()) status = MigrateSchema(**database, now);
  if (!status.ok()) return status;
  return database;
}

absl::StatusOr<uint64_t> CountUp(Database& database, StoreLock& lock, Time now) {
  const auto latest = LatestEpoch(database);
  if (!latest.ok()) return latest.status();
  const int64_t clock = std::max<int64_t>(now.time_since_epoch().count(), 0);
  const uint64_t epoch =
      std::max({*latest + 1, lock.GreatestEpoch() + 1, static_cast<uint64_t>(clock)});
  absl::Status status = lock.Remember(epoch);
  if (status.ok()) {
    status =
        database.Prepare("UPDATE opening SET epoch = ?").Bind(static_cast<int64_t>(epoch)).Run();
  }
  if (!status.ok()) return status;
  return epoch;
}

absl::StatusOr<uint64_t> TakeEpoch(Database& database, StoreLock& lock, Time now) {
  absl::Status status = database.Execute("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  const auto epoch = CountUp(database, lock, now);
  status = epoch.ok() ? database.Execute("COMMIT") : epoch.status();
  if (status.ok()) return epoch;
  if (database.in_transaction()) database.Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::StatusOr<std::string> ReadLineage(Database& database) {
  Statement statement = database.Prepare("SELECT lineage FROM opening");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  return std::string(*row ? statement.Blob(0) : "");
}

}  // namespace

StoreLock::StoreLock(std::string path, int file) : path_(std::move(path)), file_(file) {}

StoreLock::~StoreLock() { close(file_); }

absl::StatusOr<std::unique_ptr<StoreLock>> StoreLock::Take(const std::string& store_path) {
  const std::string path = store_path + ".lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("store ", store_path, ": ", path, ": ", std::strerror(errno),
                     "\nfix: run \"connect-ha init\" first, as the coordinator's user"));
  }
  std::unique_ptr<StoreLock> lock(new StoreLock(path, file));
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
  return absl::UnavailableError(
      absl::StrCat("store ", store_path, ": another coordinator has it open\nfix: end it (fuser ",
                   ShellOperand(path), "), or use another --dir"));
}

uint64_t StoreLock::GreatestEpoch() const {
  char text[32];
  const ssize_t size = pread(file_, text, sizeof text, 0);
  uint64_t epoch = 0;
  if (size <= 0 || !absl::SimpleAtoi(absl::string_view(text, static_cast<size_t>(size)), &epoch)) {
    return 0;
  }
  return epoch < kNoEpoch ? epoch : 0;
}

absl::Status StoreLock::Remember(uint64_t epoch) {
  const std::string text = absl::StrCat(absl::Dec(epoch, absl::kZeroPad20), "\n");
  const auto size = static_cast<ssize_t>(text.size());
  errno = ENOSPC;  // where it writes a part only
  const bool written = pwrite(file_, text.data(), text.size(), 0) == size &&
                       ftruncate(file_, size) == 0 && fdatasync(file_) == 0;
  if (written) return absl::OkStatus();
  const int error = errno;
  const std::string message = absl::StrCat("store: ", path_, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return absl::ResourceExhaustedError(
        absl::StrCat(message, "\nfix: make room (df ", ShellOperand(path_), ")"));
  }
  return absl::InternalError(absl::StrCat(message, "\nfix: check the disk (dmesg)"));
}

absl::StatusOr<uint64_t> LatestEpoch(Database& database) {
  Statement statement = database.Prepare("SELECT epoch FROM opening");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::DataLossError("store: its epoch is gone\nfix: restore a copy of the store");
  }
  return static_cast<uint64_t>(statement.Integer(0));
}

absl::StatusOr<OpenedStore> OpenStore(const std::string& path, Time now) {
  OpenedStore opened;
  auto lock = StoreLock::Take(path);
  if (!lock.ok()) return lock.status();
  opened.lock = *std::move(lock);
  auto writer = OpenWriter(path, now);
  if (!writer.ok()) return writer.status();
  opened.writer = *std::move(writer);
  auto reader = Database::Open(path, kBusyTimeoutMs);
  if (!reader.ok()) return reader.status();
  opened.reader = *std::move(reader);
  const auto epoch = TakeEpoch(*opened.writer, *opened.lock, now);
  if (!epoch.ok()) return epoch.status();
  opened.epoch = *epoch;
  auto lineage = ReadLineage(*opened.writer);
  if (!lineage.ok()) return lineage.status();
  opened.lineage = *std::move(lineage);
  return opened;
}

}  // namespace connect_ha
