#include "tests/coordinator/store/sqlite_stores.h"

#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace connect_ha {

std::string PathOf(const std::string& name) { return testing::TempDir() + name + ".db"; }

std::unique_ptr<Store> OpenSqlite(const std::string& name) {
  auto store = SqliteStore::Open(PathOf(name));
  EXPECT_TRUE(store.ok()) << store.status();
  if (!store.ok()) return nullptr;
  return *std::move(store);
}

std::unique_ptr<Store> OpenSqliteWithoutItsLock(const std::string& name) {
  unlink((PathOf(name) + ".lock").c_str());
  return OpenSqlite(name);
}

void EraseSqlite(const std::string& name) {
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    unlink((PathOf(name) + suffix).c_str());
  }
}

SqliteStoreTest::SqliteStoreTest()
    : name_(absl::StrCat("sqlite_", getpid(), "_",
                         testing::UnitTest::GetInstance()->current_test_info()->name())),
      path_(PathOf(name_)) {}

void SqliteStoreTest::PutBack(const std::string& copy) {
  unlink((path_ + "-wal").c_str());
  unlink((path_ + "-shm").c_str());
  std::filesystem::copy_file(copy, path_ + ".new",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::rename(path_ + ".new", path_);
}

}  // namespace connect_ha
