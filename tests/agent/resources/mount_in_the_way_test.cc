// What is in the way of the mount is told apart, and never taken away.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/mount_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;

TEST_F(MountTest, FilesBelowTheMountPointAreNotHidden) {
  for (const char* name : {"apps", "bundles", "db", "lock"}) {
    host().SetFile(absl::StrCat("/mnt/connect/", name, "/x"), "");
  }
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "(apps, bundles, db and 1 more), which a mount would hide"))
      << said;
  EXPECT_TRUE(StrContains(fix(), "mv /mnt/connect /mnt/connect.local")) << fix();
  ExpectUntouched();
}

TEST_F(MountTest, AMountPointBehindALinkIsSaid) {
  host().Erase("/mnt/connect");
  host().SetDirectory("/srv/share");
  host().SetLink("/mnt/connect", "/srv/share");
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "leads to /srv/share")) << said;
  ExpectUntouched();
}

TEST_F(MountTest, SomethingElseIsNeverTakenAway) {
  SetMounts(host(), kLocal);
  std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said,
                          "/srv/data of /dev/root (ext4) is mounted at /mnt/connect, wanted "
                          "nfs.example.com:/connect"))
      << said;
  SetMounts(host(),
            "50 28 0:52 / /mnt/connect rw - nfs4 nfs.example.com:/other rw,hard,addr=10.0.0.5\n");
  said = Turn();
  EXPECT_TRUE(StrContains(said, "nfs.example.com:/other (nfs4) is mounted")) << said;
  ExpectUntouched();
}

// It would be mounted again, or Connect would go on without.
TEST_F(MountTest, NobodyIsToldToUnmountWhatConnectRunsBy) {
  SetMounts(host(),
            "50 28 0:52 / /mnt/connect rw - nfs4 nfs.example.com:/other rw,hard,addr=10.0.0.5\n");
  Turn();
  EXPECT_TRUE(StrContains(fix(), "umount /mnt/connect")) << fix();
  v1::Unit connect;
  connect.set_name(kUnit);
  connect.set_load_state("loaded");
  connect.set_active_state("active");
  host().SetUnit(connect);
  const v1::Preview preview = agent_.converge.MakePreview(at_.assignment.desired(), "mount");
  ASSERT_EQ(preview.troubles_size(), 1) << preview.DebugString();
  EXPECT_FALSE(StrContains(preview.troubles(0).fix(), "umount")) << preview.DebugString();
  EXPECT_TRUE(StrContains(preview.troubles(0).fix(), "another storage.mount_point"))
      << preview.DebugString();
  ExpectUntouched();
}

TEST_F(MountTest, AServerOfAnotherNameMayBeTheSame) {
  SetMounts(host(),
            "50 28 0:52 / /mnt/connect rw - nfs4 10.0.0.5:/connect "
            "rw,hard,lookupcache=pos,addr=10.0.0.5\n");
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "cannot be told, as one server can have several names")) << said;
  ExpectUntouched();
}

TEST_F(MountTest, FileSystemsOnOneAnotherAreNamed) {
  SetMounts(host(), absl::StrCat(kNfs, kLocal));
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "2 file systems are mounted on one another at /mnt/connect"))
      << said;
  EXPECT_TRUE(StrContains(said, "nfs.example.com:/connect (nfs4), then /srv/data of /dev/root"))
      << said;
  ExpectUntouched();
}

TEST_F(MountTest, AnAutomountIsSaid) {
  SetMounts(host(), "49 28 0:51 / /mnt/connect rw - autofs systemd-1 rw,fd=40\n");
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(fix(), "systemctl stop mnt-connect.automount")) << fix();
  ExpectUntouched();
}

// Whatever else is wrong with it: no unit's file, an option that is missing.
TEST_F(MountTest, WhatHangsIsNotTouched) {
  SetMounts(host(), kWithoutLookupcache);
  host().SetError("/mnt/connect", absl::DeadlineExceededError("no answer in 5 s"));
  std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_TRUE(StrContains(said, "/mnt/connect hangs: nfs.example.com does not answer")) << said;
  EXPECT_TRUE(StrContains(fix(), "umount -f -l /mnt/connect; systemctl start mnt-connect.mount"))
      << fix();
  ExpectUntouched();
  host().SetError("/mnt/connect", absl::UnavailableError("stale file handle"));
  said = Turn();
  EXPECT_TRUE(StrContains(said, "/mnt/connect answers with an error: stale file handle")) << said;
  EXPECT_TRUE(
      StrContains(fix(), "stopped: umount -l /mnt/connect; systemctl start mnt-connect.mount"))
      << fix();
  ExpectUntouched();
}

TEST_F(MountTest, AUnitThatNeedsTheMountIsNotStoppedWithIt) {
  MountFirst();
  v1::Unit unit = *host().ReadUnit(kMountUnit);
  unit.add_started_by("remote-fs.target");
  unit.add_started_by("backup.service");
  host().SetUnit(unit);
  v1::Unit backup;
  backup.set_name("backup.service");
  backup.set_active_state("active");
  host().SetUnit(backup);
  SetMounts(host(), kWithoutLookupcache);
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_TRUE(StrContains(said, "backup.service is active and needs /mnt/connect")) << said;
  EXPECT_EQ(at_.Calls("StopUnit"), 0);
}

TEST_F(MountTest, AMountThatIsInUseStays) {
  MountFirst();
  SetMounts(host(), kWithoutLookupcache);
  host().SetUnitEffects(kMountUnit, Mounts(kNfs), [](FakeHost&) {});
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_TRUE(StrContains(said, "cannot be unmounted: something uses it")) << said;
  EXPECT_TRUE(StrContains(fix(), "fuser -vm /mnt/connect")) << fix();
  EXPECT_EQ(at_.Starts(), 1);
}

TEST_F(MountTest, AMaskIsSomebodysWord) {
  host().SetLink(kUnitFile, "/dev/null");
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(fix(), "systemctl unmask mnt-connect.mount");
  EXPECT_EQ(at_.Starts(), 0);
}

}  // namespace
}  // namespace connect_ha
