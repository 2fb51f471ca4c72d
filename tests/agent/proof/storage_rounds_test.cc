#include "agent/proof/storage_rounds.h"

#include <gtest/gtest.h>

#include "agent/host/processes/shared_reader_wire.h"
#include "agent/probes/storage/storage_rounds.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kMounts[] = R"(28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
50 28 0:52 / /mnt/share rw,relatime - nfs4 fs-1.efs.us-east-1.amazonaws.com:/ rw,hard
51 28 0:53 / /mnt/other rw,relatime - nfs4 fs-2.efs.us-east-1.amazonaws.com:/ rw,hard
)";

class StorageRoundsTest : public testing::Test {
 protected:
  StorageRoundsTest() : rounds_({*bench_.host, bench_.cache, bench_.agent_config}) {
    bench_.host->SetFile("/proc/self/mountinfo", kMounts);
    bench_.Configure({{"Server.DataDir", "/mnt/share/connect"},
                      {"Server.LandingDir", "/mnt/share/landing"},
                      {"Metrics.DataPath", "/mnt/other/rrd"}});
    bench_.host->SetWork(
        [this](char operation, const std::string& directory, const std::string& bytes) {
          return Answer(operation, directory, bytes);
        });
    order_.storage = true;
    order_.node = "node-1";
    order_.config = bench_.config;
  }

  absl::StatusOr<std::string> Answer(char operation, const std::string& directory,
                                     const std::string& bytes) {
    EXPECT_EQ(operation, kRoundOperation);
    EXPECT_TRUE(request_.ParseFromString(bytes));
    asked_.push_back(directory);
    if (!error_.ok()) return error_;
    v1::StorageRound round;
    round.set_directory(directory + "/.connect-ha");
    v1::StorageStep& step = *round.add_steps();
    step.set_name(v1::StorageStep::WRITE);
    step.set_passed(true);
    step.set_duration_us(std::chrono::microseconds(takes_).count());
    return round.SerializeAsString();
  }

  v1::Facts Facts() { return bench_.Run(ReadStorageRounds, "storage.rounds"); }
  v1::StorageRound Round() {
    const v1::Facts facts = Facts();
    EXPECT_EQ(facts.unobserved_size(), 0);
    EXPECT_EQ(facts.storage().rounds_size(), 1);
    return facts.storage().rounds_size() == 1 ? facts.storage().rounds(0) : v1::StorageRound();
  }

  ProbeBench bench_;
  StorageRounds rounds_;
  ProofOrder order_;
  v1::StorageRoundRequest request_;
  std::vector<std::string> asked_;
  absl::Status error_;
  milliseconds takes_{3};
};

TEST_F(StorageRoundsTest, WorkOnceOnEachMountThatIsShared) {
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(asked_, std::vector<std::string>{"/mnt/share/connect"});
  EXPECT_EQ(request_.node(), "node-1");
  EXPECT_EQ(request_.device(), "0:52");
  const v1::StorageRound round = Round();
  EXPECT_EQ(round.mount_point(), "/mnt/share");
  EXPECT_EQ(round.directory(), "/mnt/share/connect/.connect-ha");
  EXPECT_EQ(round.pace(), v1::StorageRound::PROMPT);
}

TEST_F(StorageRoundsTest, AreMadeNowhereUnlessAskedFor) {
  order_.storage = false;
  rounds_.Run(order_);
  order_.storage = true;
  order_.config = nullptr;
  rounds_.Run(order_);
  EXPECT_TRUE(asked_.empty());
  EXPECT_FALSE(Facts().has_storage());
}

TEST_F(StorageRoundsTest, AreNewsOnlyWhenMoreThanADurationIsOther) {
  EXPECT_TRUE(rounds_.Run(order_));
  takes_ = milliseconds(40);
  EXPECT_FALSE(rounds_.Run(order_));
  EXPECT_EQ(Round().steps(0).duration_us(), 40'000);
  takes_ = seconds(5);
  EXPECT_TRUE(rounds_.Run(order_));
}

TEST_F(StorageRoundsTest, ThatTakeFiveSecondsAreSlow) {
  takes_ = milliseconds(4'999);
  rounds_.Run(order_);
  EXPECT_EQ(Round().pace(), v1::StorageRound::PROMPT);
  takes_ = seconds(5);
  rounds_.Run(order_);
  EXPECT_EQ(Round().pace(), v1::StorageRound::SLOW);
}

TEST_F(StorageRoundsTest, ThatDoNotComeBackHangSinceTheFirst) {
  rounds_.Run(order_);
  EXPECT_EQ(rounds_.Pace(), seconds(60));
  const Time began = bench_.host->Now();
  error_ = absl::DeadlineExceededError("has not answered");
  EXPECT_TRUE(rounds_.Run(order_));
  bench_.host->Advance(seconds(90));
  EXPECT_FALSE(rounds_.Run(order_));
  v1::StorageRound round = Round();
  EXPECT_EQ(round.pace(), v1::StorageRound::HUNG);
  EXPECT_EQ(FromProto(round.hung_since()), began);
  EXPECT_EQ(round.steps_size(), 1) << "of the last that came back";
  EXPECT_EQ(rounds_.Pace(), seconds(10));

  error_ = absl::OkStatus();
  EXPECT_TRUE(rounds_.Run(order_));
  round = Round();
  EXPECT_EQ(round.pace(), v1::StorageRound::PROMPT);
  EXPECT_FALSE(round.has_hung_since());
  EXPECT_EQ(rounds_.Pace(), seconds(60));
}

TEST_F(StorageRoundsTest, ThatCannotBeMadeAreUnobserved) {
  rounds_.Run(order_);
  error_ = absl::AbortedError("what is mounted at /mnt/share/connect changed meanwhile");
  EXPECT_TRUE(rounds_.Run(order_));
  const v1::Facts facts = Facts();
  EXPECT_FALSE(facts.has_storage());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage.rounds");
  EXPECT_EQ(facts.unobserved(0).reason(), error_.message());
  EXPECT_FALSE(rounds_.Run(order_));
}

TEST_F(StorageRoundsTest, EndWithTheMount) {
  error_ = absl::DeadlineExceededError("has not answered");
  rounds_.Run(order_);
  bench_.host->SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/root rw\n");
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_FALSE(Facts().has_storage());
  EXPECT_EQ(rounds_.Pace(), seconds(60));
}

TEST_F(StorageRoundsTest, AreForgottenWhenNobodyAsksAnyMore) {
  rounds_.Run(order_);
  rounds_.Stop();
  EXPECT_FALSE(Facts().has_storage());
  EXPECT_TRUE(rounds_.Run(order_));
}

}  // namespace
}  // namespace connect_ha
