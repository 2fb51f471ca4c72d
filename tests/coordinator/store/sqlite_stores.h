// SQLite stores in the tests' directory, by name.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "coordinator/store/sqlite_store.h"

namespace connect_ha {

std::string PathOf(const std::string& name);
// Null, and the test failed, where it does not open.
std::unique_ptr<Store> OpenSqlite(const std::string& name);
std::unique_ptr<Store> OpenSqliteWithoutItsLock(const std::string& name);
void EraseSqlite(const std::string& name);

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest();
  ~SqliteStoreTest() override { EraseSqlite(name_); }

  // As one puts a backup back: what belongs to the file that goes is taken away with it.
  void PutBack(const std::string& copy);

  const std::string name_;
  const std::string path_;
};

}  // namespace connect_ha
