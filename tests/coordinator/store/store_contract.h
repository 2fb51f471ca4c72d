// What every Store does. A store's test instantiates the suite with how to open one:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(StoreUnderTest{...}));
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "coordinator/store/store.h"

namespace connect_ha {

struct StoreUnderTest {
  // Opens the store of this name; a second call after the first one's store was destroyed opens
  // the same one again.
  std::function<std::unique_ptr<Store>(const std::string& name)> open;
  // Opens it though another has it open, as one may on another host, or without its lock.
  std::function<std::unique_ptr<Store>(const std::string& name)> take_over;
  // Destroys what open() made under this name.
  std::function<void(const std::string& name)> erase;
};

class StoreContract : public testing::TestWithParam<StoreUnderTest> {
 protected:
  void SetUp() override { Reopen(); }
  void TearDown() override {
    store_.reset();
    GetParam().erase(Name());
  }
  // As a restart of the coordinator would.
  void Reopen() {
    store_.reset();
    store_ = GetParam().open(Name());
    ASSERT_NE(store_, nullptr);
  }
  static std::string Name();

  std::unique_ptr<Store> store_;
};

}  // namespace connect_ha
