#include "agent/resources/storage/mount_failure.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace connect_ha {
namespace {

using absl::StrContains;

MountPlan Plan(bool is_efs) {
  v1::StorageSpec spec;
  spec.set_mount_point("/mnt/connect");
  if (is_efs) {
    spec.mutable_efs()->set_file_system("fs-0123456789abcdef0");
    spec.mutable_efs()->set_region("us-east-1");
  } else {
    spec.mutable_nfs()->set_server("nfs.example.com");
  }
  return *MakeMountPlan(spec, "");
}

struct Case {
  const char* name;
  bool is_efs;
  const char* result;
  const char* printed;
  const char* cause;  // and what is to be done about it
  const char* fix;
};

// What util-linux 2.38, nfs-utils 2.6.2 and amazon-efs-utils 2 print.
constexpr Case kCases[] = {
    {"NoName", true, "exit-code",
     "mount.nfs4: Failed to resolve server fs-0123456789abcdef0.efs.us-east-1.amazonaws.com: Name "
     "or service not known",
     "no address for fs-0123456789abcdef0.efs.us-east-1.amazonaws.com",
     "switch on DNS resolution and DNS hostnames of the VPC"},
    {"NoNameOfTheHelper", true, "exit-code",
     "Failed to resolve \"fs-0123456789abcdef0.efs.us-east-1.amazonaws.com\" - check that your "
     "file system ID is correct",
     "no address for", "make a mount target"},
    {"NoWay", true, "exit-code", "mount.nfs4: Connection timed out", "no way to",
     "allow TCP 2049 from this node in the security group"},
    {"NoWayOfTheHelper", true, "exit-code",
     "Connection to the mount target IP address 10.0.0.9 timeout. Please retry in 5 minutes",
     "no way to", "security group"},
    {"NoWayUntilSystemdGivesUp", true, "timeout", "", "no way to", "security group"},
    {"Denied", true, "exit-code", "mount.nfs4: access denied by server while mounting 127.0.0.1:/",
     "does not let this node in", "look at the file system policy"},
    {"DeniedByAServer", false, "exit-code",
     "mount.nfs4: access denied by server while mounting nfs.example.com:/",
     "nfs.example.com does not let this node in", "with no_root_squash"},
    {"Refused", false, "exit-code", "mount.nfs4: Connection refused",
     "nothing listens on nfs.example.com at TCP 2049", "start the NFS server there"},
    {"NoRoute", false, "exit-code", "mount.nfs4: No route to host", "no way to nfs.example.com",
     "firewalls on the way"},
    {"NoExport", false, "exit-code",
     "mount.nfs4: mounting nfs.example.com:/ failed, reason given by server: No such file or "
     "directory",
     "nfs.example.com does not export that", "correct storage.nfs.export"},
    {"NoProgram", false, "exit-code",
     "mount: /mnt/connect: bad option; for several filesystems (e.g. nfs, cifs) you might need a "
     "/sbin/mount.<type> helper program.",
     "nfs-common is missing", "apt-get install nfs-common"},
    {"NoHelper", true, "exit-code", "mount: /mnt/connect: unknown filesystem type 'efs'.",
     "amazon-efs-utils is missing", "efs_utils"},
    {"NothingMounted", true, "protocol", "", "ended well, and nothing is mounted",
     "systemctl status mnt-connect.mount"},
    {"SomethingElse", false, "exit-code", "mount.nfs4: Stale file handle",
     "systemd says exit-code (mount.nfs4: Stale file handle)",
     "journalctl -b -u mnt-connect.mount"},
};

class MountFailureTest : public testing::TestWithParam<Case> {};

TEST_P(MountFailureTest, SaysTheCauseAndWhatToDo) {
  const Case& given = GetParam();
  const absl::Status status = ExplainMountFailure(Plan(given.is_efs), given.result, given.printed);
  const std::string message(status.message());
  const size_t fix = message.find("\nfix: ");
  ASSERT_NE(fix, std::string::npos) << message;
  EXPECT_TRUE(StrContains(message.substr(0, fix), given.cause)) << message;
  EXPECT_TRUE(StrContains(message.substr(fix), given.fix)) << message;
  EXPECT_TRUE(StrContains(message, given.printed)) << message;
  const bool missing_here = StrContains(given.cause, "is missing");
  EXPECT_EQ(status.code(),
            missing_here ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Each, MountFailureTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ExplainMountFailure, WhoRefusesBehindTheHelperIsItsOwnTunnel) {
  MountPlan plan = Plan(true);
  plan.type = "efs";
  const absl::Status status =
      ExplainMountFailure(plan, "exit-code", "mount.nfs4: Connection refused");
  EXPECT_TRUE(StrContains(status.message(), "the tunnel to fs-0123456789abcdef0")) << status;
  EXPECT_TRUE(StrContains(status.message(), "\nfix: tail /var/log/amazon/efs/mount.log")) << status;
}

TEST(PrintedByMount, IsOfTheLastTimeAndNotSystemds) {
  EXPECT_EQ(PrintedByMount("mnt-connect.mount",
                           "Mounting Shared storage of Posit Connect...\n"
                           "mount.nfs4: Connection timed out\n"
                           "mnt-connect.mount: Failed with result 'exit-code'.\n"
                           "Failed to mount Shared storage of Posit Connect.\n"
                           "Mounting Shared storage of Posit Connect...\n"
                           "mount.nfs4: access denied by server while mounting a:/\n"
                           "mnt-connect.mount: Mount process exited, code=exited, status=32/n/a\n"
                           "mnt-connect.mount: Failed with result 'exit-code'.\n"),
            "mount.nfs4: access denied by server while mounting a:/");
  EXPECT_EQ(PrintedByMount("mnt-connect.mount", "1\n2\n3\n4\n"), "2\n3\n4");
  EXPECT_EQ(PrintedByMount("mnt-connect.mount", ""), "");
}

}  // namespace
}  // namespace connect_ha
