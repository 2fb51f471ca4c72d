#include "agent/probes/storage/storage.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "agent/probes/machine/disk.h"
#include "agent/probes/storage/efs_state.h"
#include "agent/probes/storage/fstab.h"
#include "agent/probes/storage/storage_spaces.h"
#include "common/mount_unit.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kMounts[] = R"(28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
50 28 0:52 /exports /mnt/share rw,relatime - nfs4 fs-1.efs.us-east-1.amazonaws.com:/ rw,hard
51 28 259:2 /volumes/data /data rw - xfs /dev/nvme1n1 rw
)";

class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    bench_.host->SetFile("/proc/self/mountinfo", kMounts);
    // Whatever touches the share fails the test that does it.
    bench_.host->SetError("/mnt/share", absl::InternalError("the share was touched"));
  }
  std::string Resolve(const std::string& path) {
    const auto mounts = ReadMounts(*bench_.host);
    const auto resolved = ResolveLocalLinks(*bench_.host, *mounts, path);
    return resolved.ok() ? *resolved : std::string(resolved.status().message());
  }

  ProbeBench bench_;
};

TEST_F(StorageTest, LinksOnLocalFileSystemsAreFollowed) {
  bench_.host->SetLink("/srv/connect", "../mnt/share/./connect");
  EXPECT_EQ(Resolve("/srv/connect/data"), "/mnt/share/connect/data");
}

TEST_F(StorageTest, NothingOnTheShareIsTouched) {
  EXPECT_EQ(Resolve("/mnt/share/connect/../link/data"), "/mnt/share/link/data");
}

TEST_F(StorageTest, WhatIsNotThereIsKeptAsItIs) {
  EXPECT_EQ(Resolve("/nowhere/at/all/"), "/nowhere/at/all");
  EXPECT_EQ(Resolve("/"), "/");
}

TEST_F(StorageTest, LinksInACircleAreAnError) {
  bench_.host->SetLink("/a", "/b");
  bench_.host->SetLink("/b", "a");
  EXPECT_EQ(Resolve("/a/data"), "too many levels of symbolic links: /a/data");
}

TEST_F(StorageTest, ADirectoryIsToldByItsPlaceInTheExport) {
  bench_.Configure({{"Server.DataDir", "/mnt/share/connect"}, {"Metrics.DataPath", "/data/rrd"}});
  const v1::Facts facts = bench_.Run(ReadStorage, "storage");
  ASSERT_GE(facts.storage().directories_size(), 2);
  EXPECT_EQ(facts.storage().directories(0).mount_point(), "/mnt/share");
  EXPECT_EQ(facts.storage().directories(0).path_in_source(), "/exports/connect");
  for (const v1::DataDirectory& directory : facts.storage().directories()) {
    if (directory.key() != "Metrics.DataPath") continue;
    EXPECT_EQ(directory.path_in_source(), "/volumes/data/rrd");
  }
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST_F(StorageTest, HowFarAnNfsMountReadsAheadIsToldByTheKernelAlone) {
  bench_.Configure({{"Server.DataDir", "/mnt/share/connect"}});
  bench_.host->SetFile("/sys/class/bdi/0:52/read_ahead_kb", "15360\n");
  bench_.host->SetFile("/sys/class/bdi/259:1/read_ahead_kb", "128\n");
  const v1::Facts facts = bench_.Run(ReadStorage, "storage");
  for (const v1::Mount& mount : facts.storage().mounts()) {
    const bool is_nfs = mount.mount_point() == "/mnt/share";
    EXPECT_EQ(mount.has_read_ahead_kb(), is_nfs) << mount.mount_point();
    EXPECT_EQ(mount.read_ahead_kb(), is_nfs ? 15360u : 0u);
  }
  bench_.host->Erase("/sys/class/bdi/0:52");
  const v1::Facts without = bench_.Run(ReadStorage, "storage");
  EXPECT_GT(without.storage().mounts_size(), 0);
  for (const v1::Mount& mount : without.storage().mounts()) {
    EXPECT_FALSE(mount.has_read_ahead_kb());
  }
}

class StorageSpacesTest : public testing::Test {
 protected:
  StorageSpacesTest() {
    bench_.host->SetFile("/proc/self/mountinfo", kMounts);
    bench_.Configure({{"Server.DataDir", "/mnt/share/connect"}, {"Metrics.DataPath", "/data/rrd"}});
  }
  v1::MountSpace Space(uint64_t size, uint64_t free) {
    FileSystemUse use;
    use.size_bytes = size;
    use.free_bytes = free;
    bench_.host->SetUse("/mnt/share", use);
    const v1::Facts facts = bench_.Run(ReadStorageSpaces, "storage.spaces");
    EXPECT_EQ(facts.unobserved_size(), 0);
    EXPECT_EQ(facts.storage().spaces_size(), 1);
    return facts.storage().spaces_size() == 1 ? facts.storage().spaces(0) : v1::MountSpace();
  }

  ProbeBench bench_;
};

TEST_F(StorageSpacesTest, AreOfTheNetworkMountsThatDataIsOn) {
  const v1::MountSpace space = Space(1'000'000, 30'000);
  EXPECT_EQ(space.mount_point(), "/mnt/share");
  EXPECT_EQ(space.size_bytes(), 1'000'000u);
  EXPECT_EQ(space.free_bytes(), 30'000u);
  EXPECT_EQ(space.used_percent(), 97u);
}

TEST_F(StorageSpacesTest, HaveNoSizeWhereTheServerTellsNone) {
  for (const uint64_t size : {uint64_t{0}, uint64_t{9223372036853727232}}) {  // EFS says the latter
    const v1::MountSpace space = Space(size, size);
    EXPECT_EQ(space.size_bytes(), 0u);
    EXPECT_FALSE(space.has_free_bytes());
    EXPECT_EQ(space.used_percent(), 0u);
  }
}

TEST_F(StorageSpacesTest, OfAMountThatHangsAreUnobserved) {
  bench_.host->SetError("/mnt/share", absl::DeadlineExceededError("has not answered"));
  const v1::Facts facts = bench_.Run(ReadStorageSpaces, "storage.spaces");
  EXPECT_FALSE(facts.has_storage());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage.spaces");
}

TEST_F(StorageTest, NoPasswordOfAMountIsTold) {
  bench_.host->SetFile("/proc/self/mountinfo",
                       "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
                       "50 28 0:52 / /data rw,relatime - nfs4 https://me:hunter2@host/dav "
                       "rw,username=me,password=hunter2,vers=3.0\n");
  const v1::Facts facts = bench_.Run(ReadStorage, "storage");
  EXPECT_EQ(facts.DebugString().find("hunter2"), std::string::npos) << facts.DebugString();
  for (const v1::Mount& mount : facts.storage().mounts()) {
    if (mount.mount_point() != "/data") continue;
    EXPECT_EQ(mount.super_options(2), "password=***");
    EXPECT_EQ(mount.super_options(3), "vers=3.0");
    return;
  }
  FAIL() << facts.DebugString();
}

TEST_F(StorageTest, AnUnreadableConfigurationLeavesTheMounts) {
  bench_.config_status = absl::PermissionDeniedError("permission denied");
  const v1::Facts facts = bench_.Run(ReadStorage, "storage");
  ASSERT_EQ(facts.storage().mounts_size(), 1);
  EXPECT_EQ(facts.storage().mounts(0).mount_point(), "/mnt/share");
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage.directories");
}

TEST_F(StorageTest, AMountTableThatIsNoneIsUnobserved) {
  bench_.host->SetFile("/proc/self/mountinfo", "nonsense\n");
  const v1::Facts facts = bench_.Run(ReadStorage, "storage");
  EXPECT_FALSE(facts.has_storage());
  EXPECT_EQ(facts.unobserved(0).path(), "storage");
}

TEST_F(StorageTest, DisksAreLookedAtWithoutTheShare) {
  bench_.Configure({{"Server.DataDir", "/mnt/share/connect"}, {"Server.TempDir", "/data/tmp"}});
  FileSystemUse use;
  use.size_bytes = uint64_t{1} << 60;
  use.free_bytes = uint64_t{1} << 58;
  bench_.host->SetUse("/", use);
  const v1::Facts facts = bench_.Run(ReadDisk, "disk");
  ASSERT_EQ(facts.disk().file_systems_size(), 2);
  EXPECT_EQ(facts.disk().file_systems(0).mount_point(), "/");
  EXPECT_EQ(facts.disk().file_systems(0).used_percent(), 75u);
  EXPECT_EQ(facts.disk().file_systems(1).mount_point(), "/data");
  EXPECT_EQ(facts.disk().file_systems(1).used_for(0), "/data/tmp");
}

// Any account may mount FUSE on a directory of its own, hundreds of times and under any name.
TEST(Storage, MountsThatAnAccountMadeForItselfAreNotReportedUnlessDataIsOnThem) {
  ProbeBench bench;
  bench.host->SetFile("/proc/self/mountinfo",
                      "28 1 259:1 / / rw shared:1 - ext4 /dev/root rw\n"
                      "50 28 0:52 / /home/x/a rw - fuse.evil evil rw,user_id=1000,group_id=1000\n"
                      "51 28 0:53 / /mnt/s3 rw - fuse.s3fs s3fs rw,user_id=0,group_id=0\n"
                      "52 28 0:54 / /srv/data rw - fuse.evil evil rw,user_id=1000,group_id=1000\n");
  bench.Configure({{"Server.DataDir", "/srv/data"}});
  const v1::Facts facts = bench.Run(ReadStorage, "storage");
  std::set<std::string> mount_points;
  for (const v1::Mount& mount : facts.storage().mounts()) mount_points.insert(mount.mount_point());
  EXPECT_EQ(mount_points.count("/home/x/a"), 0u);
  EXPECT_EQ(mount_points.count("/mnt/s3"), 1u);
  EXPECT_EQ(mount_points.count("/srv/data"), 1u);
}

MountEntry HelperMount() {
  MountEntry mount;
  mount.mount_point = "/mnt/connect";
  mount.fs_type = "nfs4";
  mount.source = "127.0.0.1:/";
  mount.super_options = {"vers=4.1", "port=20123"};
  return mount;
}

TEST(EfsState, TellsTheMountByPointAndPort) {
  FakeHost host;
  host.SetFile("/run/efs/fs-aaa.mnt.connect.20999", "{\"certificate\": \"x\"}");
  host.SetFile("/run/efs/fs-bbb.mnt.connect.20123", "{\"pid\": 1}");
  host.SetFile("/run/efs/~fs-ccc.mnt.connect.20123", "{}");
  host.SetFile("/run/efs/fs-bbb.mnt.connect.20123+/certificate.pem", "");
  const auto state = ReadEfsState(host, HelperMount());
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->file_system, "fs-bbb");
  EXPECT_FALSE(state->tls);
}

TEST(EfsState, TellsHowTheProxySignsIn) {
  FakeHost host;
  host.SetFile("/run/efs/fs-bbb.mnt.connect.20123",
               "{\"certificate\": \"x\", \"accessPoint\": null}");
  auto state = ReadEfsState(host, HelperMount());
  EXPECT_TRUE(state->tls);
  EXPECT_EQ(state->access_point, "");
  EXPECT_FALSE(state->iam);
  host.SetFile("/run/efs/fs-bbb.mnt.connect.20123",
               "{\"certificate\": \"x\", \"accessPoint\": \"fsap-1\", "
               "\"awsCredentialsMethod\": \"metadata\"}");
  state = ReadEfsState(host, HelperMount());
  EXPECT_EQ(state->access_point, "fsap-1");
  EXPECT_TRUE(state->iam);
}

TEST_F(StorageTest, MountUnitsThatTheAgentWroteAreKnownByTheirFirstLine) {
  const std::string folder = "/etc/systemd/system/";
  const std::string text = absl::StrCat(kOwnUnitLine, "[Mount]\nWhat=nas:/\nWhere=/mnt/old");
  bench_.host->SetFile(folder + "mnt-old.mount", text + "\nType=nfs4\n");
  bench_.host->SetFile(folder + "mnt-a%.mount", text);
  bench_.host->SetFile(folder + "mnt-hand.mount", "[Mount]\nWhat=nas:/\nWhere=/mnt/hand\n");
  bench_.host->SetFile(folder + "connect-ha-agent.service", text);
  bench_.host->SetLink(folder + "mnt-link.mount", "/etc/systemd/system/mnt-old.mount");
  v1::Unit unit;
  unit.set_name("mnt-old.mount");
  unit.set_load_state("loaded");
  unit.set_unit_file_state("enabled");
  bench_.host->SetUnit(unit);
  v1::Facts facts = bench_.Run(ReadStorage, "storage");
  ASSERT_EQ(facts.storage().own_mount_units_size(), 1);
  EXPECT_EQ(facts.storage().own_mount_units(0).mount_point(), "/mnt/old");
  EXPECT_EQ(facts.storage().own_mount_units(0).unit_file_state(), "enabled");
  bench_.host->SetError(folder + "mnt-old.mount", absl::PermissionDeniedError("no"));
  facts = bench_.Run(ReadStorage, "storage");
  EXPECT_GT(facts.storage().mounts_size(), 0);
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage.own_mount_units");
}

// At a boot the file system comes later than the agent.
TEST_F(StorageTest, WhatIsBeingMountedIsToldUntilItIsMountedOrGivenUp) {
  bench_.Configure({{"Server.DataDir", "/mnt/share/connect"}});
  v1::Unit unit;
  unit.set_name("mnt-share.mount");
  unit.set_load_state("loaded");
  unit.set_active_state("activating");
  bench_.host->SetUnit(unit);
  v1::Facts facts = bench_.Run(ReadStorage, "storage");
  EXPECT_FALSE(StorageIsOnItsWay(facts));  // it is mounted
  bench_.host->SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw shared:1 - ext4 /dev/root rw\n");
  facts = bench_.Run(ReadStorage, "storage");
  ASSERT_EQ(facts.storage().mounting_size(), 1);
  EXPECT_EQ(facts.storage().mounting(0), "/mnt/share");
  EXPECT_TRUE(StorageIsOnItsWay(facts));
  EXPECT_EQ(facts.unobserved_size(), 0);
  unit.set_active_state("failed");
  bench_.host->SetUnit(unit);
  EXPECT_FALSE(StorageIsOnItsWay(bench_.Run(ReadStorage, "storage")));
}

TEST_F(StorageTest, HowTheMountHelperOfEfsMountedIsTold) {
  bench_.host->SetFile("/proc/self/mountinfo",
                       "50 28 0:52 / /mnt/connect rw - nfs4 127.0.0.1:/ rw,port=20123\n");
  const std::string state = "/run/efs/fs-bbb.mnt.connect.20123";
  bench_.host->SetFile(state, "{\"certificate\": \"x\"}");
  v1::Facts facts = bench_.Run(ReadStorage, "storage");
  ASSERT_EQ(facts.storage().mounts_size(), 1);
  EXPECT_TRUE(facts.storage().mounts(0).has_efs_access_point());
  EXPECT_EQ(facts.storage().mounts(0).efs_access_point(), "");
  EXPECT_TRUE(facts.storage().mounts(0).has_efs_iam());
  EXPECT_FALSE(facts.storage().mounts(0).efs_iam());
  bench_.host->SetFile(state,
                       "{\"certificate\": \"x\", \"accessPoint\": \"fsap-1\", "
                       "\"awsCredentialsMethod\": \"metadata\"}");
  facts = bench_.Run(ReadStorage, "storage");
  ASSERT_EQ(facts.storage().mounts_size(), 1);
  EXPECT_EQ(facts.storage().mounts(0).efs_access_point(), "fsap-1");
  EXPECT_TRUE(facts.storage().mounts(0).efs_iam());
  // The kernel's own mount says nothing of either.
  bench_.host->SetFile("/proc/self/mountinfo", kMounts);
  facts = bench_.Run(ReadStorage, "storage");
  for (const v1::Mount& mount : facts.storage().mounts()) {
    EXPECT_FALSE(mount.has_efs_access_point()) << mount.mount_point();
  }
}

TEST_F(StorageTest, ALineOfFstabThatAUnitTakesThePlaceOfIsNamed) {
  bench_.host->SetFile("/etc/fstab",
                       "# a comment /mnt/share\n\nfs-1:/ /mnt/share/ nfs4 hard 0 0\n");
  v1::Unit unit;
  unit.set_name("mnt-share.mount");
  unit.set_load_state("loaded");
  for (const auto& [state, line] :
       std::map<std::string, uint32_t>{{"generated", 0}, {"enabled", 3}}) {
    unit.set_unit_file_state(state);
    bench_.host->SetUnit(unit);
    const v1::Facts facts = bench_.Run(ReadStorage, "storage");
    uint32_t found = 99;
    for (const v1::Mount& mount : facts.storage().mounts()) {
      if (mount.mount_point() == "/mnt/share") found = mount.fstab_line();
    }
    EXPECT_EQ(found, line) << state;
  }
}

TEST(FindFstabLine, UnescapesAndTakesTheFirst) {
  FakeHost host;
  EXPECT_EQ(*FindFstabLine(host, "/mnt/a b"), 0u);
  host.SetFile("/etc/fstab", "x:/\t/mnt/a\\040b nfs4\ny:/ /mnt/a\\040b nfs4\n");
  EXPECT_EQ(*FindFstabLine(host, "/mnt/a b"), 1u);
  host.SetError("/etc/fstab", absl::PermissionDeniedError("no"));
  EXPECT_FALSE(FindFstabLine(host, "/mnt/a b").ok());
}

TEST(EfsState, ThatIsNoJsonIsAnError) {
  FakeHost host;
  host.SetFile("/run/efs/fs-bbb.mnt.connect.20123", "{");
  EXPECT_EQ(ReadEfsState(host, HelperMount()).status().message(),
            "/run/efs/fs-bbb.mnt.connect.20123 is not JSON");
}

TEST(EfsState, AnotherMountHasNone) {
  FakeHost host;
  MountEntry mount = HelperMount();
  mount.source = "fs-bbb.efs.us-east-1.amazonaws.com:/";
  EXPECT_TRUE(absl::IsNotFound(ReadEfsState(host, mount).status()));
  EXPECT_EQ(host.calls(), 0);
}

}  // namespace
}  // namespace connect_ha
