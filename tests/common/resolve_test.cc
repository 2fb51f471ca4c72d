#include "common/resolve.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Addresses = absl::StatusOr<std::vector<std::string>>;

std::atomic<bool> silent{false};
std::atomic<int> asked{0};

// A resolver whose servers do not answer while `silent` is set.
Addresses LookUp(const std::string&) {
  ++asked;
  while (silent) std::this_thread::sleep_for(milliseconds(1));
  return std::vector<std::string>{"192.0.2.1"};
}

class ResolveTest : public testing::Test {
 protected:
  ResolveTest() {
    silent = true;
    asked = 0;
  }
  // What is under way is shared by the whole process: each test leaves nothing behind.
  ~ResolveTest() override {
    silent = false;
    for (int i = 0; i < kNames; ++i) {
      EXPECT_TRUE(ResolveHostWith(LookUp, Name(i), seconds(30)).ok());
    }
  }
  static std::string Name(int i) { return "name-" + std::to_string(i); }
  static constexpr int kNames = 9;
};

TEST_F(ResolveTest, IsGivenUpAtTheDeadline) {
  const auto began = std::chrono::steady_clock::now();
  const Addresses addresses = ResolveHostWith(LookUp, Name(0), milliseconds(20));
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(20));
  EXPECT_EQ(addresses.status(),
            absl::DeadlineExceededError("could not resolve \"name-0\": no answer in 20 ms"));
}

TEST_F(ResolveTest, OneNameIsAskedForOnceHoweverManyWait) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(ResolveHostWith(LookUp, Name(0), milliseconds(1)).ok());
  }
  silent = false;
  EXPECT_TRUE(ResolveHostWith(LookUp, Name(0), seconds(30)).ok());
  EXPECT_LE(asked, 2);  // and once more where the first had just ended
}

TEST_F(ResolveTest, LookUpsThatDoNotEndAreBounded) {
  for (int i = 0; i < kNames - 1; ++i) {
    EXPECT_TRUE(
        absl::IsDeadlineExceeded(ResolveHostWith(LookUp, Name(i), milliseconds(1)).status()));
  }
  const Addresses one_more = ResolveHostWith(LookUp, Name(kNames - 1), milliseconds(1));
  EXPECT_EQ(one_more.status(), absl::UnavailableError("could not resolve \"name-8\": 8 earlier "
                                                      "look-ups have not ended"));
  silent = false;
  for (int i = 0; i < kNames - 1; ++i) {
    EXPECT_TRUE(ResolveHostWith(LookUp, Name(i), seconds(30)).ok());
  }
}

TEST(ResolveHost, AnAddressIsItsOwn) {
  const Addresses addresses = ResolveHost("127.0.0.1", seconds(5));
  ASSERT_TRUE(addresses.ok());
  EXPECT_EQ(*addresses, std::vector<std::string>{"127.0.0.1"});
}

}  // namespace
}  // namespace connect_ha
