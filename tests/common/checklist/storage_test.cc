// Where directories are, and the steps that fixes of the storage rules are made of.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/checklist/rule.h"
#include "common/checklist/share_fix.h"
#include "common/checklist/view/data_mount.h"
#include "common/checklist/view/located.h"
#include "common/checklist/view/place.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

v1::Mount MountFrom(const std::string& source, const std::string& address = "") {
  v1::Mount mount;
  mount.set_source(source);
  mount.set_fs_type("nfs4");
  if (!address.empty()) mount.add_super_options(absl::StrCat("addr=", address));
  return mount;
}

Place At(const std::string& source, const std::string& address = "") {
  return PlaceOf(MountFrom(source, address), "/data");
}

TEST(PlaceOf, NamesAnEfsFileSystemByItsId) {
  const std::string domain = ".efs.us-east-1.amazonaws.com:/";
  EXPECT_EQ(At("fs-0ab1" + domain).Text(), "fs-0ab1:/data");
  EXPECT_EQ(At("us-east-1a.fs-0ab1" + domain).Text(), "fs-0ab1:/data");
  v1::Mount tunnel = MountFrom("127.0.0.1:/", "127.0.0.1");
  tunnel.set_efs_file_system("fs-0ab1");
  EXPECT_EQ(PlaceOf(tunnel, "data").Text(), "fs-0ab1:/data");
  EXPECT_FALSE(PlaceOf(tunnel, "data").is_tunnel);
  EXPECT_FALSE(At("svm-0abc.fs-0def.fsx.us-east-1.amazonaws.com:/vol1").is_efs);
}

TEST(PlaceOf, JoinsTheExportAndThePathBelowIt) {
  EXPECT_EQ(At("NFS.example.com:/export/").Text(), "nfs.example.com:/export/data");
  EXPECT_EQ(At("nfs.example.com.:/export").Text(), "nfs.example.com:/export/data");
  EXPECT_EQ(At("[fd00::1]:/export").Text(), "[fd00::1]:/export/data");
  EXPECT_EQ(At("//nas/share").Text(), "nas:/share/data");
}

TEST(ReachOf, KnowsWhatIsOnThisMachineAlone) {
  for (const char* type : {"ext4", "bcachefs", "fuseblk", "reiserfs"}) {
    EXPECT_EQ(ReachOf(type), Reach::kLocal) << type;
  }
  for (const char* type : {"nfs4", "efs"}) EXPECT_EQ(ReachOf(type), Reach::kNetwork) << type;
  for (const char* type : {"fuse.s3fs", "fuse.sshfs", "autofs", ""}) {
    EXPECT_EQ(ReachOf(type), Reach::kUnknown) << type;
  }
}

TEST(Same, HoldsNothingAgainstNames) {
  EXPECT_EQ(Same(At("nas:/"), At("nas:/")), Sameness::kSame);
  EXPECT_EQ(Same(At("nas:/"), At("nas.example.com:/")), Sameness::kUnknown);
  EXPECT_EQ(Same(At("nas:/"), At("10.0.1.20:/")), Sameness::kUnknown);
  EXPECT_EQ(Same(At("nas:/", "10.0.1.20"), At("10.0.1.20:/")), Sameness::kSame);
  EXPECT_EQ(Same(At("nas:/", "10.0.1.20"), At("other:/", "10.0.1.20")), Sameness::kSame);
  EXPECT_EQ(Same(At("nas:/", "10.0.1.20"), At("nas:/", "10.0.1.21")), Sameness::kUnknown);
  EXPECT_EQ(Same(At("[fd00::1]:/"), At("nas:/", "fd00::1")), Sameness::kSame);
}

TEST(Same, TellsPathsOfOneServerApart) {
  EXPECT_EQ(Same(At("nas:/a"), At("nas:/b")), Sameness::kDifferent);
  EXPECT_EQ(Same(At("nas:/a", "10.0.1.20"), At("other:/b", "10.0.1.20")), Sameness::kDifferent);
  // The export of NFSv3 counts from the server's root, that of NFSv4 from where it says.
  v1::Mount old = MountFrom("nas:/export/connect");
  old.add_super_options("vers=3");
  EXPECT_EQ(Same(PlaceOf(old, "/data"), At("nas:/connect")), Sameness::kUnknown);
}

TEST(Same, TellsPortsOfOneAddressApart) {
  v1::Mount other = MountFrom("nas:/", "10.0.1.20");
  other.add_super_options("port=20049");
  EXPECT_EQ(Same(PlaceOf(other, "/data"), At("nas:/", "10.0.1.20")), Sameness::kUnknown);
}

TEST(Same, TakesTheIdsOfEfsForWhatTheyAre) {
  const std::string domain = ".efs.us-east-1.amazonaws.com:/";
  EXPECT_EQ(Same(At("fs-0ab1" + domain, "10.0.1.20"), At("fs-0ab1" + domain, "10.0.2.20")),
            Sameness::kSame);
  EXPECT_EQ(Same(At("fs-0ab1" + domain), At("fs-0ab2" + domain)), Sameness::kDifferent);
  EXPECT_EQ(Same(At("fs-0ab1" + domain), At("efs.internal:/")), Sameness::kUnknown);
  EXPECT_EQ(Same(At("fs-0ab1" + domain, "10.0.1.20"), At("efs.internal:/", "10.0.1.20")),
            Sameness::kSame);
}

TEST(Same, DoesNotKnowWhereATunnelOrAnAccessPointLeads) {
  const Place tunnel = At("127.0.0.1:/", "127.0.0.1");
  EXPECT_EQ(Same(tunnel, tunnel), Sameness::kUnknown);
  v1::Mount point = MountFrom("127.0.0.1:/", "127.0.0.1");
  point.set_efs_file_system("fs-0ab1");
  point.mutable_unit()->set_mount_options("tls,accesspoint=fsap-0a1b");
  const Place direct = At("fs-0ab1.efs.us-east-1.amazonaws.com:/connect");
  EXPECT_EQ(Same(PlaceOf(point, "/data"), direct), Sameness::kUnknown);
  point.mutable_unit()->set_mount_options("tls");
  EXPECT_EQ(Same(PlaceOf(point, "/data"), direct), Sameness::kDifferent);
}

TEST(SameAsWanted, OfEfsIsOneDirectoryTree) {
  v1::StorageSpec spec;
  spec.mutable_efs()->set_file_system("fs-0ab1");
  const std::string domain = ".efs.us-east-1.amazonaws.com:/";
  EXPECT_EQ(SameAsWanted(spec, MountFrom("fs-0ab1" + domain)), Sameness::kSame);
  EXPECT_EQ(SameAsWanted(spec, MountFrom("fs-0ab1" + domain + "other")), Sameness::kDifferent);
  EXPECT_EQ(SameAsWanted(spec, MountFrom("10.0.1.20:/")), Sameness::kUnknown);
  v1::Mount by_helper = MountFrom("127.0.0.1:/", "127.0.0.1");
  by_helper.set_efs_file_system("fs-0ab1");
  EXPECT_EQ(SameAsWanted(spec, by_helper), Sameness::kSame);
  by_helper.set_efs_iam(false);
  spec.mutable_efs()->set_iam(true);
  EXPECT_EQ(SameAsWanted(spec, by_helper), Sameness::kSame);
  by_helper.set_efs_access_point("fsap-1");
  EXPECT_EQ(SameAsWanted(spec, by_helper), Sameness::kDifferent);
  EXPECT_EQ(AccessPointFault(spec, by_helper), "by access point fsap-1, wanted none");
  spec.mutable_efs()->set_access_point("fsap-1");
  EXPECT_EQ(SameAsWanted(spec, by_helper), Sameness::kSame);
  by_helper.set_efs_access_point("");
  EXPECT_EQ(SameAsWanted(spec, by_helper), Sameness::kDifferent);
  EXPECT_EQ(SameAsWanted(spec, MountFrom("fs-0ab1" + domain)), Sameness::kDifferent);
  EXPECT_EQ(AccessPointFault(spec, MountFrom("fs-0ab1" + domain)),
            "by no access point, wanted fsap-1");
}

TEST(PlaceOnNetwork, FollowsWhereADataDirectoryLeads) {
  v1::Snapshot cluster = BaseCluster();
  v1::Facts& facts = *cluster.mutable_nodes(0)->mutable_facts();
  EXPECT_EQ(PlaceOnNetwork(facts, "/mnt/connect/data/db/secret.key")->Text(),
            "fs-0123456789abcdef0:/data/db/secret.key");
  EXPECT_EQ(PlaceOnNetwork(facts, "/mnt/connect/key")->Text(), "fs-0123456789abcdef0:/key");
  EXPECT_FALSE(PlaceOnNetwork(facts, "/etc/rstudio-connect/key"));
}

TEST(SetKeyNote, NamesWhereTheValueComesFrom) {
  v1::Snapshot cluster = BaseCluster();
  v1::Facts& facts = *cluster.mutable_nodes(0)->mutable_facts();
  EXPECT_EQ(SetKeyNote(facts, "Server.DataDir", "/x"),
            "set DataDir = /x under [Server] in /etc/rstudio-connect/rstudio-connect.gcfg:4");
  EXPECT_EQ(SetKeyNote(facts, "Server.LandingDir", "/x"),
            "set LandingDir = /x under [Server] in /etc/rstudio-connect/rstudio-connect.gcfg");
  v1::ConfigKey& key = *facts.mutable_configuration()->add_keys();
  key.set_section("Server");
  key.set_name("LandingDir");
  key.set_source(v1::ConfigKey::ENVIRONMENT);
  key.set_file("/etc/default/rstudio-connect");
  key.set_line(2);
  EXPECT_EQ(SetKeyNote(facts, "Server.LandingDir", "/x"),
            "set CONNECT_SERVER_LANDINGDIR=/x in /etc/default/rstudio-connect:2");
  EXPECT_EQ(TakeKeyOutNote(facts, "Server.LandingDir"),
            "take CONNECT_SERVER_LANDINGDIR out of /etc/default/rstudio-connect:2");
}

TEST(ShellWord, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(ShellWord("/mnt/connect"), "/mnt/connect");
  EXPECT_EQ(ShellWord("/mnt/a b;$(x)"), "'/mnt/a b;$(x)'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellOperand("/mnt/connect"), "/mnt/connect");
  EXPECT_EQ(ShellOperand("-rf x"), "-- '-rf x'");
  EXPECT_EQ(StartMountCommand("/mnt/posit-share"), "systemctl start 'mnt-posit\\x2dshare.mount'");
  EXPECT_EQ(StartMountCommand("/"), "systemctl start -- -.mount");
}

// Data is copied where one node alone has any; of several, a person says whose counts.
TEST(ShareFix, CopiesForOneNodeAlone) {
  v1::Snapshot cluster = BaseCluster();
  cluster.mutable_nodes()->RemoveLast();
  cluster.clear_spec();
  v1::NodeSnapshot& node = *cluster.mutable_nodes(0);
  v1::StorageFacts& storage = *node.mutable_facts()->mutable_storage();
  storage.mutable_mounts()->RemoveLast();
  v1::DataDirectory& data = *storage.mutable_directories(0);
  data.set_path("/var/lib/rstudio-connect");
  data.set_resolved(data.path());
  data.set_mount_point("/");
  std::string copy;
  for (const v1::Fix& fix : ShareFix(cluster, node, data)) {
    for (const std::string& command : fix.commands()) {
      if (command.substr(0, 3) == "cp ") copy = command;
    }
  }
  EXPECT_EQ(copy, "cp -an /var/lib/rstudio-connect/. /mnt/connect/rstudio-connect/");
  cluster.set_nodes_left_out(1);
  for (const v1::Fix& fix : ShareFix(cluster, node, data)) {
    for (const std::string& command : fix.commands()) EXPECT_NE(command.substr(0, 3), "cp ");
  }
}

std::string NotesOf(const Fixes& fixes) {
  std::string notes;
  for (const v1::Fix& fix : fixes) absl::StrAppend(&notes, fix.note(), "\n");
  return notes;
}

// Who hand-built the node may have neither a unit nor a line of /etc/fstab.
TEST(NoUnitFix, SaysWhatToWriteWhereTheAgentDoesNot) {
  v1::Snapshot cluster = BaseCluster();
  const v1::NodeSnapshot& node = cluster.nodes(1);
  const std::string notes = NotesOf(NoUnitFix(cluster, node, "/mnt/connect"));
  EXPECT_NE(notes.find("add a line to /etc/fstab, as on node-1: fs-0123456789abcdef0.efs."),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find("enforcement: enforce"), std::string::npos) << notes;
  cluster.mutable_spec()->mutable_storage()->clear_efs();
  EXPECT_EQ(NotesOf(NoUnitFix(cluster, node, "/mnt/connect")).find("enforcement: enforce"),
            std::string::npos);
  cluster = BaseCluster();
  cluster.mutable_spec()->set_enforcement(v1::ENFORCE);
  EXPECT_TRUE(NoUnitFix(cluster, cluster.nodes(1), "/mnt/connect").empty());
}

// One cause, and no word of keys or directories.
TEST(Storage, OfANodeWithALocalMountIsOneCause) {
  for (const char* fixture : {"storage-is-mounted/fail-bound-over", "storage-is-mounted/fail",
                              "encryption-key-matches/follows-bound-over",
                              "encryption-key-matches/follows-not-mounted"}) {
    const v1::Checklist checklist =
        Evaluate(LoadCluster(absl::StrCat(ClustersDirectory(), "/", fixture, ".textproto")));
    for (const v1::Finding& finding : checklist.findings()) {
      EXPECT_EQ(finding.outcome() == v1::FAIL, finding.rule() == "storage-is-mounted")
          << fixture << ": " << finding.rule() << ": " << finding.summary();
    }
  }
}

}  // namespace
}  // namespace connect_ha::test
