#include "agent/resources/storage/mount_plan.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kEfs[] =
    "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,lookupcache=pos,"
    "_netdev";

v1::StorageSpec Efs(const std::string& region = "us-east-1") {
  v1::StorageSpec spec;
  spec.set_mount_point("/mnt/posit-share");
  spec.mutable_efs()->set_file_system("fs-0123456789abcdef0");
  if (!region.empty()) spec.mutable_efs()->set_region(region);
  return spec;
}

v1::StorageSpec Nfs(const std::string& server) {
  v1::StorageSpec spec;
  spec.set_mount_point("/mnt/connect");
  spec.mutable_nfs()->set_server(server);
  return spec;
}

TEST(MountPlan, EfsIsMountedByTheKernelAlone) {
  const auto plan = MakeMountPlan(Efs(), "");
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->unit, "mnt-posit\\x2dshare.mount");
  EXPECT_EQ(plan->type, "nfs4");
  EXPECT_EQ(plan->source, "fs-0123456789abcdef0.efs.us-east-1.amazonaws.com:/");
  EXPECT_EQ(plan->options, kEfs);
}

TEST(MountPlan, ARegionThatIsNotGivenIsTheNodes) {
  EXPECT_EQ(MakeMountPlan(Efs(""), "eu-west-1")->server,
            "fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com");
  EXPECT_EQ(MakeMountPlan(Efs("cn-north-1"), "")->server,
            "fs-0123456789abcdef0.efs.cn-north-1.amazonaws.com.cn");
  const absl::Status unknown = MakeMountPlan(Efs(""), "").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StrContains(unknown.message(),
                          "\nfix: write storage: {efs: {file_system: "
                          "fs-0123456789abcdef0, region: us-east-1}}"))
      << unknown;
}

TEST(MountPlan, TlsAndSigningInAreAmazonEfsUtils) {
  v1::StorageSpec spec = Efs();
  spec.set_encrypted_in_transit(true);
  auto plan = MakeMountPlan(spec, "");
  EXPECT_EQ(plan->type, "efs");
  EXPECT_EQ(plan->source, "fs-0123456789abcdef0:/");
  EXPECT_EQ(plan->options, std::string("tls,region=us-east-1,") + kEfs);
  spec = Efs("");
  spec.mutable_efs()->set_iam(true);
  spec.mutable_efs()->set_access_point("fsap-0123456789abcdef0");
  plan = MakeMountPlan(spec, "");
  EXPECT_EQ(plan->options, std::string("tls,iam,accesspoint=fsap-0123456789abcdef0,") + kEfs);
}

TEST(MountPlan, AnyOtherServerHasThePortAndTheExportThatAreGiven) {
  v1::StorageSpec spec = Nfs("nfs.example.com");
  EXPECT_EQ(MakeMountPlan(spec, "")->source, "nfs.example.com:/");
  spec.mutable_nfs()->set_export_("/connect");
  spec.mutable_nfs()->set_port(12049);
  const auto plan = MakeMountPlan(spec, "");
  EXPECT_EQ(plan->source, "nfs.example.com:/connect");
  EXPECT_EQ(plan->options, "nfsvers=4.1,hard,lookupcache=pos,_netdev,port=12049");
  for (const char* server : {"fd00::1", "[fd00::1]"}) {
    EXPECT_EQ(MakeMountPlan(Nfs(server), "")->source, "[fd00::1]:/");
    EXPECT_EQ(MakeMountPlan(Nfs(server), "")->server, "fd00::1");
  }
  spec.set_encrypted_in_transit(true);
  EXPECT_EQ(MakeMountPlan(spec, "").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(MountUnitText, IsAUnitThatABootStarts) {
  EXPECT_EQ(MountUnitText(*MakeMountPlan(Nfs("nfs.example.com"), "")),
            "# Of connect-ha-agent, from the cluster's specification: what is changed here is "
            "written anew.\n"
            "[Unit]\n"
            "Description=Shared storage of Posit Connect\n"
            "Documentation=man:connect-ha-agent(8)\n"
            "Wants=network-online.target\n"
            "After=network-online.target\n"
            "\n"
            "[Mount]\n"
            "What=nfs.example.com:/\n"
            "Where=/mnt/connect\n"
            "Type=nfs4\n"
            "Options=nfsvers=4.1,hard,lookupcache=pos,_netdev\n"
            "TimeoutSec=180\n"
            "\n"
            "[Install]\n"
            "WantedBy=remote-fs.target multi-user.target\n");
}

TEST(MountUnitText, APercentSignIsOneForSystemdToo) {
  v1::StorageSpec spec = Nfs("nfs.example.com");
  spec.set_mount_point("/mnt/100%");
  spec.mutable_nfs()->set_export_("/a%b");
  const std::string text = MountUnitText(*MakeMountPlan(spec, ""));
  EXPECT_TRUE(StrContains(text, "\nWhat=nfs.example.com:/a%%b\nWhere=/mnt/100%%\n")) << text;
}

}  // namespace
}  // namespace connect_ha
