#include "agent/proof/mark_rounds.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/probes/connect/connect_config.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/test_ca.h"

namespace connect_ha {
namespace {

constexpr char kState[] = "/var/lib/connect-ha-agent";

class MarkRoundsTest : public testing::Test {
 protected:
  MarkRoundsTest() {
    spdlog::set_level(spdlog::level::off);
    host_.SetDirectory(kState);
    host_.SetFile(std::string(kState) + "/ca.crt", kTestCa);
    host_.SetFile("/proc/self/mountinfo",
                  "28 1 259:1 / / rw - ext4 /dev/root rw\n"
                  "50 28 0:52 / /mnt/connect rw - nfs4 10.0.1.5:/ rw,vers=4.1\n");
    host_.SetWork([this](char operation, const std::string&,
                         const std::string& request) -> absl::StatusOr<std::string> {
      EXPECT_EQ(operation, kMarkOperation);
      v1::MarkRequest wanted;
      EXPECT_TRUE(wanted.ParseFromString(request));
      if (!mark_ && wanted.has_mark()) mark_ = wanted.mark();
      if (!mark_) return absl::NotFoundError("no mark");
      return mark_->SerializeAsString();
    });
    v1::ClusterSpec& spec = *orders_->mutable_desired()->mutable_spec();
    spec.set_cluster("lab");
    spec.set_enforcement(v1::ENFORCE);
    spec.mutable_storage()->set_mount_point("/mnt/connect");
    ConnectConfig::Key key;
    key.section = "Server";
    key.name = "DataDir";
    key.values = {"/mnt/connect/data"};
    order_.node = "node-1";
    order_.config =
        std::make_shared<const ConnectConfig>(std::vector<ConnectConfig::Key>{std::move(key)});
  }
  v1::ClusterSpec& spec() { return *orders_->mutable_desired()->mutable_spec(); }

  FakeHost host_;
  ProbeCache cache_;
  v1::AgentConfig agent_config_;
  std::shared_ptr<v1::Assignment> orders_ = std::make_shared<v1::Assignment>();
  ProofOrder order_;
  std::optional<v1::ClusterMark> mark_;
  MarkRounds rounds_{{host_, cache_, agent_config_}, kState, [this] { return orders_; }};
};

TEST_F(MarkRoundsTest, AnObservedNodeMarksWhatItsOrdersEnforce) {
  EXPECT_TRUE(rounds_.Run(order_));
  ASSERT_TRUE(mark_);
  EXPECT_EQ(mark_->id(), kTestClusterId);
  EXPECT_EQ(cache_.mark.Get()->value().cluster(), "lab");
  EXPECT_FALSE(rounds_.Run(order_));  // nothing new
}

// Also where the specification names another one since a moment ago, which is mounted later.
TEST_F(MarkRoundsTest, AFileSystemThatTheSpecificationDoesNotNameIsNotMarked) {
  const auto mount = [this](const std::string& file_system) {
    host_.SetFile("/proc/self/mountinfo",
                  "28 1 259:1 / / rw - ext4 /dev/root rw\n50 28 0:52 / /mnt/connect rw - nfs4 " +
                      file_system + ".efs.us-east-1.amazonaws.com:/ rw,vers=4.1\n");
  };
  spec().mutable_storage()->mutable_efs()->set_file_system("fs-0123456789abcdef0");
  spec().mutable_storage()->mutable_efs()->set_region("us-east-1");
  mount("fs-00000000000000001");
  rounds_.Run(order_);
  EXPECT_FALSE(mark_);
  EXPECT_FALSE(host_.ReadFile(std::string(kState) + "/mark").ok());
  mount("fs-0123456789abcdef0");
  rounds_.Run(order_);
  EXPECT_TRUE(mark_);
  EXPECT_TRUE(host_.ReadFile(std::string(kState) + "/mark").ok());
}

// Of two names of NFS servers nothing tells whether they are of one.
TEST_F(MarkRoundsTest, AMoveToAnotherServerKnowsNoMarkBeforeThatIsMounted) {
  const auto mount = [this](const std::string& server) {
    host_.SetFile("/proc/self/mountinfo",
                  "28 1 259:1 / / rw - ext4 /dev/root rw\n50 28 0:52 / /mnt/connect rw - nfs4 " +
                      server + ":/ rw,vers=4.1\n");
  };
  spec().mutable_storage()->mutable_nfs()->set_server("new.example.com");
  mount("old.example.com");
  rounds_.Run(order_);
  EXPECT_FALSE(mark_);
  EXPECT_FALSE(host_.ReadFile(std::string(kState) + "/mark").ok());
  mount("new.example.com");
  rounds_.Run(order_);
  EXPECT_TRUE(mark_);
  EXPECT_TRUE(host_.ReadFile(std::string(kState) + "/mark").ok());
}

// Nothing tells where it leads; the preflight takes it for what is wanted, too.
TEST_F(MarkRoundsTest, ATunnelThatIsWantedByItsNameIsMarked) {
  spec().mutable_storage()->mutable_nfs()->set_server("127.0.0.1");
  host_.SetFile("/proc/self/mountinfo",
                "28 1 259:1 / / rw - ext4 /dev/root rw\n"
                "50 28 0:52 / /mnt/connect rw - nfs4 127.0.0.1:/ rw,vers=4.1,addr=127.0.0.1\n");
  rounds_.Run(order_);
  EXPECT_TRUE(mark_);
}

TEST_F(MarkRoundsTest, WithNothingToEnforceOrToProveNothingIsWritten) {
  spec().set_enforcement(v1::OBSERVE);
  EXPECT_FALSE(rounds_.Run(order_));
  EXPECT_FALSE(mark_);
  spec().mutable_prove()->set_storage(true);
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_TRUE(mark_);
}

TEST_F(MarkRoundsTest, ANodeThatWasRemovedOrHasNoMountPointMarksNothing) {
  orders_->set_removed(true);
  EXPECT_FALSE(WantsMark(*orders_));
  orders_->set_removed(false);
  EXPECT_TRUE(WantsMark(*orders_));
  spec().clear_storage();
  EXPECT_FALSE(WantsMark(*orders_));
}

TEST_F(MarkRoundsTest, WhatIsAnothersStaysAndIsReported) {
  mark_.emplace();
  mark_->set_cluster("other");
  mark_->set_id("0000000000000000");
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(cache_.mark.Get()->value().cluster(), "other");
  EXPECT_EQ(mark_->cluster(), "other");
  EXPECT_EQ(cache_.mark_fault.Get().value(),
            absl::StrCat("/mnt/connect/data is marked as cluster other (0000000000000000), this "
                         "node is of lab (",
                         kTestClusterId, ")"));
}

TEST_F(MarkRoundsTest, AMarkThatIsNoneIsReportedWithoutWhatToDo) {
  const std::string folder = "/mnt/connect/data/.connect-ha";
  const std::vector<std::pair<absl::Status, std::string>> troubles = {
      {absl::DataLossError(folder + "/cluster is no cluster's mark\nfix: look what it is"),
       folder + "/cluster is no cluster's mark"},
      {absl::FailedPreconditionError(folder + " is a link"), folder + " is a link"}};
  for (const auto& [status, told] : troubles) {
    const absl::StatusOr<std::string> answer = status;
    host_.SetWork([answer](char, const std::string&, const std::string&) { return answer; });
    EXPECT_TRUE(rounds_.Run(order_));
    EXPECT_EQ(cache_.mark_fault.Get(), told);
    EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(10));
  }
}

TEST_F(MarkRoundsTest, WhereNobodyAsksForItAnyMoreNothingIsReported) {
  mark_.emplace();
  mark_->set_cluster("other");
  mark_->set_id("0000000000000000");
  rounds_.Run(order_);
  EXPECT_NE(cache_.mark_fault.Get().value(), "");
  rounds_.Stop();
  EXPECT_EQ(cache_.mark_fault.Get().value(), "");
  EXPECT_FALSE(cache_.mark.Get());
  EXPECT_TRUE(mark_);
}

// It may be an empty file system by now, under a Connect that runs on.
TEST_F(MarkRoundsTest, AMarkThatGoesIsReportedUntilItIsBack) {
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(cache_.mark_fault.Get().value(), "");
  const std::optional<v1::ClusterMark> was = std::exchange(mark_, std::nullopt);
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_TRUE(absl::StrContains(cache_.mark_fault.Get().value(), "bears none now"));
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(10));
  EXPECT_FALSE(mark_);
  host_.SetWork([](char, const std::string&, const std::string&) -> absl::StatusOr<std::string> {
    return absl::DeadlineExceededError("has not answered");
  });
  EXPECT_TRUE(rounds_.Run(order_));  // it hangs: what was known of it stays
  EXPECT_TRUE(absl::StrContains(cache_.mark_fault.Get().value(), "bears none now"));
  mark_ = was;
  host_.SetWork(
      [this](char, const std::string&, const std::string&) -> absl::StatusOr<std::string> {
        return mark_->SerializeAsString();
      });
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(cache_.mark_fault.Get().value(), "");
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(60));
}

// As where it is damaged: the next start of Connect is refused.
TEST_F(MarkRoundsTest, AMarkThatCannotBeReadIsReportedAndLookedAtSoon) {
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(60));
  host_.SetWork([](char, const std::string&, const std::string&) -> absl::StatusOr<std::string> {
    return absl::DataLossError("is damaged");
  });
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(cache_.mark.Get()->status().message(), "is damaged");
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(10));
  spec().set_enforcement(v1::OBSERVE);  // nobody asks for it any more
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_TRUE(absl::IsNotFound(cache_.mark.Get()->status()));
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(60));
}

TEST_F(MarkRoundsTest, WhatItIsToBeComparedWithIsReportedWhereItCannotBeRead) {
  const std::string ca = std::string(kState) + "/ca.crt";
  host_.SetFile(ca, "no certificate");
  EXPECT_TRUE(rounds_.Run(order_));
  const absl::Status seen = cache_.mark.Get()->status();
  EXPECT_TRUE(absl::IsUnavailable(seen));
  EXPECT_TRUE(absl::StrContains(seen.message(), ca)) << seen;
  EXPECT_FALSE(absl::StrContains(seen.message(), "fix:")) << seen;
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(10));
  host_.SetFile(ca, kTestCa);
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_TRUE(cache_.mark.Get()->ok());
}

TEST_F(MarkRoundsTest, WhatCouldNotBeReadIsForgottenWithTheFileSystem) {
  host_.SetWork([](char, const std::string&, const std::string&) -> absl::StatusOr<std::string> {
    return absl::DeadlineExceededError("has not answered");
  });
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(10));
  host_.SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/root rw\n");
  EXPECT_TRUE(rounds_.Run(order_));
  EXPECT_TRUE(absl::IsNotFound(cache_.mark.Get()->status()));
  EXPECT_EQ(rounds_.Pace(), std::chrono::seconds(60));
}

TEST_F(MarkRoundsTest, WithoutAConfigurationThereIsNoPlace) {
  order_.config = nullptr;
  EXPECT_FALSE(rounds_.Run(order_));
  EXPECT_FALSE(mark_);
}

}  // namespace
}  // namespace connect_ha
