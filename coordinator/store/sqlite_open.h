// Opens the SQLite file of a store for the one coordinator that may write to it, and counts its
// epoch up. See store.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/store/sqlite.h"

namespace connect_ha {

// The file PATH.lock, locked while this exists: SQLite's own locks are not held between
// transactions. The kernel gives it back when the process ends, however it ends. The file also
// remembers the greatest epoch that was given on this machine, which a copy of the store that is
// put back does not know.
class StoreLock {
 public:
  // Unavailable: another process holds it.
  static absl::StatusOr<std::unique_ptr<StoreLock>> Take(const std::string& store_path);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

  uint64_t GreatestEpoch() const;  // 0: the file is new, or says nothing
  absl::Status Remember(uint64_t epoch);

 private:
  StoreLock(std::string path, int file);

  const std::string path_;
  const int file_;
};

struct OpenedStore {
  std::unique_ptr<StoreLock> lock;  // let go of when both connections are closed
  std::unique_ptr<Database> writer;
  std::unique_ptr<Database> reader;
  uint64_t epoch = 0;
  std::string lineage;
};

// Makes the file (0600) or brings its schema up to date. The epoch is above that of every opening
// before, and not below the microseconds since 1970 at `now`, so that two copies of one store, or
// one that was put back, do not give one twice. It is on disk before this returns.
absl::StatusOr<OpenedStore> OpenStore(const std::string& path, Time now);

// Of the latest opening, whoever's.
absl::StatusOr<uint64_t> LatestEpoch(Database& database);

}  // namespace connect_ha
