// Connect's unit, both ways, and what is remembered of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/probes/connect/guard.h"
#include "agent/resources/connect_unit.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "agent/resources/service/start_connect.h"
#include "agent/resources/service/without_secrets.h"
#include "common/time.h"
#include "tests/agent/resources/bare_node.h"
#include "tests/fakes/no_progress.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kNotes[] = "/var/lib/connect-ha-agent/service";
constexpr char kGuard[] = "/etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf";
constexpr char kPreflight[] = "/usr/bin/connect-ha-agent preflight";
constexpr char kJournal[] =
    "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=20 "
    "--unit=rstudio-connect.service";
constexpr char kProcesses[] = "/sys/fs/cgroup/system.slice/rstudio-connect.service/cgroup.procs";

class ServiceTest : public testing::Test {
 protected:
  ServiceTest() { SetUnit("inactive", "enabled"); }

  void SetUnit(const std::string& active, const std::string& file) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    unit.set_unit_file_state(file);
    unit.add_exec_start_pre(kPreflight);
    node_.host.SetUnit(unit);
  }
  // Each start comes to this.
  void StartsFail() {
    node_.host.SetUnitEffects(
        kUnit, [this](FakeHost&) { SetUnit("failed", "enabled"); }, nullptr);
  }
  // It has ended, and systemd has started it again so often; looked at.
  void SetRestarting(uint32_t restarts, v1::NodeState told = v1::SERVING) {
    SetUnit("activating", "enabled");
    v1::Unit unit = *node_.host.ReadUnit(kUnit);
    unit.set_sub_state("auto-restart");
    unit.set_restarts(restarts);
    *unit.mutable_started_at() = started_at_;
    node_.host.SetUnit(unit);
    ASSERT_TRUE(NoteTries(Context(), unit, told, seen_).ok());
  }
  void SetProcess(uint32_t id, uint32_t parent, uint32_t uid) {
    node_.host.SetFile(
        absl::StrCat("/proc/", id, "/status"),
        absl::StrCat("Name:\tx\nPPid:\t", parent, "\nUid:\t0\t", uid, "\t", uid, "\t", uid, "\n"));
  }
  ResourceContext Context() {
    ResourceContext context = {node_.host,
                               cache_,
                               integrity_,
                               desired_,
                               options_.agent_config,
                               options_.node,
                               options_.state_dir,
                               options_.cache_dir,
                               "",
                               options_.digest_key,
                               &notes_};
    context.service = order_;
    return context;
  }
  // What it says; "" where it is so.
  std::string Differs() {
    const ResourceContext context = Context();
    const auto change = MakeConnectUnit(context)->Differs();
    if (!change.ok()) return absl::StrCat("error: ", change.status().message());
    return change->has_value() ? absl::StrCat((*change)->from(), " -> ", (*change)->to()) : "";
  }
  absl::Status Apply() {
    const ResourceContext context = Context();
    return MakeConnectUnit(context)->Apply(progress_);
  }
  void Order(UnitWanted unit, uint64_t serial = 1) {
    order_.unit = unit;
    order_.order.set_lineage("L");
    order_.order.set_epoch(1);
    order_.order.set_serial(serial);
  }
  // Changes of units alone.
  std::string Changes() {
    std::vector<std::string> changes;
    for (const std::string& change : node_.host.changes()) {
      if (StrContains(change, "Unit ")) changes.push_back(change.substr(0, change.find(' ')));
    }
    return absl::StrJoin(changes, " ");
  }
  int Starts() {
    const std::vector<std::string> changes = node_.host.changes();
    return static_cast<int>(
        std::count(changes.begin(), changes.end(), absl::StrCat("StartUnit ", kUnit)));
  }

  BareNode node_;
  ProbeCache cache_;
  IntegrityLedger integrity_{node_.host, cache_};
  v1::Desired desired_;
  const ConvergeOptions options_ = node_.Options();
  ServiceNotes notes_{node_.host, kNotes};
  ServiceOrder order_;
  NoProgress progress_;
  const google::protobuf::Timestamp started_at_ = ToProto(node_.host.Now());
  std::optional<uint32_t> seen_;
};

TEST_F(ServiceTest, AConnectThatRunsIsStoppedAndMaskedWhereItIsToBeHeld) {
  SetUnit("active", "enabled");
  Order(UnitWanted::kHeld);
  order_.may_stop = true;
  EXPECT_EQ(Differs(), "active -> masked, stopped");
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(Changes(), "MaskUnit StopUnit");
  EXPECT_EQ(Differs(), "");
  EXPECT_EQ(notes_.Get().masked(), kUnit);
}

TEST_F(ServiceTest, WhereItMayNotBeStoppedItIsLeftAndSaid) {
  SetUnit("active", "enabled");
  Order(UnitWanted::kHeld);
  EXPECT_TRUE(StrContains(Differs(), "Connect runs here")) << Differs();
  EXPECT_EQ(Changes(), "");
}

TEST_F(ServiceTest, AUnitFileInTheWayOfTheMaskKeepsItFromNoStop) {
  SetUnit("active", "enabled");
  node_.host.SetFile("/etc/systemd/system/rstudio-connect.service", "[Service]\n");
  Order(UnitWanted::kHeld);
  order_.may_stop = true;
  EXPECT_TRUE(StrContains(Apply().message(), "is in the way"));
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
}

TEST_F(ServiceTest, WhatConnectLeftRunningIsWaitedFor) {
  Order(UnitWanted::kHeld);
  node_.host.SetFile(kProcesses, "70\n71\n");
  SetProcess(70, 1, 999);
  SetProcess(71, 70, 999);
  EXPECT_TRUE(StrContains(Differs(), "2 processes that it started still run")) << Differs();
  node_.host.SetFile(kProcesses, "");
  EXPECT_EQ(Differs(), "not masked, stopped -> masked, stopped");
}

TEST_F(ServiceTest, AdoptionRestartsNothing) {
  SetUnit("active", "enabled");
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Differs(), "");
  SetUnit("active", "disabled");
  EXPECT_EQ(Differs(), "disabled, active -> enabled, active");
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(Changes(), "EnableUnit");
  EXPECT_EQ(Differs(), "");
}

TEST_F(ServiceTest, AMaskUnderAConnectThatRunsIsTakenAway) {
  SetUnit("active", "enabled");
  ASSERT_TRUE(node_.host.MaskUnit(kUnit).ok());
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Differs(), "masked, active -> enabled, active");
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(Changes(), "MaskUnit UnmaskUnit");
}

// As systemctl mask --runtime makes it.
TEST_F(ServiceTest, AMaskThatABootForgetsIsTakenAwayToo) {
  for (const char* active : {"active", "inactive"}) {
    SetUnit(active, "masked-runtime");
    v1::Unit unit = *node_.host.ReadUnit(kUnit);
    unit.set_load_state("masked");
    node_.host.SetUnit(unit);
    Order(UnitWanted::kRunning);
    EXPECT_EQ(Differs(), absl::StrCat("masked, ", active, " -> enabled, active"));
    ASSERT_TRUE(Apply().ok()) << active;
  }
  EXPECT_EQ(Changes(), "UnmaskUnit UnmaskUnit StartUnit");
}

// As systemctl enable --runtime does.
TEST_F(ServiceTest, WhatTheNextBootWouldNotStartIsEnabled) {
  SetUnit("active", "enabled-runtime");
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Differs(), "disabled, active -> enabled, active");
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(Changes(), "EnableUnit");
  EXPECT_EQ(Differs(), "");
}

TEST_F(ServiceTest, AHeldUnitIsUnmaskedEnabledAndStarted) {
  SetUnit("inactive", "disabled");
  Order(UnitWanted::kHeld);
  ASSERT_TRUE(Apply().ok());
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Differs(), "masked, inactive -> enabled, active");
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(Changes(), "MaskUnit UnmaskUnit EnableUnit StartUnit");
  EXPECT_EQ(Differs(), "");
  EXPECT_EQ(notes_.Get().masked(), "");
  EXPECT_EQ(notes_.Get().starts(), 1u);
  // Its own preflight is systemd's to run.
  EXPECT_TRUE(node_.host.commands_run().empty());
}

TEST_F(ServiceTest, WhereTheUnitDoesNotAskForThePreflightTheAgentDoes) {
  v1::Unit unit = *node_.host.ReadUnit(kUnit);
  unit.clear_exec_start_pre();
  node_.host.SetUnit(unit);
  node_.host.SetCommand(kPreflight, {1, false, "Connect may not start on this node: no mount\n"});
  Order(UnitWanted::kRunning);
  const absl::Status refused = Apply();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(StrContains(refused.message(), "no mount")) << refused;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Apply().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Starts(), 0);
  EXPECT_EQ(notes_.Get().starts(), 0u);
  node_.host.SetCommand(kPreflight, {0, false, ""});
  EXPECT_TRUE(Apply().ok());
  EXPECT_EQ(Starts(), 1);
}

TEST_F(ServiceTest, AStartThatFailsIsTriedThriceAndNoMoreUntilALaterOrder) {
  StartsFail();
  node_.host.SetCommand(kJournal,
                        {0, false, "cannot reach postgres://u:hunter2@db/connect\nexit code 1\n"});
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Apply().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  const absl::Status third = Apply();
  EXPECT_EQ(third.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StrContains(third.message(), "fix: ")) << third;
  EXPECT_TRUE(StrContains(notes_.Get().start_failed(), "exit code 1"));
  EXPECT_FALSE(StrContains(notes_.Get().start_failed(), "hunter2"));
  EXPECT_EQ(Apply().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Starts(), 3);
  Order(UnitWanted::kRunning, 2);
  EXPECT_EQ(Apply().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Starts(), 4);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

// The database is away: nobody has to say anything once it is back.
TEST_F(ServiceTest, AStartThatThePreflightRefusesIsNoTry) {
  node_.host.SetUnitEffects(
      kUnit,
      [this](FakeHost& host) {
        v1::PreflightResult refused;
        *refused.mutable_at() = ToProto(host.Now());
        refused.set_reason("the database does not answer");
        host.SetFile(kPreflightFile, refused.SerializeAsString());
        SetUnit("failed", "enabled");
      },
      nullptr);
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 5; ++i) {
    const absl::Status refused = Apply();
    EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
    EXPECT_TRUE(StrContains(refused.message(), "may not start on this node: the database does"))
        << refused;
  }
  EXPECT_EQ(Starts(), 5);
  EXPECT_EQ(notes_.Get().starts(), 0u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  // What it said of an earlier start explains no later one.
  node_.host.Advance(std::chrono::seconds(1));
  StartsFail();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Apply().ok());
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ARefusedStartIsAskedAgainInAMinuteAtTheLatest) {
  Order(UnitWanted::kRunning);
  const ResourceContext context = Context();
  const std::unique_ptr<Resource> unit = MakeConnectUnit(context);
  EXPECT_EQ(unit->FirstRetry(), std::chrono::seconds(30));
  EXPECT_EQ(unit->LongestRetry(), std::chrono::seconds(60));
}

TEST_F(ServiceTest, WhatConnectPrintedIsToldWithoutWhatIsSecret) {
  (*desired_.mutable_spec()->mutable_secrets())["db_password"].set_file(
      "/etc/connect-ha/secrets/db");
  FakeFile secret;
  secret.content = "correct horse\n";
  secret.mode = 0600;
  node_.host.SetFile("/etc/connect-ha/secrets/db", secret);
  const ResourceContext context = Context();
  EXPECT_EQ(WithoutSecrets(context, "line 7: near \"correct horse\" \n\n token=abc\n"),
            "line 7: near \"***\" \n token=***");
  // Each line of a key, whose ends may be cut off.
  EXPECT_EQ(WithoutSecrets(context,
                           "MIIB\n-----END PRIVATE KEY-----\nit failed:\n"
                           "-----BEGIN RSA PRIVATE KEY-----\nMIIC\n-----END RSA PRIVATE KEY-----\n"
                           "exit code 1\n-----BEGIN PRIVATE KEY-----\nMIID\n"),
            "***\nit failed:\n***\nexit code 1\n***");
}

TEST_F(ServiceTest, WhatStartsAndDoesNotStayUpIsNotStartedForEver) {
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Apply().ok());
    SetUnit("failed", "enabled");
  }
  EXPECT_EQ(Apply().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Starts(), 3);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

// Of Type=simple, say: the start itself goes well each time.
TEST_F(ServiceTest, WhatSystemdStartsAgainAndAgainIsToldAfterThreeTries) {
  node_.host.SetCommand(kJournal, {0, false, "the licence has expired\n"});
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  EXPECT_TRUE(StrContains(Differs(), "about to start it again")) << Differs();
  SetRestarting(1);
  SetRestarting(1);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  SetRestarting(2);
  EXPECT_EQ(notes_.Get().start_failed(), "the licence has expired");
  EXPECT_EQ(notes_.Get().starts(), 3u);
  EXPECT_TRUE(StrContains(Differs(), "Connect did not start, 3 times")) << Differs();
  EXPECT_TRUE(StrContains(Differs(), "\nfix: ")) << Differs();
  EXPECT_EQ(Starts(), 1);
  // Nothing more is written.
  const size_t changes = node_.host.changes().size();
  SetRestarting(9);
  EXPECT_EQ(node_.host.changes().size(), changes);
}

TEST_F(ServiceTest, WhatWasNotSeenIsCountedOnceItIsSeen) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  SetRestarting(4);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

// It drains since its rule took it out of service first.
TEST_F(ServiceTest, WhatDrainsIsCountedOn) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(1);
  Order(UnitWanted::kAsItIs, 2);
  SetRestarting(3, v1::DRAINING);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ALaterOrderCountsWhatSystemdTriesAnew) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  SetRestarting(2);
  ASSERT_NE(notes_.Get().start_failed(), "");
  Order(UnitWanted::kRunning, 2);
  for (const uint32_t restarts : {2u, 3u, 4u}) {
    SetRestarting(restarts);
    EXPECT_EQ(notes_.Get().start_failed(), "") << restarts;
  }
  SetRestarting(5);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, WhatThePreflightRefusesAgainAndAgainIsNoTry) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  node_.host.Advance(std::chrono::seconds(5));
  v1::PreflightResult refused;
  *refused.mutable_at() = ToProto(node_.host.Now());
  refused.set_reason("the database does not answer");
  node_.host.SetFile(kPreflightFile, refused.SerializeAsString());
  for (const uint32_t restarts : {1u, 2u, 30u}) SetRestarting(restarts);
  EXPECT_EQ(notes_.Get().starts(), 1u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  refused.set_may_start(true);
  node_.host.SetFile(kPreflightFile, refused.SerializeAsString());
  SetRestarting(31);
  EXPECT_EQ(notes_.Get().starts(), 2u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

// What has run for long and then crashes is systemd's to start again.
TEST_F(ServiceTest, ACrashOfAConnectThatHasStayedUpIsNoTry) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(notes_
                  .Change([](v1::ServiceMemory& memory) {
                    memory.clear_order();
                    memory.clear_starts();
                  })
                  .ok());
  for (const uint32_t restarts : {0u, 1u, 2u, 3u, 4u}) SetRestarting(restarts);
  EXPECT_EQ(notes_.Get().starts(), 0u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ATryThatCannotBeCountedIsNotMade) {
  Order(UnitWanted::kRunning);
  node_.host.SetError(kNotes, absl::ResourceExhaustedError("no space left on device"));
  EXPECT_EQ(Apply().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Starts(), 0);
}

TEST_F(ServiceTest, WhichVersionWasStartedByWhichOrderIsWrittenDownBeforeTheStart) {
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.08.0~ubuntu22"});
  Order(UnitWanted::kRunning, 4);
  node_.host.SetUnitEffects(
      kUnit,
      [this](FakeHost& host) {
        v1::ServiceMemory on_disk;
        EXPECT_TRUE(on_disk.ParseFromString(*host.ReadFile(kNotes)));
        EXPECT_EQ(on_disk.newest_start().version(), "2024.08.0");
        SetUnit("active", "enabled");
      },
      nullptr);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 4u);
  node_.host.SetUnitEffects(kUnit, nullptr, nullptr);
  // An older one is none that the database was not migrated for.
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.06.0~ubuntu22"});
  SetUnit("inactive", "enabled");
  Order(UnitWanted::kRunning, 5);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().version(), "2024.08.0");
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 4u);
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.08.0~ubuntu22"});
  SetUnit("inactive", "enabled");
  Order(UnitWanted::kRunning, 6);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 6u);
}

TEST_F(ServiceTest, WhereItIsNotKnownWhatWouldBeStartedNothingIs) {
  node_.host.SetError("/var/lib/dpkg/status", absl::UnavailableError("input/output error"));
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Apply().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Starts(), 0);
}

// Killed at any instruction and begun again, it is never started a fourth time.
TEST_F(ServiceTest, KilledWhereverItIsItIsStartedThriceAtTheMost) {
  StartsFail();
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 20; ++i) {
    node_.host.DieAtCall(1 + i % 3);
    ServiceNotes notes(node_.host, kNotes);
    ResourceContext context = Context();
    context.notes = &notes;
    MakeConnectUnit(context)->Apply(progress_).IgnoreError();
    node_.host.Revive();
  }
  EXPECT_LE(Starts(), 3);
}

TEST_F(ServiceTest, WhyItDidNotStartIsToldUntilItIsToldToServeAnew) {
  v1::ServiceMemory memory;
  memory.mutable_order()->set_lineage("L");
  memory.mutable_order()->set_serial(5);
  memory.set_start_failed("why");
  v1::Assignment orders;
  orders.set_state(v1::SERVING);
  *orders.mutable_order() = memory.order();
  EXPECT_EQ(StartFailure(memory, orders), "why");
  orders.set_state(v1::STOPPED);
  orders.clear_order();
  EXPECT_EQ(StartFailure(memory, orders), "why");
  orders.set_state(v1::SERVING);
  *orders.mutable_order() = memory.order();
  orders.mutable_order()->set_serial(6);
  EXPECT_EQ(StartFailure(memory, orders), "");
}

TEST_F(ServiceTest, LeftAsItIsItIsComparedWithWhatItIs) {
  Order(UnitWanted::kAsItIs);
  EXPECT_EQ(Differs(), "not masked, stopped -> masked, stopped");
  SetUnit("active", "enabled");
  EXPECT_EQ(Differs(), "");
  SetUnit("active", "disabled");
  EXPECT_EQ(Differs(), "disabled, active -> enabled, active");
  EXPECT_EQ(Apply().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Changes(), "");
}

class ReleaseTest : public ServiceTest {
 protected:
  absl::Status Release() {
    const ResourceContext context = Context();
    const std::unique_ptr<Resource> release = MakeRelease(context);
    absl::Status applied = release->Apply(progress_);
    if (!applied.ok()) return applied;
    const auto left = release->Differs();
    if (!left.ok()) return left.status();
    return left->has_value() ? absl::InternalError((*left)->from()) : absl::OkStatus();
  }
  bool IsMasked() { return node_.host.ReadUnit(kUnit)->load_state() == "masked"; }
};

TEST_F(ReleaseTest, TakesAwayWhatTheAgentPutThere) {
  Order(UnitWanted::kHeld);
  ASSERT_TRUE(Apply().ok());
  node_.host.SetFile(kGuard, GuardText("/mnt/connect"));
  ASSERT_TRUE(IsMasked());
  ASSERT_TRUE(Release().ok());
  EXPECT_FALSE(IsMasked());
  EXPECT_FALSE(node_.host.Stat("/etc/systemd/system/rstudio-connect.service.d").ok());
  EXPECT_EQ(Starts(), 0);
}

// The agent was killed before systemd was told.
TEST_F(ReleaseTest, AGuardThatSystemdStillHasIsTakenAwayToo) {
  v1::Unit unit = *node_.host.ReadUnit(kUnit);
  unit.add_drop_ins(kGuard);
  node_.host.SetUnit(unit);
  node_.host.SetReload([this](FakeHost&) { SetUnit("inactive", "enabled"); });
  EXPECT_TRUE(Release().ok());
}

TEST_F(ReleaseTest, WhatAPersonPutThereStays) {
  ASSERT_TRUE(node_.host.MaskUnit(kUnit).ok());
  Order(UnitWanted::kHeld);
  ASSERT_TRUE(Apply().ok());
  node_.host.SetFile(kGuard, "[Service]\nExecStartPre=/usr/local/bin/mine\n");
  ASSERT_TRUE(Release().ok());
  EXPECT_TRUE(IsMasked());
  EXPECT_TRUE(node_.host.Stat(kGuard).ok());
}

TEST_F(ReleaseTest, KilledInBetweenItIsDoneByTheNext) {
  for (int call = 1; call <= 6; ++call) {
    SetUnit("inactive", "enabled");
    Order(UnitWanted::kHeld);
    ASSERT_TRUE(Apply().ok());
    node_.host.SetFile(kGuard, GuardText("/mnt/connect"));
    node_.host.DieAtCall(call);
    Release().IgnoreError();
    node_.host.Revive();
    EXPECT_TRUE(Release().ok()) << call;
    EXPECT_FALSE(IsMasked()) << call;
  }
}

TEST(ServiceNotes, AreThereAfterARestartAndWrittenOnlyWhereTheyChange) {
  BareNode node;
  {
    ServiceNotes notes(node.host, kNotes);
    EXPECT_TRUE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(2); }).ok());
  }
  ServiceNotes notes(node.host, kNotes);
  EXPECT_EQ(notes.Get().starts(), 2u);
  const size_t written = node.host.changes().size();
  EXPECT_TRUE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(2); }).ok());
  EXPECT_EQ(node.host.changes().size(), written);
  // What could not be written holds all the same, and is written with the next.
  node.host.SetError(kNotes, absl::ResourceExhaustedError("full"));
  EXPECT_FALSE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(3); }).ok());
  EXPECT_EQ(notes.Get().starts(), 3u);
  node.host.SetError(kNotes, absl::OkStatus());
  EXPECT_TRUE(notes.Change([](v1::ServiceMemory&) {}).ok());
  EXPECT_EQ(ServiceNotes(node.host, kNotes).Get().starts(), 3u);
  node.host.SetFile(kNotes, "\xff\xff");
  EXPECT_EQ(ServiceNotes(node.host, kNotes).Get().starts(), 0u);
}

}  // namespace
}  // namespace connect_ha
