#include "agent/host/mounts/mount_table.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

constexpr char kTable[] =
    "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro\n"
    "25 24 0:5 / /dev rw,nosuid shared:2 - devtmpfs udev rw,size=1k\n"
    "90 24 0:52 / /mnt/connect rw,relatime shared:60 master:3 - nfs4 "
    "fs-0ab1.efs.eu-west-1.amazonaws.com:/ rw,vers=4.1,hard,noresvport,timeo=600\n"
    "91 24 8:17 / /mnt/a\\040b\\134c rw - xfs /dev/sdb1 rw\n"
    "92 90 8:33 / /mnt/connect/cache rw - ext4 /dev/sdc1 rw\n"
    "93 24 0:60 / /proc/x rw - binfmt_misc  rw\n";

TEST(MountTable, ReadsWhatTheKernelWrites) {
  const auto mounts = ParseMountInfo(kTable);
  ASSERT_TRUE(mounts.ok()) << mounts.status();
  ASSERT_EQ(mounts->size(), 6u);
  const MountEntry& nfs = (*mounts)[2];
  EXPECT_EQ(nfs.device, "0:52");
  EXPECT_EQ(nfs.root, "/");
  EXPECT_EQ(nfs.mount_point, "/mnt/connect");
  EXPECT_EQ(nfs.options, (std::vector<std::string>{"rw", "relatime"}));
  EXPECT_EQ(nfs.fs_type, "nfs4");
  EXPECT_EQ(nfs.source, "fs-0ab1.efs.eu-west-1.amazonaws.com:/");
  EXPECT_EQ(nfs.super_options,
            (std::vector<std::string>{"rw", "vers=4.1", "hard", "noresvport", "timeo=600"}));
}

TEST(MountTable, UndoesTheKernelsEscapes) {
  EXPECT_EQ((*ParseMountInfo(kTable))[3].mount_point, "/mnt/a b\\c");
}

TEST(MountTable, AnEmptySourceIsNotAnError) {
  const auto mounts = ParseMountInfo(kTable);
  EXPECT_EQ((*mounts)[5].source, "");
  EXPECT_EQ((*mounts)[5].super_options, std::vector<std::string>{"rw"});
}

TEST(MountTable, NamesTheLineThatItCannotRead) {
  const auto mounts = ParseMountInfo("24 1 8:1 / / rw - ext4 /dev/sda1 rw\nnonsense\n");
  EXPECT_EQ(mounts.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(mounts.status().message(), "mount table: line 2 is not mountinfo's");
}

TEST(MountTable, FindsTheMountWithTheLongestPrefix) {
  const auto mounts = ParseMountInfo(kTable);
  EXPECT_EQ(FindMount(*mounts, "/mnt/connect/cache/x")->device, "8:33");
  EXPECT_EQ(FindMount(*mounts, "/mnt/connect/apps")->device, "0:52");
  EXPECT_EQ(FindMount(*mounts, "/mnt/connected")->device, "8:1");
  EXPECT_EQ(FindMount(*mounts, "relative"), nullptr);
}

TEST(MountTable, TheLaterOfTwoOnOneMountPointCounts) {
  const auto mounts = ParseMountInfo(
      "1 0 8:1 / /data rw - ext4 /dev/a rw\n"
      "2 1 0:9 / /data rw - nfs4 host:/ rw\n");
  EXPECT_EQ(FindMount(*mounts, "/data/x")->fs_type, "nfs4");
}

TEST(MountTable, AWalkThroughANetworkMountIsOneEvenWhereItEndsOnALocalOne) {
  const auto mounts = ParseMountInfo(kTable);
  EXPECT_EQ(FindNetworkMount(*mounts, "/mnt/connect/cache/x")->device, "0:52");
  EXPECT_EQ(FindNetworkMount(*mounts, "/mnt/connected"), nullptr);
}

TEST(MountTable, KnowsWhichFileSystemsMayMakeUsWait) {
  for (const char* type : {"nfs", "nfs4", "efs", "cifs", "fuse.sshfs", "fuse", "autofs"}) {
    EXPECT_TRUE(IsNetworkFileSystem(type)) << type;
  }
  // With them, what the checklist takes for one.
  for (const char* type : {"smb3", "ceph", "fuse.ceph", "lustre", "beegfs", "gpfs", "gluster"}) {
    EXPECT_TRUE(IsNetworkFileSystem(type)) << type;
  }
  for (const char* type : {"ext4", "xfs", "tmpfs", "overlay", "fuseblk", "btrfs"}) {
    EXPECT_FALSE(IsNetworkFileSystem(type)) << type;
  }
}

}  // namespace
}  // namespace connect_ha
