// How the file system is mounted: by the kernel's NFS, or by amazon-efs-utils with its own ways.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "tests/agent/resources/mount_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;

TEST_F(MountTest, TheProgramThatIsMissingIsNamed) {
  host().Erase("/sbin/mount.nfs4");
  Turn();
  EXPECT_EQ(fix(), "apt-get install nfs-common");
  ExpectUntouched();
  WantEfs();
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "needs amazon-efs-utils: it is not installed here")) << said;
  ExpectUntouched();
}

TEST_F(MountTest, AmazonEfsUtilsIsInstalledFirstWhereItIsNamed) {
  WantEfs();
  FakeDeb utils{"amazon-efs-utils", "3.2.0"};
  utils.architecture = "all";
  utils.files = {{"/sbin/mount.efs", "the helper"}};
  *storage().mutable_efs_utils() = at_.node.Publish("amazon-efs-utils.deb", utils);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().resource(), "mount /mnt/connect");
  EXPECT_TRUE(
      StrContains(*host().ReadFile(kUnitFile), "\nType=efs\nOptions=tls,region=us-east-1,"));
}

TEST_F(MountTest, HowAmazonEfsUtilsMountedItIsComparedToo) {
  WantEfs();
  host().SetFile("/sbin/mount.efs", "the helper");
  MountFirst();
  storage().mutable_efs()->set_iam(true);
  Turn();
  EXPECT_TRUE(
      StrContains(Describe(at_.watch.last()), "was made so, and is not: mounted without iam"))
      << Describe(at_.watch.last());
  host().SetUnitEffects(
      kMountUnit,
      [](FakeHost& machine) {
        machine.SetFile(kHelperState,
                        R"({"certificate": "c.pem", "awsCredentialsMethod": "metadata"})");
        Mounts(kByHelper)(machine);
      },
      Unmounts);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "mounted without iam");
}

// It is another directory tree: what is there may be the data.
TEST_F(MountTest, AnotherAccessPointIsNeverTakenAway) {
  WantEfs();
  host().SetFile("/sbin/mount.efs", "the helper");
  MountFirst();
  storage().mutable_efs()->set_access_point("fsap-0123456789abcdef0");
  std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "it is mounted by no access point, wanted fsap-0123456789abcdef0"))
      << said;
  host().SetFile(kHelperState, R"({"certificate": "c.pem", "accessPoint": "fsap-0f"})");
  said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "by access point fsap-0f, wanted fsap-0123456789abcdef0")) << said;
  EXPECT_EQ(at_.Starts(), 1);
  EXPECT_EQ(at_.Calls("StopUnit"), 0);
}

TEST_F(MountTest, ADirectoryOfAnEfsFileSystemIsSomethingElse) {
  storage().mutable_efs()->set_file_system("fs-0123456789abcdef0");
  storage().mutable_efs()->set_region("us-east-1");
  SetMounts(host(),
            "50 28 0:52 / /mnt/connect rw - nfs4 "
            "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/other rw,vers=4.1,hard\n");
  const std::string said = Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "amazonaws.com:/other (nfs4) is mounted at /mnt/connect")) << said;
  ExpectUntouched();
}

}  // namespace
}  // namespace connect_ha
