#include "agent/proof/prover.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kLongEnough{30};

// What the rounds of a kind did; a test waits for it.
class Log {
 public:
  void Add(const std::string& what) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lines_.push_back(what);
    added_.notify_all();
  }
  // Everything so far, once there are `count` of it.
  std::vector<std::string> Await(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(added_.wait_for(lock, kLongEnough, [&] { return lines_.size() >= count; }));
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<std::string> lines_;
};

class Rounds : public ProofRounds {
 public:
  Rounds(Log& log, milliseconds pace) : log_(log), pace_(pace) {}
  milliseconds Pace() const override { return pace_; }
  bool Run(const ProofOrder& order) override {
    log_.Add("run " + order.challenge);
    return true;
  }
  void Stop() override { log_.Add("stop"); }

 private:
  Log& log_;
  const milliseconds pace_;
};

// Does not come back before the test lets it.
class HungRounds : public ProofRounds {
 public:
  explicit HungRounds(Log& log) : log_(log) {}
  milliseconds Pace() const override { return hours(1); }
  bool Run(const ProofOrder&) override {
    log_.Add("hangs");
    std::unique_lock<std::mutex> lock(mutex_);
    released_.wait(lock, [this] { return is_released_; });
    return false;
  }
  void Stop() override {}
  void Release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_released_ = true;
    released_.notify_all();
  }

 private:
  Log& log_;
  std::mutex mutex_;
  std::condition_variable released_;
  bool is_released_ = false;
};

std::shared_ptr<const ConnectConfig> AnyConfig() {
  return std::make_shared<const ConnectConfig>(std::vector<ConnectConfig::Key>());
}

ProofOrder Asking(const std::string& challenge) {
  ProofOrder order;
  order.storage = true;
  order.node = "node-1";
  order.challenge = challenge;
  return order;
}

class ProverTest : public testing::Test {
 protected:
  std::unique_ptr<Prover> Make(milliseconds pace, milliseconds least_gap = milliseconds(0)) {
    std::vector<Proof> proofs;
    proofs.push_back({std::make_unique<Rounds>(storage_, pace), &ProofOrder::storage});
    proofs.push_back({std::make_unique<Rounds>(database_, pace), &ProofOrder::database});
    return std::make_unique<Prover>(
        std::move(proofs), [this] { news_.Add("news"); }, least_gap);
  }

  Log storage_;
  Log database_;
  Log news_;
};

TEST_F(ProverTest, MakesTheRoundsThatAreAskedFor) {
  const auto prover = Make(hours(1));
  prover->SetConfig(AnyConfig());
  prover->SetOrder(Asking("a"));
  EXPECT_EQ(storage_.Await(1), std::vector<std::string>({"run a"}));
  news_.Await(1);
  ProofOrder both = Asking("a");
  both.database = true;
  prover->SetOrder(both);
  EXPECT_EQ(database_.Await(1), std::vector<std::string>({"run a"}));
}

TEST_F(ProverTest, DoesNothingWithoutAConfiguration) {
  {
    const auto prover = Make(milliseconds(1));
    prover->SetOrder(Asking("a"));
    EXPECT_TRUE(prover->Stop(kLongEnough));
  }
  EXPECT_TRUE(storage_.Await(0).empty());
}

TEST_F(ProverTest, GoesOnAtItsPace) {
  const auto prover = Make(milliseconds(1));
  prover->SetConfig(AnyConfig());
  prover->SetOrder(Asking("a"));
  EXPECT_EQ(storage_.Await(3)[2], "run a");
}

TEST_F(ProverTest, DoesNotWaitWhereAnotherChallengeComes) {
  const auto prover = Make(hours(1));
  prover->SetConfig(AnyConfig());
  prover->SetOrder(Asking("a"));
  storage_.Await(1);
  prover->SetOrder(Asking("b"));
  EXPECT_EQ(storage_.Await(2), std::vector<std::string>({"run a", "run b"}));
}

TEST_F(ProverTest, AnotherProofHurriesNoneThatIsUnderWay) {
  {
    const auto prover = Make(hours(1));
    prover->SetConfig(AnyConfig());
    prover->SetOrder(Asking("a"));
    storage_.Await(1);
    ProofOrder both = Asking("a");
    both.database = true;
    prover->SetOrder(both);
    database_.Await(1);
    EXPECT_TRUE(prover->Stop(kLongEnough));
  }
  EXPECT_EQ(storage_.Await(2), std::vector<std::string>({"run a", "stop"}));
}

// A coordinator that is taken over may bring another with each of its answers.
TEST_F(ProverTest, WaitsALittleHoweverManyChallengesCome) {
  {
    const auto prover = Make(hours(1), hours(1));
    prover->SetConfig(AnyConfig());
    prover->SetOrder(Asking("a"));
    news_.Await(1);  // the round has ended
    for (const char* challenge : {"b", "c"}) prover->SetOrder(Asking(challenge));
    EXPECT_TRUE(prover->Stop(kLongEnough));
  }
  EXPECT_EQ(storage_.Await(2), std::vector<std::string>({"run a", "stop"}));
}

// A kind that finds nothing to do is no reason to take a whole core.
TEST_F(ProverTest, WaitsTheLeastGapWhateverThePace) {
  {
    const auto prover = Make(milliseconds(0), hours(1));
    prover->SetConfig(AnyConfig());
    prover->SetOrder(Asking("a"));
    storage_.Await(1);
    std::this_thread::sleep_for(milliseconds(100));  // for many rounds, if there were any
    EXPECT_TRUE(prover->Stop(kLongEnough));
  }
  EXPECT_EQ(storage_.Await(2), std::vector<std::string>({"run a", "stop"}));
}

TEST_F(ProverTest, WaitsTheLeastGapAndNoLonger) {
  const auto prover = Make(hours(1), milliseconds(1));
  prover->SetConfig(AnyConfig());
  prover->SetOrder(Asking("a"));
  storage_.Await(1);
  prover->SetOrder(Asking("b"));
  EXPECT_EQ(storage_.Await(2)[1], "run b");
}

// As each answer of the coordinator brings it.
TEST_F(ProverTest, WaitsItsPaceUnderTheSameOrder) {
  {
    const auto prover = Make(hours(1));
    prover->SetConfig(AnyConfig());
    prover->SetOrder(Asking("a"));
    storage_.Await(1);
    ProofOrder again = Asking("a");
    again.forget = {"node-9"};
    prover->SetOrder(again);
    prover->SetConfig(AnyConfig());
    EXPECT_TRUE(prover->Stop(kLongEnough));
  }
  EXPECT_EQ(storage_.Await(2), std::vector<std::string>({"run a", "stop"}));
}

TEST_F(ProverTest, TakesBackWhatIsNotAskedForAnyMore) {
  const auto prover = Make(hours(1));
  prover->SetConfig(AnyConfig());
  prover->SetOrder(Asking("a"));
  storage_.Await(1);
  news_.Await(1);
  prover->SetOrder(ProofOrder());
  EXPECT_EQ(storage_.Await(2)[1], "stop");
  news_.Await(2);
  prover->SetOrder(Asking("a"));
  EXPECT_EQ(storage_.Await(3)[2], "run a");
}

TEST_F(ProverTest, TakesBackEverythingAtTheEnd) {
  {
    const auto prover = Make(hours(1));
    prover->SetConfig(AnyConfig());
    prover->SetOrder(Asking("a"));
    storage_.Await(1);
  }
  EXPECT_EQ(storage_.Await(2)[1], "stop");
  EXPECT_TRUE(database_.Await(0).empty());
}

TEST_F(ProverTest, WhatHangsHoldsUpNothingElse) {
  Log hung_log;
  auto hung = std::make_unique<HungRounds>(hung_log);
  HungRounds& hanging = *hung;
  std::vector<Proof> proofs;
  proofs.push_back({std::move(hung), &ProofOrder::storage});
  proofs.push_back({std::make_unique<Rounds>(storage_, milliseconds(1)), &ProofOrder::storage});
  Prover prover(std::move(proofs), nullptr, milliseconds(0));
  prover.SetConfig(AnyConfig());
  prover.SetOrder(Asking("a"));
  hung_log.Await(1);
  storage_.Await(5);
  EXPECT_FALSE(prover.Stop(milliseconds(1)));
  hanging.Release();
  EXPECT_TRUE(prover.Stop(kLongEnough));
}

TEST(SetProofs, ProvesWhatTheSpecificationAsksFor) {
  v1::Assignment orders;
  orders.mutable_desired()->mutable_spec()->mutable_prove()->set_storage(true);
  ProofOrder order;
  SetProofs(orders, v1::ALLOW_SERVE, order);
  EXPECT_TRUE(order.storage);
  EXPECT_FALSE(order.database);
  orders.mutable_desired()->mutable_spec()->mutable_prove()->set_database(true);
  SetProofs(orders, v1::ALLOW_INSTALL, order);
  EXPECT_TRUE(order.database);
}

TEST(SetProofs, KeepsTheMarkWhereItIsWantedAndMayBeWritten) {
  v1::Assignment orders;
  v1::ClusterSpec& spec = *orders.mutable_desired()->mutable_spec();
  spec.set_cluster("lab");
  spec.set_enforcement(v1::ENFORCE);
  ProofOrder order;
  SetProofs(orders, v1::ALLOW_SERVE, order);
  EXPECT_FALSE(order.mark);
  spec.mutable_storage()->set_mount_point("/mnt/connect");
  SetProofs(orders, v1::ALLOW_SERVE, order);
  EXPECT_TRUE(order.mark);
  SetProofs(orders, v1::ALLOW_OBSERVE, order);
  EXPECT_FALSE(order.mark);
}

// Each of them writes something where others see it.
TEST(SetProofs, ProvesNothingWhereOnlyLookingIsAllowed) {
  v1::Assignment orders;
  orders.mutable_desired()->mutable_spec()->mutable_prove()->set_storage(true);
  orders.mutable_desired()->mutable_spec()->mutable_prove()->set_database(true);
  ProofOrder order;
  order.storage = order.database = true;
  SetProofs(orders, v1::ALLOW_OBSERVE, order);
  EXPECT_FALSE(order.storage || order.database);
  SetProofs(orders, v1::ALLOW_SERVE, order);
  EXPECT_TRUE(order.storage && order.database);
  orders.set_removed(true);
  SetProofs(orders, v1::ALLOW_SERVE, order);
  EXPECT_FALSE(order.storage || order.database);
}

}  // namespace
}  // namespace connect_ha
