// Connect's data directory is made, and never changed.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kDirectory[] = "/mnt/connect/data";
constexpr char kMounts[] =
    "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "50 28 0:52 / /mnt/connect rw,relatime - nfs4 nfs.example.com:/ rw,hard,lookupcache=pos\n";

class DataDirectoryTest : public testing::Test {
 protected:
  DataDirectoryTest() {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    v1::ClusterSpec& spec = *assignment_.mutable_desired()->mutable_spec();
    spec.set_enforcement(v1::ENFORCE);
    storage().set_mount_point("/mnt/connect");
    storage().mutable_owner()->set_user("rstudio-connect");
    storage().mutable_owner()->set_group("rstudio-connect");
    storage().mutable_owner()->set_mode("750");
    host().SetFile("/proc/self/mountinfo", kMounts);
    host().SetDirectory("/mnt/connect");
    host().SetFile(kConfigFile, "[Server]\nDataDir = /mnt/connect/data\n");
    UserEntry user;
    user.name = "rstudio-connect";
    user.uid = 999;
    user.gid = 999;
    host().SetUser(user);
    host().SetGroup("rstudio-connect", 999);
    host().SetService("/usr/bin/mountpoint -- /mnt/connect", {});
    host().SetService("/usr/bin/mkdir -p -- /mnt/connect", {});
    Arrange("-/usr/bin/mkdir -m 0700 -- /mnt/connect/data", [](FakeHost& machine) {
      if (!machine.LStat(kDirectory).ok()) machine.SetDirectory(kDirectory, 0700);
    });
    Arrange("/usr/bin/chown -h -- rstudio-connect:rstudio-connect /mnt/connect/data",
            [](FakeHost& machine) { machine.SetOwner(kDirectory, 0700, 999, 999); });
    Arrange("/usr/bin/chmod 750 -- /mnt/connect/data",
            [](FakeHost& machine) { machine.SetOwner(kDirectory, 0750, 999, 999); });
  }
  void Arrange(const std::string& command, FakeEffect effect) {
    FakeServiceCommand arranged;
    arranged.effect = std::move(effect);
    host().SetService(command, arranged);
  }
  FakeHost& host() { return node_.host; }
  v1::StorageSpec& storage() {
    return *assignment_.mutable_desired()->mutable_spec()->mutable_storage();
  }
  std::string Turn() {
    agent_.converge.TryAgain();
    agent_.converge.Turn(assignment_, watch_);
    return Describe(watch_.last());
  }
  v1::Change last_change() const { return agent_.journal.Pending(100).back().change(); }
  size_t services() const { return node_.host.services_started().size(); }

  BareNode node_;
  v1::Assignment assignment_;
  Agent agent_{node_};
  TestWatch watch_{node_.host};
};

TEST_F(DataDirectoryTest, IsMadeByPid1WithItsOwner) {
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().resource(), "directory Server.DataDir");
  EXPECT_EQ(last_change().from(), "absent");
  EXPECT_EQ(last_change().to(), "/mnt/connect/data of rstudio-connect:rstudio-connect, mode 750");
  EXPECT_EQ(services(), 1u);
  EXPECT_EQ(host().LStat(kDirectory)->mode, 0750u);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(services(), 1u);
}

TEST_F(DataDirectoryTest, MayBeKilledAtEveryCall) {
  bool died = true;
  for (int n = 1; died; ++n) {
    ASSERT_LT(n, 100);
    host().Erase(kDirectory);
    host().DieAtCall(n);
    Agent(node_).converge.Turn(assignment_, watch_);
    died = host().dead();
    host().Revive();
    Agent(node_).converge.Turn(assignment_, watch_);
    EXPECT_EQ(Describe(watch_.last()), "CONVERGED") << n;
    EXPECT_EQ(host().LStat(kDirectory)->uid, 999u) << n;
  }
}

TEST_F(DataDirectoryTest, AnEmptyOneGetsItsOwner) {
  host().SetDirectory(kDirectory);
  host().SetDirectory("/mnt/connect/data/.connect-ha", 0700);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "empty, of 0:0, mode 0755");
}

TEST_F(DataDirectoryTest, OneWithSomethingInItIsNeverChanged) {
  host().SetDirectory(kDirectory);
  host().SetFile("/mnt/connect/data/apps/1/app.R", "");
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said,
                          "/mnt/connect/data is of 0:0, mode 0755, the specification says "
                          "rstudio-connect:rstudio-connect, mode 750"))
      << said;
  EXPECT_EQ(services(), 0u);
}

TEST_F(DataDirectoryTest, NothingIsMadeOnTheLocalDisk) {
  host().SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/root rw\n");
  std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "no shared file system is mounted at /mnt/connect")) << said;
  host().SetFile("/proc/self/mountinfo", kMounts);
  host().SetFile(kConfigFile, "[Server]\nAddress = https://connect\n");
  said = Turn();
  EXPECT_TRUE(StrContains(said,
                          "/var/lib/rstudio-connect, is not on the shared file system at "
                          "/mnt/connect"))
      << said;
  EXPECT_EQ(services(), 0u);
}

// Unmounted between the look and the command.
TEST_F(DataDirectoryTest, NothingIsMadeWhereTheMountIsGoneByThen) {
  FakeServiceCommand gone;
  gone.exit_code = 1;
  gone.log = "/mnt/connect is not a mountpoint\n";
  host().SetService("/usr/bin/mountpoint -- /mnt/connect", gone);
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "/mnt/connect is not a mountpoint")) << said;
  EXPECT_FALSE(host().LStat(kDirectory).ok());
}

TEST_F(DataDirectoryTest, WhatTheFileSystemRefusesIsTold) {
  FakeServiceCommand squashed;
  squashed.exit_code = 1;
  squashed.log = "chown: changing ownership of '/mnt/connect/data': Operation not permitted\n";
  host().SetService("/usr/bin/chown -h -- rstudio-connect:rstudio-connect /mnt/connect/data",
                    squashed);
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "make /mnt/connect/data failed")) << said;
  EXPECT_TRUE(StrContains(said, "Operation not permitted")) << said;
}

TEST_F(DataDirectoryTest, AnAccountThatIsNotThereIsNamed) {
  host().SetDirectory(kDirectory);
  storage().mutable_owner()->set_user("nobody-here");
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "storage.owner names the user nobody-here, which is not here"))
      << said;
}

}  // namespace
}  // namespace connect_ha
