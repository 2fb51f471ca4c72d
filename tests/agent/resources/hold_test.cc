// A package is on hold, also over a power cut, until the node is let go: then as before.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/failures.h"

namespace connect_ha {
namespace {

using absl::StrContains;

TEST_F(FailuresTest, WhatAptCouldNotInstallIsOnHoldAgain) {
  FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
  node_.SetInstalled(older, "hold ok installed");
  FakeServiceCommand refused;
  refused.exit_code = 100;
  refused.log = "E: something is wrong\n";
  node_.host.SetService(InstallLine("--reinstall "), refused);
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK) << said();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, hold ok installed");
}

TEST_F(FailuresTest, APowerCutAfterTheHoldWasTakenOffIsMended) {
  CutPowerWhileTheHoldIsOff();
  ExpectConverged();
  EXPECT_FALSE(StrContains(Commands(1), "unhold")) << Commands(1);
  Release();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
}

TEST_F(FailuresTest, AHoldThatAPowerCutLeftOffIsPutBackByLettingGo) {
  CutPowerWhileTheHoldIsOff();
  Release();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, hold ok installed");
}

// Nothing is left that would have it put on hold once more.
TEST_F(FailuresTest, WhatOthersTakeOffHoldAfterLettingGoStaysOff) {
  const std::string notes = absl::StrCat(kStateDir, "/holds");
  CutPowerWhileTheHoldIsOff();
  Release();
  const FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
  node_.SetInstalled(older, "install ok installed");
  Turn();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, install ok installed");
  EXPECT_TRUE(node_.host.ListDirectory(notes)->empty());
  // Its agent was killed before it forgot that the hold is back.
  node_.SetInstalled(older, "hold ok installed");
  node_.host.SetFile(absl::StrCat(notes, "/rstudio-connect"), "others\n");
  Turn();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, hold ok installed");
  EXPECT_TRUE(node_.host.ListDirectory(notes)->empty());
}

TEST_F(FailuresTest, LettingGoTakesOffTheAgentsHold) {
  ExpectConverged();
  Release();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, install ok installed");
  EXPECT_EQ(agent_->journal.Pending(10).back().change().from(),
            "on hold by this agent: rstudio-connect");
  // What is put on hold afterwards is nobody's but theirs who did it.
  node_.SetInstalled(deb_, "hold ok installed");
  Turn();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
}

TEST_F(FailuresTest, LettingGoLeavesTheHoldsOfOthers) {
  FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
  node_.SetInstalled(older, "hold ok installed");
  ExpectConverged();
  Release();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
}

TEST_F(FailuresTest, LettingGoMayBeKilledAnywhereAndDoneAgain) {
  const std::string notes = absl::StrCat(kStateDir, "/holds");
  for (int call = 1; call <= 20; ++call) {
    TakeBack();
    Restart();
    ExpectConverged();
    node_.host.DieAtCall(call);
    Release();
    node_.host.Revive();
    Restart();
    Turn();
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, install ok installed")
        << call;
    EXPECT_TRUE(node_.host.ListDirectory(notes)->empty()) << call;
  }
}

// An installation that is under way ends with the hold.
TEST_F(FailuresTest, LettingGoWaitsForTheInstallationThatRuns) {
  deb_.reads = 5;
  Publish();
  watch_.StopAfterWaits(2);
  Turn();
  ASSERT_FALSE(node_.host.services_started().empty());
  watch_.StopAfterWaits(0);
  Restart();
  Release();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, install ok installed");
}

}  // namespace
}  // namespace connect_ha
