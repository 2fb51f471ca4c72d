// What keeps Connect from starting, and what does not.
#include "agent/preflight/preflight.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/held.h"
#include "agent/host/fd.h"
#include "agent/preflight/storage_look.h"
#include "agent/probes/connect/connect_config.h"
#include "common/connect/gcfg.h"
#include "tests/agent/preflight/guarded_node.h"

namespace connect_ha {
namespace {

// Hangs up on whoever connects, as a database that fails over.
class HangsUp {
 public:
  HangsUp() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_.get(), place, size), 0);
    EXPECT_EQ(listen(listener_.get(), 16), 0);
    EXPECT_EQ(getsockname(listener_.get(), place, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      while (true) {
        const Fd caller(accept(listener_.get(), nullptr, nullptr));
        if (!caller.ok()) return;
        ++calls_;
      }
    });
  }
  ~HangsUp() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  int port() const { return port_; }
  int calls() const { return calls_; }

 private:
  const Fd listener_;
  int port_ = 0;
  std::atomic<int> calls_{0};
  std::thread thread_;
};

class PreflightTest : public testing::Test {
 protected:
  // "mount: nothing is mounted at ..."; "" where Connect may start.
  std::string Refused() {
    const PreflightFinding finding = node_.Look();
    if (finding.passed() || !finding.enforced) return "";
    return absl::StrCat(finding.steps.back().what, ": ", finding.steps.back().status.message());
  }
  void ExpectRefused(const std::string& step, const std::string& words) {
    const std::string said = Refused();
    EXPECT_TRUE(absl::StartsWith(said, step + ": ")) << said;
    EXPECT_TRUE(absl::StrContains(said, words)) << said;
    EXPECT_TRUE(absl::StrContains(said, "fix: ")) << said;
  }

  GuardedNode node_;
};

TEST_F(PreflightTest, ARightNodeMayStart) {
  const PreflightFinding finding = node_.Look();
  EXPECT_TRUE(finding.passed()) << Refused();
  EXPECT_TRUE(finding.enforced);
  std::string looked_at;
  for (const PreflightStep& step : finding.steps) absl::StrAppend(&looked_at, step.what, " ");
  EXPECT_EQ(looked_at, "orders configuration mount answers directories mark database ");
}

TEST_F(PreflightTest, NothingIsChangedByALook) {
  node_.Look();
  const auto changes = node_.host->changes();
  // The mark is read by the process that works on the mount.
  EXPECT_EQ(std::vector<std::string>(changes.begin() + 1, changes.end()),
            std::vector<std::string>{"WorkOnStorage /mnt/connect/data"});
}

TEST_F(PreflightTest, ANodeWithoutOrdersIsOnlyWarned) {
  node_.host->Erase(std::string(kNodeState) + "/assignment");
  node_.SetMounts("");
  const PreflightFinding finding = node_.Look();
  EXPECT_FALSE(finding.enforced);
  EXPECT_EQ(finding.steps.size(), 1u);
  EXPECT_EQ(finding.steps[0].seen, "this node holds no specification yet: nothing is looked at");
}

// It was told once where the mark is.
TEST_F(PreflightTest, LostOrdersRefuse) {
  const std::string assignment = std::string(kNodeState) + "/assignment";
  const std::string mark = std::string(kNodeState) + "/mark";
  node_.host->Erase(assignment);
  node_.host->SetFile(mark, absl::StrCat(kTestClusterId, " fs-0123456789abcdef0:/ /mnt/connect\n"));
  ExpectRefused("orders", "/var/lib/connect-ha-agent/assignment is gone");
  ExpectRefused("orders", "fix: systemctl restart connect-ha-agent");
  node_.host->SetError(mark, absl::UnavailableError("input/output error"));
  ExpectRefused("orders", "input/output error");
  node_.options.agent_config.set_allow(v1::ALLOW_OBSERVE);
  EXPECT_EQ(Refused(), "");
}

// Its orders of before are set aside, and the coordinator has sent none yet.
TEST_F(PreflightTest, ANodeThatEnrolledAnewIsOnlyWarned) {
  node_.held.set_enrolment("token-1");
  node_.held.set_removed(true);
  node_.Hold();
  node_.host->SetFile(std::string(kNodeState) + "/mark",
                      absl::StrCat(kTestClusterId, " fs-0123456789abcdef0:/ /mnt/connect\n"));
  const auto set_aside =
      SetAsideOthers(*node_.host, kNodeState, {"lab", "machine-1", "token-2", "machine-1"});
  ASSERT_TRUE(set_aside.ok()) << set_aside.status();
  EXPECT_TRUE(*set_aside);
  node_.SetMounts("");
  EXPECT_EQ(Refused(), "");
  EXPECT_EQ(node_.Look().steps.back().seen,
            "this node holds no specification yet: nothing is looked at");
}

TEST_F(PreflightTest, ANodeThatWasRemovedIsOnlyWarned) {
  node_.held.set_removed(true);
  node_.Hold();
  node_.SetMounts("");
  EXPECT_EQ(Refused(), "");
}

// It was away, and perhaps declared gone, while they went on.
TEST_F(PreflightTest, WhatTheOthersHaveLeftTogetherDoesNotStart) {
  node_.held.mutable_desired()->set_lineage("L");
  node_.Hold();
  v1::GenerationMark& not_before = *node_.mark->mutable_not_before();
  not_before.set_generation(8);
  not_before.set_lineage("L");
  ExpectRefused("mark", "this node holds generation 7, and the others have gone on to 8 together");
  not_before.set_generation(7);
  EXPECT_EQ(Refused(), "");
  // Of a store that was made anew.
  not_before.set_generation(1);
  not_before.set_lineage("M");
  not_before.mutable_applied_at()->set_seconds(200);
  EXPECT_EQ(Refused(), "") << "which of both is later is not known";
  node_.held.mutable_desired()->mutable_applied_at()->set_seconds(100);
  node_.Hold();
  ExpectRefused("mark", "have gone on");
  node_.held.mutable_desired()->mutable_applied_at()->set_seconds(300);
  node_.Hold();
  EXPECT_EQ(Refused(), "");
}

TEST_F(PreflightTest, ANodeThatWasRemovedDoesNotStartWhatTheOthersHaveLeft) {
  node_.held.mutable_desired()->set_lineage("L");
  node_.held.set_removed(true);
  node_.Hold();
  EXPECT_EQ(Refused(), "");
  node_.mark->mutable_not_before()->set_generation(8);
  node_.mark->mutable_not_before()->set_lineage("L");
  ExpectRefused("orders", "the others have gone on to 8 together");
  node_.SetMounts("");
  EXPECT_EQ(Refused(), "") << "it has nothing to do with them";
  node_.SetMounts(
      "50 28 0:52 / /mnt/connect rw,relatime - nfs4 "
      "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/ rw,vers=4.1,hard\n");
  node_.mark->set_cluster("other");
  EXPECT_EQ(Refused(), "");
}

TEST_F(PreflightTest, WhereItIsNotEnforcedWhatIsWrongIsSaidAndConnectStarts) {
  node_.SetMounts("");
  node_.spec().set_enforcement(v1::OBSERVE);
  node_.Hold();
  const PreflightFinding observed = node_.Look();
  EXPECT_FALSE(observed.enforced);
  EXPECT_FALSE(observed.passed());
  node_.spec().set_enforcement(v1::ENFORCE);
  node_.Hold();
  node_.options.agent_config.set_allow(v1::ALLOW_OBSERVE);
  EXPECT_FALSE(node_.Look().enforced);
}

TEST_F(PreflightTest, DamagedOrdersRefuse) {
  for (const std::string& damaged : {std::string(), std::string("no assignment")}) {
    node_.host->SetFile(std::string(kNodeState) + "/assignment", damaged);
    ExpectRefused("orders", "is damaged");
  }
  node_.host->SetError(std::string(kNodeState) + "/assignment",
                       absl::UnavailableError("input/output error"));
  ExpectRefused("orders", "input/output error");
}

TEST_F(PreflightTest, ADamagedAuthorityRefuses) {
  node_.host->SetFile(std::string(kNodeState) + "/ca.crt", "");
  ExpectRefused("mark", "which cluster this node is of cannot be told");
  node_.host->Erase(std::string(kNodeState) + "/ca.crt");
  ExpectRefused("mark", "which cluster this node is of cannot be told");
}

TEST_F(PreflightTest, SettingsThatCannotBeGoneByRefuseWhereItIsEnforced) {
  node_.options.config_status =
      absl::InvalidArgumentError("agent.yaml:1:1: no\nfix: connect-ha-agent check-config");
  ExpectRefused("orders", "agent.yaml:1:1");
  node_.host->Erase(std::string(kNodeState) + "/assignment");
  EXPECT_EQ(Refused(), "");
}

TEST_F(PreflightTest, TheDiskOfAnotherMachineRefuses) {
  node_.host->SetFile("/etc/machine-id", "machine-2\n");
  ExpectRefused("orders", "the orders of another machine");
}

TEST_F(PreflightTest, StatesThatHoldConnectRefuse) {
  for (const v1::NodeState state : {v1::PREPARING, v1::READY, v1::STOPPED, v1::FENCED}) {
    node_.held.set_state(state);
    node_.Hold();
    ExpectRefused("orders", "");
  }
  // A Connect that runs has its node observed: what is enforced stands.
  node_.held.set_state(v1::OBSERVED);
  node_.Hold();
  EXPECT_EQ(Refused(), "");
  node_.SetMounts("");
  ExpectRefused("mount", "nothing is mounted at /mnt/connect");
}

// Where the agent may start nothing, a person does, once the node is prepared.
TEST_F(PreflightTest, AReadyNodeMayBeStartedByAPersonWhereTheAgentStartsNothing) {
  node_.held.set_state(v1::READY);
  node_.Hold();
  ExpectRefused("orders", "has not been told to serve");
  node_.options.agent_config.set_allow(v1::ALLOW_INSTALL);
  EXPECT_EQ(Refused(), "");
  node_.held.set_state(v1::PREPARING);
  node_.Hold();
  ExpectRefused("orders", "is being brought to generation 7");
  // What would start or stop Connect is not taken there.
  node_.held.set_state(v1::STOPPED);
  node_.Hold();
  EXPECT_EQ(Refused(), "");
}

TEST_F(PreflightTest, ANodeThatWasOffForLongDoesNotStartBeforeItIsTold) {
  const std::string alive = std::string(kNodeState) + "/alive";
  const auto seconds = [this](std::chrono::minutes ago) {
    const auto then = node_.host->Now() - ago;
    return std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(then.time_since_epoch()).count());
  };
  node_.host->SetFile(alive, seconds(std::chrono::minutes(29)));
  EXPECT_EQ(Refused(), "");
  node_.host->SetFile(alive, seconds(std::chrono::minutes(31)));
  ExpectRefused("orders", "was off since 2024-08-01T11:29:00Z");
  // Its boot starts what drained when it went off, too.
  node_.held.set_state(v1::DRAINING);
  node_.Hold();
  ExpectRefused("orders", "was off since 2024-08-01T11:29:00Z");
  node_.held.set_state(v1::SERVING);
  node_.Hold();
  node_.host->SetFile(alive, seconds(std::chrono::minutes(-31)));
  ExpectRefused("orders", "the clock has run back");
  node_.host->SetFile(alive, "none");
  ExpectRefused("orders", "for nobody knows how long");
  node_.host->Erase(alive);
  ExpectRefused("orders", "for nobody knows how long");
  // The coordinator has answered since the boot, and it is to serve.
  node_.host->SetFile(std::string(kRuntimeDirectory) + "/told", "");
  EXPECT_EQ(Refused(), "");
  // A node that is only observed was never told anything.
  node_.host->Erase(std::string(kRuntimeDirectory) + "/told");
  node_.held.set_state(v1::OBSERVED);
  node_.Hold();
  EXPECT_EQ(Refused(), "");
}

TEST_F(PreflightTest, WhatTheCoordinatorForbadeWhileTheDiskWasFullCounts) {
  v1::Assignment copy = node_.held;
  copy.set_state(v1::STOPPED);
  ASSERT_TRUE(node_.host->MakeDirectory(kRuntimeDirectory).ok());
  ASSERT_TRUE(StoreAssignment(*node_.host, kRuntimeDirectory, copy).ok());
  ExpectRefused("orders", "stopped Connect on this node");
}

TEST_F(PreflightTest, AConfigurationThatIsNoneRefuses) {
  node_.host->SetFile(kNodeConfig, "[Server\n");
  ExpectRefused("configuration", "cannot be read");
  node_.host->Erase(kNodeConfig);
  ExpectRefused("configuration", "cannot be read");
}

TEST_F(PreflightTest, AnEmptyMountPointRefuses) {
  node_.SetMounts("");
  ExpectRefused("mount",
                "nothing is mounted at /mnt/connect: Connect would write to the local disk");
}

TEST_F(PreflightTest, AnythingElseThatIsMountedRefuses) {
  node_.SetMounts("50 28 259:2 / /mnt/connect rw - ext4 /dev/nvme1n1 rw\n");
  ExpectRefused("mount", "a local ext4");
  node_.SetMounts("50 28 259:1 /srv/connect /mnt/connect rw - ext4 /dev/root rw\n");
  ExpectRefused("mount", "a local ext4");
  node_.SetMounts(
      "50 28 0:52 / /mnt/connect rw - nfs4 "
      "fs-0000000000000000f.efs.us-east-1.amazonaws.com:/ rw,vers=4.1\n");
  ExpectRefused("mount", "fs-0000000000000000f");
  node_.SetMounts(
      "50 28 0:52 / /mnt/connect rw - nfs4 "
      "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/ rw,vers=4.1\n"
      "51 50 259:1 /srv/connect /mnt/connect rw - ext4 /dev/root rw\n");
  ExpectRefused("mount", "mounted on one another");
  node_.SetMounts(
      "50 28 0:52 / /mnt/connect ro - nfs4 "
      "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/ rw,vers=4.1\n");
  ExpectRefused("answers", "read-only");
  // A hung mount is never to be mounted again: not a word of it.
  node_.host->SetError("/mnt/connect", absl::DeadlineExceededError("has not answered"));
  ExpectRefused("answers", "hangs");
}

TEST_F(PreflightTest, AnotherAccessPointRefuses) {
  node_.SetMounts("50 28 0:52 / /mnt/connect rw - nfs4 127.0.0.1:/ rw,vers=4.1,port=20049\n");
  const std::string state = "/run/efs/fs-0123456789abcdef0.mnt.connect.20049";
  node_.host->SetFile(state, R"({"certificate": "c.pem"})");
  EXPECT_EQ(Refused(), "");
  node_.host->SetFile(state, R"({"certificate": "c.pem", "accessPoint": "fsap-0f"})");
  ExpectRefused("mount", "it is mounted by access point fsap-0f, wanted none");
  node_.spec().mutable_storage()->mutable_efs()->set_access_point("fsap-0123456789abcdef0");
  node_.Hold();
  ExpectRefused("mount", "by access point fsap-0f, wanted fsap-0123456789abcdef0");
}

TEST_F(PreflightTest, AFileSystemOfTheNetworkIsNotLocalForHavingAnotherType) {
  node_.spec().mutable_storage()->clear_source();
  node_.Hold();
  for (const char* type : {"beegfs", "gpfs"}) {
    node_.SetMounts(absl::StrCat("50 28 0:52 / /mnt/connect rw - ", type, " shared rw\n"));
    EXPECT_EQ(Refused(), "") << type;
  }
}

TEST_F(PreflightTest, ALocalDirectoryOverTheDataDirectoryRefuses) {
  node_.SetMounts(
      "50 28 0:52 / /mnt/connect rw - nfs4 "
      "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/ rw,vers=4.1\n"
      "51 50 259:1 /srv/connect /mnt/connect/data rw - ext4 /dev/root rw\n");
  ExpectRefused("directories", "something else is mounted at /mnt/connect/data");
}

TEST_F(PreflightTest, AFileSystemThatHangsRefuses) {
  node_.host->SetError("/mnt/connect", absl::DeadlineExceededError("has not answered"));
  ExpectRefused("answers", "hangs");
}

TEST_F(PreflightTest, ADataDirectoryElsewhereOrMissingRefuses) {
  node_.host->SetFile(kNodeConfig, "[Server]\nDataDir = /var/lib/rstudio-connect\n");
  ExpectRefused("directories", "Server.DataDir is /var/lib/rstudio-connect");
  ExpectRefused("directories", "set Server.DataDir in Connect's configuration to its directory");
  node_.host->SetFile(kNodeConfig, "[Server]\nDataDir = /mnt/connect/new\n");
  ExpectRefused("directories", "there is no /mnt/connect/new");
}

TEST_F(PreflightTest, AnotherClustersFileSystemAndAnEmptyOneRefuse) {
  node_.mark->set_id("0000000000000000");
  ExpectRefused("mark", "another cluster's of the same name");
  node_.mark->set_cluster("other");
  ExpectRefused("mark", "is marked as cluster other");
  node_.mark.reset();
  ExpectRefused("mark", "bears no mark of cluster lab");
}

// It was never marked: Connect ran here before there were marks.
TEST_F(PreflightTest, OfANodeOnWhichConnectRanAFileSystemMayBearNoMarkYet) {
  node_.mark.reset();
  node_.held.set_state(v1::OBSERVED);
  node_.Hold();
  ExpectRefused("mark", "bears no mark of cluster lab");  // it is empty
  node_.host->SetDirectory("/mnt/connect/data/.connect-ha");
  ExpectRefused("mark", "bears no mark of cluster lab");
  node_.host->SetDirectory("/mnt/connect/data/apps");
  EXPECT_EQ(Refused(), "");
  node_.host->SetFile(std::string(kNodeState) + "/mark",
                      absl::StrCat(kTestClusterId, " fs-0123456789abcdef0:/ /mnt/connect/data\n"));
  ExpectRefused("mark", "bore the mark of cluster lab, and bears none now");
  ExpectRefused("mark", "rm /var/lib/connect-ha-agent/mark");  // the agent does not mark it again
}

TEST_F(PreflightTest, ADatabaseThatDoesNotLetConnectInRefuses) {
  node_.host->SetFile(
      kNodeConfig,
      "[Server]\nDataDir = /mnt/connect/data\n[Database]\nProvider = Postgres\n"
      "[Postgres]\nURL = \"postgres://connect@127.0.0.1:1/connect?sslmode=disable\"\n");
  ExpectRefused("database", "the database does not let Connect in: connect to 127.0.0.1:1");
  node_.host->SetFile(kNodeConfig,
                      "[Server]\nDataDir = /mnt/connect/data\n[Database]\nProvider = Postgres\n");
  ExpectRefused("database", "cannot be told");
}

TEST_F(PreflightTest, ADatabaseThatCannotBeReachedIsTriedForAWhile) {
  HangsUp database;
  node_.host->SetFile(kNodeConfig, absl::StrCat("[Server]\nDataDir = /mnt/connect/data\n"
                                                "[Database]\nProvider = Postgres\n"
                                                "[Postgres]\nURL = \"postgres://connect@127.0.0.1:",
                                                database.port(), "/connect?sslmode=disable\"\n"));
  ExpectRefused("database", "the database does not let Connect in: ");
  const int once = database.calls();
  EXPECT_GE(once, 1);
  node_.options.database_patience = std::chrono::seconds(2);
  node_.options.database_pause = std::chrono::milliseconds(100);
  ExpectRefused("database", "the database does not let Connect in: ");
  EXPECT_GE(database.calls(), 3 * once);
}

// A new node that has an empty export mounted: its own agent has marked that.
TEST_F(PreflightTest, AnEmptyDataDirectoryDoesNotBelongToADatabaseThatIsInUse) {
  const ConnectConfig config =
      MergeConnectConfig(ParseGcfg("[Server]\nDataDir = /mnt/connect/data\n").entries, {});
  StorageLook look(*node_.host, node_.spec().storage(), config);
  ASSERT_TRUE(look.Directories().ok());
  for (const char* name : {".connect-ha", "lost+found", ".snapshot"}) {
    node_.host->SetDirectory(absl::StrCat("/mnt/connect/data/", name));
  }
  EXPECT_TRUE(look.FitsDatabase(0).ok());
  const absl::Status status = look.FitsDatabase(2);
  EXPECT_TRUE(absl::StrContains(status.message(), "is empty, and the database has Connect's"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "\nfix: ")) << status;
  node_.host->SetFile("/mnt/connect/data/db/secret.key", "");
  EXPECT_TRUE(look.FitsDatabase(2).ok());
}

TEST_F(PreflightTest, WithoutAMountPointThereIsNoStorageToLookAt) {
  node_.spec().clear_storage();
  node_.Hold();
  node_.SetMounts("");
  EXPECT_EQ(Refused(), "");
}

}  // namespace
}  // namespace connect_ha
