// Connect's unit, both ways.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/service_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kGuard[] = "/etc/systemd/system/rstudio-connect.service.d/connect-ha-guard.conf";
constexpr char kProcesses[] = "/sys/fs/cgroup/system.slice/rstudio-connect.service/cgroup.procs";

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

}  // namespace
}  // namespace connect_ha
