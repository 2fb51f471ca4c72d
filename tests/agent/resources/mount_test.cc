// The shared file system is mounted, and what is in the way is told apart.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::seconds;

constexpr char kMountUnit[] = "mnt-connect.mount";
constexpr char kUnitFile[] = "/etc/systemd/system/mnt-connect.mount";
constexpr char kMountInfo[] = "/proc/self/mountinfo";
constexpr char kRoot[] = "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n";
constexpr char kNfs[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 nfs.example.com:/connect "
    "rw,vers=4.1,hard,lookupcache=pos,addr=10.0.0.5\n";
constexpr char kWithoutLookupcache[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 nfs.example.com:/connect "
    "rw,vers=4.1,hard,addr=10.0.0.5\n";
constexpr char kLocal[] = "51 28 259:1 /srv/data /mnt/connect rw,relatime - ext4 /dev/root rw\n";
constexpr char kByHelper[] =
    "50 28 0:52 / /mnt/connect rw,relatime shared:2 - nfs4 127.0.0.1:/ rw,vers=4.1,rsize=1048576,"
    "wsize=1048576,hard,noresvport,timeo=600,retrans=2,lookupcache=pos,port=20049,addr=127.0.0.1\n";
constexpr char kHelperState[] = "/run/efs/fs-0123456789abcdef0.mnt.connect.20049";
constexpr char kJournal[] =
    "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=50 "
    "--unit=mnt-connect.mount";

void SetMounts(FakeHost& machine, const std::string& lines) {
  machine.SetFile(kMountInfo, kRoot + lines);
}

void SetState(FakeHost& machine, const std::string& state, const std::string& result) {
  absl::StatusOr<v1::Unit> unit = machine.ReadUnit(kMountUnit);
  if (!unit.ok()) return;
  unit->set_active_state(state);
  unit->set_result(result);
  machine.SetUnit(*unit);
}

FakeEffect Mounts(const std::string& line) {
  return [line](FakeHost& machine) {
    SetMounts(machine, line);
    SetState(machine, "active", "success");
  };
}

void Unmounts(FakeHost& machine) {
  SetMounts(machine, "");
  SetState(machine, "inactive", "success");
}

// Of which somebody says when it is to stop.
class StoppedWatch : public TestWatch {
 public:
  using TestWatch::TestWatch;
  bool Stopped() override { return is_stopped || TestWatch::Stopped(); }
  bool is_stopped = false;
};

// A bare node whose specification wants nfs.example.com:/connect at /mnt/connect.
struct MountNode {
  MountNode() {
    assignment.set_state(v1::PREPARING);
    assignment.mutable_desired()->set_generation(1);
    v1::ClusterSpec& spec = *assignment.mutable_desired()->mutable_spec();
    spec.set_enforcement(v1::ENFORCE);
    spec.mutable_storage()->set_mount_point("/mnt/connect");
    spec.mutable_storage()->mutable_nfs()->set_server("nfs.example.com");
    spec.mutable_storage()->mutable_nfs()->set_export_("/connect");
    node.host.SetFile("/sbin/mount.nfs4", "");
    node.host.SetDirectory("/mnt/connect");
    SetMounts(node.host, "");
    node.host.SetUnitEffects(kMountUnit, Mounts(kNfs), Unmounts);
  }
  int Calls(const std::string& call) const {
    const std::vector<std::string> changes = node.host.changes();
    return static_cast<int>(
        std::count(changes.begin(), changes.end(), absl::StrCat(call, " ", kMountUnit)));
  }
  int Starts() const { return Calls("StartUnit"); }

  BareNode node;
  v1::Assignment assignment;
  TestWatch watch{node.host};
};

class MountTest : public testing::Test {
 protected:
  FakeHost& host() { return at_.node.host; }
  v1::StorageSpec& storage() {
    return *at_.assignment.mutable_desired()->mutable_spec()->mutable_storage();
  }
  std::string Turn() {
    agent_.converge.TryAgain();
    agent_.converge.Turn(at_.assignment, at_.watch);
    return Describe(at_.watch.last());
  }
  v1::Change last_change() const { return agent_.journal.Pending(100).back().change(); }
  std::string fix() const { return at_.watch.last().troubles(0).fix(); }
  v1::Convergence::State state() const { return at_.watch.last().state(); }
  // Mounted and enabled by an earlier turn.
  void MountFirst() {
    EXPECT_EQ(Turn(), "CONVERGED");
    EXPECT_EQ(at_.Starts(), 1);
  }
  // Nothing is written, started or stopped for the mount.
  void ExpectUntouched() {
    EXPECT_FALSE(host().LStat(kUnitFile).ok());
    EXPECT_EQ(at_.Starts(), 0);
    EXPECT_EQ(at_.Calls("StopUnit"), 0);
  }
  void FailWith(const std::string& result, const std::string& journal) {
    host().SetUnitEffects(
        kMountUnit, [result](FakeHost& machine) { SetState(machine, "failed", result); }, Unmounts);
    host().SetCommand(kJournal, {0, false, journal});
  }
  void WantEfs() {
    storage().mutable_efs()->set_file_system("fs-0123456789abcdef0");
    storage().mutable_efs()->set_region("us-east-1");
    storage().set_encrypted_in_transit(true);
    host().SetUnitEffects(kMountUnit, Mounts(kByHelper), Unmounts);
    host().SetFile(kHelperState, R"({"pid": 1, "certificate": "c.pem", "accessPoint": null})");
  }

  MountNode at_;
  Agent agent_{at_.node};
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

TEST_F(MountTest, AMaskIsSomebodysWord) {
  host().SetLink(kUnitFile, "/dev/null");
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(fix(), "systemctl unmask mnt-connect.mount");
  EXPECT_EQ(at_.Starts(), 0);
}

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
