// The guard of Connect's unit, and the cluster's mark.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/processes/shared_reader_wire.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "common/mount_unit.h"
#include "connect_ha/v1/storage_work.pb.h"
#include "tests/agent/resources/bare_node.h"
#include "tests/fakes/no_progress.h"
#include "tests/fakes/test_ca.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kDropIn[] = "/etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf";
constexpr char kMountUnit[] = "mnt-connect.mount";
constexpr char kMemory[] = "/var/lib/connect-ha-agent/mark";
constexpr char kMounts[] =
    "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
    "50 28 0:52 / /mnt/connect rw,relatime - nfs4 10.0.1.5:/ rw,vers=4.1,hard\n";

class GuardTest : public testing::Test {
 protected:
  GuardTest() : agent_(node_) {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_cluster("lab");
    spec().set_enforcement(v1::ENFORCE);
    spec().mutable_storage()->set_mount_point("/mnt/connect");
    node_.host.SetFile("/proc/self/mountinfo", kMounts);
    node_.host.SetFile(kConfigFile, "[Server]\nDataDir = /mnt/connect/data\n");
    node_.host.SetWork(
        [this](char operation, const std::string& directory, const std::string& request) {
          return Work(operation, directory, request);
        });
  }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  std::string Turn() {
    agent_.converge.TryAgain();
    agent_.converge.Turn(assignment_, watch_);
    return Describe(watch_.last());
  }
  std::string DropIn() {
    const auto text = node_.host.ReadFile(kDropIn);
    return text.ok() ? *text : "";
  }
  // What the shared file system has.
  absl::StatusOr<std::string> Work(char operation, const std::string& directory,
                                   const std::string& request) {
    EXPECT_EQ(operation, kMarkOperation);
    EXPECT_EQ(directory, "/mnt/connect/data");
    v1::MarkRequest wanted;
    EXPECT_TRUE(wanted.ParseFromString(request));
    EXPECT_EQ(wanted.device(), "0:52");
    if (!mark_ && !wanted.has_mark()) return absl::NotFoundError("no mark");
    if (!mark_) mark_ = wanted.mark();
    if (wanted.has_not_before()) {
      EXPECT_EQ(wanted.node(), "node-1");
      *mark_->mutable_not_before() = wanted.not_before();
    }
    return mark_->SerializeAsString();
  }
  void SetMark(const std::string& cluster, const std::string& id) {
    mark_.emplace();
    mark_->set_cluster(cluster);
    mark_->set_id(id);
  }
  // A unit that systemd has read, where nothing keeps it from that.
  static v1::Unit Loaded(const std::string& active) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    return unit;
  }
  static v1::Unit Guarded(const std::string& active) {
    v1::Unit unit = Loaded(active);
    unit.add_drop_ins(kDropIn);
    unit.add_binds_to_mounts(kMountUnit);
    unit.add_after_mounts(kMountUnit);
    unit.add_exec_start_pre("/usr/bin/connect-ha-agent preflight");
    return unit;
  }
  absl::Status Apply() {
    ProbeCache cache;
    IntegrityLedger integrity(node_.host, cache);
    const ConvergeOptions options = node_.Options();
    const ResourceContext context = {node_.host,
                                     cache,
                                     integrity,
                                     assignment_.desired(),
                                     options.agent_config,
                                     options.node,
                                     options.state_dir,
                                     options.cache_dir,
                                     "",
                                     options.digest_key};
    const std::unique_ptr<Resource> guard = MakeGuard(context);
    const auto before = guard->Differs();
    if (!before.ok()) return before.status();
    if (!before->has_value()) return absl::AlreadyExistsError("nothing to do");
    NoProgress progress;
    absl::Status applied = guard->Apply(progress);
    if (!applied.ok()) return applied;
    const auto after = guard->Differs();
    if (!after.ok()) return after.status();
    return after->has_value() ? absl::InternalError((*after)->from()) : absl::OkStatus();
  }

  BareNode node_;
  v1::Assignment assignment_;
  Agent agent_;
  TestWatch watch_{node_.host};
  std::optional<v1::ClusterMark> mark_;
};

TEST_F(GuardTest, BindsConnectToItsMountAndHasThePreflightRun) {
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_TRUE(StrContains(DropIn(),
                          "\n[Unit]\nBindsTo=mnt-connect.mount\nAfter=mnt-connect.mount\n\n"
                          "[Service]\nExecStartPre=/usr/bin/connect-ha-agent preflight\n#"))
      << DropIn();
  EXPECT_TRUE(absl::EndsWith(DropIn(), "\nNotifyAccess=exec\n")) << DropIn();
  EXPECT_EQ(node_.host.LStat(kDropIn)->mode, 0644u);
  const auto changes = node_.host.changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "ReloadUnits systemd"), 1);
}

TEST_F(GuardTest, NamesTheMountUnitAsSystemdEscapesIt) {
  EXPECT_TRUE(StrContains(GuardText("/mnt/posit-share"), "BindsTo=mnt-posit\\x2dshare.mount\n"));
}

TEST_F(GuardTest, OfAnotherMountPointTakesThePlaceOfTheOldOne) {
  Turn();
  spec().mutable_storage()->set_mount_point("/mnt/other");
  Turn();
  EXPECT_TRUE(StrContains(DropIn(), "\nBindsTo=mnt-other.mount\n")) << DropIn();
  EXPECT_FALSE(StrContains(DropIn(), "mnt-connect")) << DropIn();
  EXPECT_TRUE(StrContains(DropIn(), kOwnUnitLine)) << DropIn();
}

TEST_F(GuardTest, WhereNothingIsEnforcedThereIsNone) {
  spec().set_enforcement(v1::OBSERVE);
  Turn();
  EXPECT_EQ(DropIn(), "");
  EXPECT_FALSE(mark_);
}

TEST_F(GuardTest, IsPutBackAfterSystemctlRevertAndWhereItWasEdited) {
  Turn();
  const std::string text = DropIn();
  node_.host.Erase("/etc/systemd/system/rstudio-connect.service.d");
  Turn();
  EXPECT_EQ(DropIn(), text);
  node_.host.SetFile(kDropIn, "[Unit]\n");
  Turn();
  EXPECT_EQ(DropIn(), text);
}

TEST_F(GuardTest, IsInEffectOnlyOnceSystemdHasReadIt) {
  node_.host.SetUnit(Loaded("inactive"));
  EXPECT_EQ(Apply(), absl::InternalError("not read by systemd"));
  node_.host.SetReload([](FakeHost& machine) { machine.SetUnit(Guarded("inactive")); });
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Apply().code(), absl::StatusCode::kAlreadyExists);
  v1::Unit stale = Guarded("inactive");
  stale.set_need_daemon_reload(true);
  node_.host.SetUnit(stale);
  EXPECT_TRUE(Apply().ok());
}

// Fewer might keep Connect from starting; the preflight is among them.
TEST_F(GuardTest, WhereAllOfConnectMaySpeakForItsUnitAllStill) {
  v1::Unit unit = Loaded("inactive");
  for (const char* access : {"all", "none", "all", "main", "exec"}) {
    unit.set_notify_access(access);
    node_.host.SetUnit(unit);
    node_.host.SetReload([access](FakeHost& machine) {
      v1::Unit read = Guarded("inactive");
      read.set_notify_access(access);
      machine.SetUnit(read);
    });
    EXPECT_TRUE(Apply().ok()) << access;
    const bool is_left = std::string(access) == "all";
    EXPECT_EQ(DropIn(), GuardText("/mnt/connect", is_left)) << access;
    EXPECT_EQ(StrContains(DropIn(), "NotifyAccess=exec"), !is_left) << access;
    EXPECT_EQ(Apply().code(), absl::StatusCode::kAlreadyExists) << access;
  }
  EXPECT_FALSE(StrContains(DropIn(), "NotifyAccess=all"));
}

// As systemd has it: with the line in effect it says "exec", and of a masked unit nothing.
TEST_F(GuardTest, WhoMaySpeakIsReadInTheFileOfAUnitThatIsMasked) {
  Turn();
  EXPECT_EQ(DropIn(), GuardText("/mnt/connect"));
  node_.host.SetFile("/lib/systemd/system/rstudio-connect.service",
                     "[Service]\nType=notify\n#NotifyAccess=exec\n NotifyAccess = all \n");
  std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_EQ(DropIn(), GuardText("/mnt/connect", true));
  // What was found out stays until systemd knows better.
  node_.host.SetFile("/lib/systemd/system/rstudio-connect.service", "[Service]\n");
  said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_EQ(DropIn(), GuardText("/mnt/connect", true));
}

TEST_F(GuardTest, NothingIsReadAnewWhileTheFileSystemHangs) {
  node_.host.SetError("/mnt/connect", absl::DeadlineExceededError("no answer in 5 s"));
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "/mnt/connect hangs: its server does not answer")) << said;
  EXPECT_EQ(DropIn(), "");
  const auto changes = node_.host.changes();
  EXPECT_EQ(std::count(changes.begin(), changes.end(), "ReloadUnits systemd"), 0);
}

TEST_F(GuardTest, WhatSomebodyWroteToTheSameEffectIsEnough) {
  v1::Unit unit = Guarded("inactive");
  unit.clear_drop_ins();
  unit.add_drop_ins("/etc/systemd/system/rstudio-connect.service.d/connect-ha.conf");
  node_.host.SetUnit(unit);
  EXPECT_EQ(Apply().code(), absl::StatusCode::kAlreadyExists);
  unit.clear_binds_to_mounts();
  node_.host.SetUnit(unit);
  node_.host.SetReload([](FakeHost& machine) { machine.SetUnit(Guarded("inactive")); });
  EXPECT_TRUE(Apply().ok());
}

// It lets the next start through, whatever is mounted.
TEST_F(GuardTest, AnOverrideBeforeEachStartIsNoPreflight) {
  v1::Unit unit = Guarded("inactive");
  unit.clear_drop_ins();
  unit.set_exec_start_pre(0, "/usr/bin/connect-ha-agent preflight --override x");
  node_.host.SetUnit(unit);
  node_.host.SetReload([](FakeHost& machine) { machine.SetUnit(Guarded("inactive")); });
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(DropIn(), GuardText("/mnt/connect"));
}

TEST_F(GuardTest, ADropInThatTakesItAwayIsSaidAndNotFoughtWith) {
  node_.host.SetReload([](FakeHost& machine) {
    v1::Unit unit = Guarded("inactive");
    unit.clear_exec_start_pre();
    unit.add_drop_ins("/etc/systemd/system/rstudio-connect.service.d/override.conf");
    machine.SetUnit(unit);
  });
  node_.host.SetUnit(Loaded("inactive"));
  const absl::Status applied = Apply();
  EXPECT_EQ(applied.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StrContains(applied.message(), "no preflight is run")) << applied;
  EXPECT_TRUE(StrContains(applied.message(), "override.conf")) << applied;
}

TEST_F(GuardTest, AConnectThatRunsIsNeitherStoppedNorRestarted) {
  node_.host.SetReload([](FakeHost& machine) { machine.SetUnit(Guarded("active")); });
  node_.host.SetUnit(Loaded("active"));
  const absl::Status refused = Apply();
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(StrContains(refused.message(), "it would be stopped at once")) << refused;
  EXPECT_EQ(DropIn(), "");
  v1::Unit mount;
  mount.set_name(kMountUnit);
  mount.set_load_state("loaded");
  mount.set_active_state("active");
  node_.host.SetUnit(mount);
  EXPECT_TRUE(Apply().ok());
  for (const std::string& change : node_.host.changes()) {
    EXPECT_FALSE(StrContains(change, "StartUnit") || StrContains(change, "StopUnit")) << change;
  }
}

TEST_F(GuardTest, TheFirstNodeMarksTheFileSystemAndTheOthersFindIt) {
  Turn();
  ASSERT_TRUE(mark_);
  EXPECT_EQ(mark_->cluster(), "lab");
  EXPECT_EQ(mark_->id(), kTestClusterId);
  EXPECT_EQ(agent_.cache.mark.Get()->value().id(), kTestClusterId);
  node_.host.Erase(kMemory);  // as on a node that did not write it
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_TRUE(node_.host.LStat(kMemory).ok());
}

// Before the node is READY, and so before it can be told to start.
TEST_F(GuardTest, AsWhichGenerationConnectMayStartAtTheEarliestIsMarkedBesideIt) {
  assignment_.mutable_desired()->set_generation(8);
  assignment_.mutable_desired()->set_lineage("L");
  assignment_.mutable_desired()->mutable_applied_at()->set_seconds(100);
  Turn();
  EXPECT_FALSE(mark_->has_not_before()) << "nobody says so";
  assignment_.set_not_before(9);
  Turn();
  EXPECT_FALSE(mark_->has_not_before()) << "it could not start itself";
  assignment_.set_not_before(8);
  std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_EQ(mark_->not_before().generation(), 8u);
  EXPECT_EQ(mark_->not_before().lineage(), "L");
  EXPECT_EQ(mark_->not_before().applied_at().seconds(), 100);
  // Another node has gone further.
  mark_->mutable_not_before()->set_generation(9);
  said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::CONVERGED) << said;
  EXPECT_EQ(mark_->not_before().generation(), 9u);
}

TEST_F(GuardTest, AnotherClustersMarkIsNeverOverwritten) {
  SetMark("lab", "0000000000000000");
  std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "another cluster's of the same name")) << said;
  SetMark("other", kTestClusterId);
  said = Turn();
  EXPECT_TRUE(StrContains(said, "is marked as cluster other")) << said;
  EXPECT_EQ(mark_->cluster(), "other");
}

TEST_F(GuardTest, WhatBoreAMarkAndBearsNoneIsAnotherFileSystem) {
  Turn();
  mark_.reset();
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "bore the mark of cluster lab")) << said;
  EXPECT_FALSE(mark_);
  node_.host.Erase(kMemory);
  Turn();
  EXPECT_TRUE(mark_);
}

TEST_F(GuardTest, NothingIsMarkedOnTheLocalDisk) {
  node_.host.SetFile("/proc/self/mountinfo",
                     "28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n");
  const std::string said = Turn();
  EXPECT_NE(watch_.last().state(), v1::Convergence::CONVERGED);
  EXPECT_TRUE(StrContains(said, "Server.DataDir is not on the file system")) << said;
  EXPECT_FALSE(mark_);
}

TEST_F(GuardTest, OfADirectoryThatIsNotThereItIsSaidWhoMakesIt) {
  node_.host.SetWork(
      [](char, const std::string&, const std::string&) -> absl::StatusOr<std::string> {
        return absl::NotFoundError("no such directory");
      });
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "there is no /mnt/connect/data to mark")) << said;
}

TEST(GuardExample, IsWhatTheAgentWrites) {
  std::ifstream file(CONNECT_HA_SOURCE_DIR "/systemd/examples/connect-ha-guard.conf");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, GuardText("/mnt/connect"));
}

}  // namespace
}  // namespace connect_ha
