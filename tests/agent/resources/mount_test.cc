// The shared file system is mounted, comes back after a boot, and is mended.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/mount_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::seconds;

// Of which somebody says when it is to stop.
class StoppedWatch : public TestWatch {
 public:
  using TestWatch::TestWatch;
  bool Stopped() override { return is_stopped || TestWatch::Stopped(); }
  bool is_stopped = false;
};

TEST_F(MountTest, IsMountedAndComesBackAfterABoot) {
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().resource(), "mount /mnt/connect");
  EXPECT_EQ(last_change().from(), "not mounted");
  EXPECT_EQ(last_change().to(), "nfs.example.com:/connect by mnt-connect.mount");
  EXPECT_EQ(last_change().interrupts(), "");
  EXPECT_EQ(host().ReadUnit(kMountUnit)->unit_file_state(), "enabled");
  EXPECT_TRUE(StrContains(*host().ReadFile(kUnitFile), "\nWhat=nfs.example.com:/connect\n"));
  EXPECT_EQ(host().Stat(kUnitFile)->mode, 0644u);
  const size_t before = host().changes().size();
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(host().changes().size(), before);
}

TEST_F(MountTest, APreviewOnlyLooks) {
  const v1::Preview preview = agent_.converge.MakePreview(at_.assignment.desired(), "mount");
  ASSERT_EQ(preview.changes_size(), 1);
  EXPECT_TRUE(host().changes().empty());
}

// One node would go on with the data here while another has them there.
TEST_F(MountTest, ThatTheDataMoveToAnotherMountPointIsForAllNodesTogether) {
  const auto needs = [this] {
    const v1::Preview preview = agent_.converge.MakePreview(at_.assignment.desired(), "mount");
    EXPECT_EQ(preview.changes_size(), 1);
    return preview.needs();
  };
  at_.node.SetInstalled(FakeDeb{"rstudio-connect", "2024.08.0~ubuntu22"});
  EXPECT_EQ(needs(), v1::Change::NOTHING);
  SetMounts(host(),
            "50 28 0:52 / /srv/old rw,relatime shared:2 - nfs4 nfs.example.com:/connect "
            "rw,vers=4.1,hard,lookupcache=pos,addr=10.0.0.5\n");
  host().SetDirectory("/srv/old/data");
  host().SetFile(kConfigFile, "[Server]\nDataDir = /srv/old/data\n");
  EXPECT_EQ(needs(), v1::Change::TOGETHER);
}

TEST(Mount, MayBeKilledAtEveryCall) {
  bool died = true;
  for (int n = 1; died; ++n) {
    ASSERT_LT(n, 100);
    MountNode at;
    at.node.host.DieAtCall(n);
    Agent(at.node).converge.Turn(at.assignment, at.watch);
    died = at.node.host.dead();
    at.node.host.Revive();
    Agent(at.node).converge.Turn(at.assignment, at.watch);
    EXPECT_EQ(Describe(at.watch.last()), "CONVERGED") << n;
    EXPECT_EQ(at.Starts(), 1) << n;
    EXPECT_EQ(at.node.host.ReadUnit(kMountUnit)->unit_file_state(), "enabled") << n;
  }
}

// PID 1 took three minutes for it, or the agent was started again meanwhile.
TEST_F(MountTest, AStartThatGoesOnIsWaitedFor) {
  int looks = 0;
  host().SetUnitEffects(
      kMountUnit,
      [&looks](FakeHost& machine) {
        if (++looks < 3) {
          SetState(machine, "activating", "success");
        } else {
          Mounts(kNfs)(machine);
        }
      },
      Unmounts);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(at_.Starts(), 3);
}

TEST_F(MountTest, WrongOptionsAreChangedWhileNothingUsesIt) {
  MountFirst();
  SetMounts(host(), kWithoutLookupcache);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "mounted without lookupcache=pos");
  EXPECT_EQ(last_change().interrupts(), "the file system is unmounted and mounted again");
  EXPECT_EQ(at_.Calls("StopUnit"), 1);
  EXPECT_EQ(at_.Starts(), 2);
  // The file system itself is, whatever the mount says.
  SetMounts(host(),
            "50 28 0:52 / /mnt/connect rw - nfs4 nfs.example.com:/connect "
            "ro,vers=4.1,hard,lookupcache=pos,addr=10.0.0.5\n");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "mounted read-only");
}

// The order is taken back in between: the next one may not be about this mount at all.
TEST_F(MountTest, WhatWasUnmountedIsMountedAgainThoughSomebodySaysStop) {
  MountFirst();
  SetMounts(host(), kWithoutLookupcache);
  StoppedWatch watch(host());
  host().SetUnitEffects(kMountUnit, Mounts(kNfs), [&watch](FakeHost& machine) {
    Unmounts(machine);
    watch.is_stopped = true;
  });
  agent_.converge.TryAgain();
  agent_.converge.Turn(at_.assignment, watch);
  EXPECT_EQ(at_.Calls("StopUnit"), 1);
  EXPECT_EQ(at_.Starts(), 2);
}

TEST_F(MountTest, WhatFstabMountedGetsAUnitAndTheLineIsNamed) {
  const std::string fstab =
      "/dev/root / ext4 defaults 0 1\n# the share\n"
      "nfs.example.com:/connect\t/mnt/connect/ nfs4 hard 0 0\n";
  host().SetFile("/etc/fstab", fstab);
  SetMounts(host(), kNfs);
  v1::Unit unit;
  unit.set_name(kMountUnit);
  unit.set_load_state("loaded");
  unit.set_active_state("active");
  unit.set_unit_file_state("generated");
  host().SetUnit(unit);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), absl::StrCat("mounted, and no ", kUnitFile));
  EXPECT_EQ(last_change().to(),
            "nfs.example.com:/connect by mnt-connect.mount, which takes the "
            "place of line 3 of /etc/fstab");
  EXPECT_EQ(last_change().interrupts(), "");
  EXPECT_EQ(at_.Starts(), 0);
  EXPECT_EQ(*host().ReadFile("/etc/fstab"), fstab);
}

TEST_F(MountTest, AUnitThatSomebodyChangedIsKeptAndWrittenAnew) {
  MountFirst();
  host().SetFile(kUnitFile, "[Mount]\nWhat=elsewhere:/\n");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), absl::StrCat("mounted, and ", kUnitFile, " says something else"));
  EXPECT_EQ(at_.Starts(), 1);
  const auto kept = host().ListDirectory(absl::StrCat(kStateDir, "/old-units"));
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->size(), 1u);
}

TEST_F(MountTest, WhatSystemdHasNotReadOrNotEnabledIsMended) {
  MountFirst();
  v1::Unit unit = *host().ReadUnit(kMountUnit);
  unit.set_need_daemon_reload(true);
  host().SetUnit(unit);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "mounted, and systemd has not read mnt-connect.mount");
  unit = *host().ReadUnit(kMountUnit);
  unit.set_unit_file_state("disabled");
  host().SetUnit(unit);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "mounted, and mnt-connect.mount is not enabled");
}

TEST_F(MountTest, AFailureIsToldByWhatWasPrinted) {
  FailWith("exit-code",
           "Mounting Shared storage...\nmount.nfs4: access denied by server while mounting "
           "nfs.example.com:/connect\nmnt-connect.mount: Failed with result 'exit-code'.\n");
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_TRUE(StrContains(said,
                          "nfs.example.com does not let this node in (mount.nfs4: access "
                          "denied by server"))
      << said;
  EXPECT_EQ(fix(), "export nfs.example.com:/connect to this node, with no_root_squash");
}

// A helper that finds no network ends well.
TEST_F(MountTest, OnlyTheMountTableSaysThatItIsMounted) {
  host().SetUnitEffects(
      kMountUnit, [](FakeHost& machine) { SetState(machine, "active", "protocol"); }, Unmounts);
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "ended well, and nothing is mounted")) << said;
}

TEST_F(MountTest, AServerThatWasAwayIsTriedEveryHalfMinute) {
  FailWith("timeout", "");
  for (int turn = 0; turn < 8; ++turn) {
    agent_.converge.Turn(at_.assignment, at_.watch);
    ASSERT_TRUE(at_.watch.last().troubles(0).has_retry_at());
    const auto wait = FromProto(at_.watch.last().troubles(0).retry_at()) - host().Now();
    EXPECT_LE(wait, seconds(38));
    at_.watch.Pass(seconds(40));
  }
  EXPECT_EQ(at_.Starts(), 8);
  EXPECT_EQ(at_.Calls("EnableUnit"), 1);
  host().SetUnitEffects(kMountUnit, Mounts(kNfs), Unmounts);
  agent_.converge.Turn(at_.assignment, at_.watch);
  EXPECT_EQ(Describe(at_.watch.last()), "CONVERGED");
}

TEST_F(MountTest, WhatComesOfNoFormIsNotLookedAt) {
  storage().set_mount_point("/mnt/connect\\");
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "the specification names a mount point")) << said;
}

TEST_F(MountTest, WithoutASourceNothingIsMounted) {
  storage().clear_source();
  EXPECT_EQ(Turn(), "CONVERGED");
  ExpectUntouched();
}

}  // namespace
}  // namespace connect_ha
