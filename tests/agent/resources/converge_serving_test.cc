// A node whose Connect runs or is to: started, put right, changed where it may be, and let go.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "tests/agent/resources/converge_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(ConvergeTest, OfAConnectThatRunsAPreviewSaysOnlyWhatDiffers) {
  Serve();
  const v1::Preview preview = agent_->converge.MakePreview(assignment_.desired());
  EXPECT_EQ(preview.changes_size(), 0);
  EXPECT_EQ(preview.troubles_size(), 0);
}

TEST_F(ConvergeTest, AReadyNodeIsStartedWhenItIsToServe) {
  Serve();
  EXPECT_EQ(said(), "CONVERGED");
  const v1::Unit unit = *node_.host.ReadUnit(kUnit);
  EXPECT_EQ(unit.load_state(), "loaded");
  EXPECT_EQ(unit.active_state(), "active");
  EXPECT_EQ(agent_->converge.Memory().served().generation(), 7u);
}

// What the database says before Connect answers is from before it migrated it.
TEST_F(ConvergeTest, HowFarTheDatabaseIsIsNotedOnceConnectIsRightAndAnswers) {
  v1::Facts facts;
  node_.facts = [&facts] { return facts; };
  Restart();
  Serve();
  v1::ConnectFacts& connect = *facts.mutable_connect();
  connect.mutable_package()->set_version("2024.08.0~ubuntu22");
  connect.set_running_version("2024.08.0");
  facts.mutable_database()->set_migration("1");
  v1::ProbeRun& asked = *facts.add_runs();
  asked.set_probe("database");
  asked.set_state(v1::ProbeRun::DONE);
  *asked.mutable_started_at() = ToProto(node_.host.Now());
  const auto noted = [this] {
    Turn();
    const v1::ServiceMemory memory = agent_->converge.Memory();
    return absl::StrCat(memory.right_version(), " ", memory.right_migration());
  };
  EXPECT_EQ(noted(), " ");
  node_.host.Advance(seconds(1));
  connect.mutable_ping()->set_http_status(200);
  EXPECT_EQ(noted(), " ");
  node_.host.Advance(seconds(1));
  facts.mutable_database()->set_migration("1,2");
  *facts.mutable_runs(0)->mutable_started_at() = ToProto(node_.host.Now());
  EXPECT_EQ(noted(), "2024.08.0 1,2");
  // A newer Connect elsewhere: that is not this one's any more.
  facts.mutable_database()->set_migration("1,2,3");
  EXPECT_EQ(noted(), "2024.08.0 1,2");
  // Of the next package nothing is known yet.
  node_.host.SetFile("/opt/rstudio-connect/bin/connect", "tampered");
  agent_->converge.VerifyAgain();
  assignment_.set_state(v1::PREPARING);
  agent_->converge.NoteReached(v1::SERVING);
  EXPECT_EQ(noted(), " ") << said();
}

// It is told so with every order: once, it forgets.
TEST_F(ConvergeTest, WhatTheDatabaseSaidIsForgottenOnceItWasPutBack) {
  Serve();
  const auto remember = [this] {
    ServiceNotes notes(node_.host, absl::StrCat(kStateDir, "/service"));
    return notes.Change([](v1::ServiceMemory& memory) {
      memory.set_right_version("2024.08.0");
      memory.set_right_migration("1,2");
    });
  };
  const auto right = [this] {
    Restart();
    Turn();
    return agent_->converge.Memory().right_migration();
  };
  ASSERT_TRUE(remember().ok());
  EXPECT_EQ(right(), "1,2");
  assignment_.mutable_database_restored()->set_epoch(3);
  assignment_.mutable_database_restored()->set_serial(9);
  EXPECT_EQ(right(), "");
  ASSERT_TRUE(remember().ok());
  EXPECT_EQ(right(), "1,2");
  // And once more.
  assignment_.mutable_database_restored()->set_serial(12);
  EXPECT_EQ(right(), "");
}

// systemd starts it again and again.
TEST_F(ConvergeTest, WhatDoesNotStayUpIsToldAndForgottenOnceItDoes) {
  Serve();
  ASSERT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
  v1::Unit unit = *node_.host.ReadUnit(kUnit);
  unit.set_active_state("activating");
  unit.set_sub_state("auto-restart");
  for (const uint32_t restarts : {0u, 1u, 2u}) {
    EXPECT_EQ(agent_->converge.Memory().start_failed(), "");
    unit.set_restarts(restarts);
    node_.host.SetUnit(unit);
    Turn();
  }
  EXPECT_EQ(agent_->converge.Memory().start_failed(), "its journal says nothing");
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(absl::StrContains(trouble().error(), "Connect did not start, 3 times")) << said();

  unit.set_active_state("active");
  unit.set_sub_state("running");
  *unit.mutable_started_at() = ToProto(node_.host.Now());
  node_.host.SetUnit(unit);
  EXPECT_EQ(Turn(), milliseconds(120'000));
  EXPECT_NE(agent_->converge.Memory().start_failed(), "");
  node_.host.Advance(minutes(2));
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(agent_->converge.Memory().start_failed(), "");
  EXPECT_EQ(agent_->converge.Memory().starts(), 3u);
  node_.host.Advance(minutes(8));
  Turn();
  EXPECT_EQ(agent_->converge.Memory().starts(), 0u);
}

TEST_F(ConvergeTest, DriftOfANodeThatServesIsPutRightAndNothingIsStopped) {
  Serve();
  const size_t before = node_.host.changes().size();
  node_.host.SetFile("/opt/R/4.3.3/bin/R", "tampered");
  FakeFile edited;
  edited.content = "[Server]\nAddress = https://elsewhere\n";
  edited.mode = 0600;
  node_.host.SetFile(kConfigFile, edited);
  agent_->converge.VerifyAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(*node_.host.ReadFile("/opt/R/4.3.3/bin/R"), "R 4.3.3");
  EXPECT_TRUE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "https://node-1"));
  const std::vector<std::string> changes = node_.host.changes();
  for (size_t i = before; i < changes.size(); ++i) {
    EXPECT_FALSE(absl::StrContains(changes[i], absl::StrCat("Unit ", kUnit))) << changes[i];
  }
}

TEST_F(ConvergeTest, WhatConnectWouldHaveToBeRestartedForWaitsAndComesFirst) {
  Serve();
  assignment_.mutable_desired()->set_generation(8);
  assignment_.mutable_desired()->set_connect_config(
      "[Server]\nAddress = https://other\n[Postgres]\nPassword = ${secret.db_password}\n");
  node_.host.SetFile("/opt/R/4.3.3/bin/R", "tampered");
  agent_->converge.VerifyAgain();
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::DIFFERS) << said();
  ASSERT_EQ(watch_.last().changes_size(), 1);
  EXPECT_EQ(watch_.last().changes(0).interrupts(), "Connect must be restarted");
  EXPECT_FALSE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "https://other"));
  EXPECT_EQ(*node_.host.ReadFile("/opt/R/4.3.3/bin/R"), "R 4.3.3");
  EXPECT_EQ(agent_->converge.Memory().served().generation(), 7u);
}

// Standin.Banner is reloadable, Server.Address is not, Server.DataDir is one for all nodes.
TEST_F(ConvergeTest, AChangeSaysWhatItTakes) {
  Serve();
  SetConnect("active", /*can_reload=*/true);
  const auto needs = [this](const std::string& more) {
    WantConfig(more);
    const v1::Preview preview = agent_->converge.MakePreview(assignment_.desired());
    EXPECT_EQ(preview.changes_size(), 1);
    return preview.needs();
  };
  EXPECT_EQ(needs("[Standin]\nBanner = \"soon\"\n"), v1::Change::RELOAD);
  EXPECT_EQ(needs("[Standin]\nBanner = \"soon\"\n[Server]\nHideVersion = true\n"),
            v1::Change::RESTART);
  EXPECT_EQ(needs("[Server]\nDataDir = /mnt/connect/data\nHideVersion = true\n"),
            v1::Change::TOGETHER);
  SetConnect("active", /*can_reload=*/false);
  EXPECT_EQ(needs("[Standin]\nBanner = \"soon\"\n"), v1::Change::RESTART);
}

TEST_F(ConvergeTest, WhatIsOnlyAddedTakesNothingAndAnotherConnectAllNodes) {
  Serve();
  node_.host.Erase("/opt/quarto/1.5.57");
  desired().set_license("another licence");
  v1::Preview preview = agent_->converge.MakePreview(desired());
  EXPECT_EQ(preview.changes_size(), 2);
  EXPECT_EQ(preview.needs(), v1::Change::NOTHING);
  for (const v1::Change& change : preview.changes()) EXPECT_EQ(change.interrupts(), "");
  spec().mutable_connect()->set_version("2024.09.0");
  connect() = node_.Publish("newer.deb", FakeDeb{"rstudio-connect", "2024.09.0~ubuntu22"});
  preview = agent_->converge.MakePreview(desired());
  EXPECT_EQ(preview.needs(), v1::Change::TOGETHER);
  EXPECT_EQ(preview.changes(0).resource(), "package rstudio-connect");
}

TEST_F(ConvergeTest, ADamagedConnectTakesARestartOfTheOneNode) {
  Serve();
  node_.host.SetFile("/opt/rstudio-connect/bin/connect", "tampered");
  agent_->converge.VerifyAgain();
  const v1::Preview preview = agent_->converge.MakePreview(desired());
  ASSERT_EQ(preview.changes_size(), 1);
  EXPECT_EQ(preview.changes(0).needs(), v1::Change::RESTART);
}

TEST_F(ConvergeTest, WhereConnectIsNotInstalledThereIsNobodyToInterrupt) {
  const v1::Preview preview = agent_->converge.MakePreview(desired());
  EXPECT_EQ(preview.needs(), v1::Change::NOTHING);
  assignment_.set_state(v1::OBSERVED);
  Turn();
  EXPECT_EQ(watch_.last().needs(), v1::Change::NOTHING);
}

TEST_F(ConvergeTest, WhatConnectCanReadAnewIsReloadedWhileItServes) {
  Serve();
  SetConnect("active", /*can_reload=*/true);
  WantConfig("[Standin]\nBanner = \"soon\"\n");
  assignment_.set_state(v1::DRAINING);
  Turn();
  EXPECT_EQ(watch_.last().needs(), v1::Change::RELOAD) << said();
  EXPECT_EQ(Calls("ReloadUnit"), 0);
  assignment_.set_state(v1::SERVING);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(Calls("ReloadUnit"), 1);
  EXPECT_EQ(Calls("StopUnit"), 0);
  EXPECT_TRUE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "soon"));
  EXPECT_TRUE(agent_->cache.reload.Get()->has_done_at());
  Turn();
  EXPECT_EQ(Calls("ReloadUnit"), 1);
}

TEST_F(ConvergeTest, KilledBetweenTheFileAndTheReloadItIsReloadedByTheNext) {
  Serve();
  SetConnect("active", /*can_reload=*/true);
  bool died = true;
  for (int n = 1; died; ++n) {
    ASSERT_LT(n, 50);
    WantConfig(absl::StrCat("[Standin]\nBanner = \"", n, "\"\n"));
    const int before = Calls("ReloadUnit");
    node_.host.DieAtCall(n);
    Turn();
    died = node_.host.dead();
    node_.host.Revive();
    Restart();
    Turn();
    EXPECT_EQ(said(), "CONVERGED") << n;
    EXPECT_GT(Calls("ReloadUnit"), before) << n;
    const std::vector<std::string> changes = node_.host.changes();
    const auto last = [&changes](const std::string& call) {
      return std::find(changes.rbegin(), changes.rend(), call) - changes.rbegin();
    };
    EXPECT_LT(last(absl::StrCat("ReloadUnit ", kUnit)),
              last(absl::StrCat("WriteFile ", kConfigFile)))
        << n;
  }
}

// The other nodes, and a canary, may have to go before.
TEST_F(ConvergeTest, AConnectThatFellOverBeforeItsTurnGoesOnAsItWas) {
  Serve();
  WantConfig("[Server]\nHideVersion = true\n");
  SetConnect("inactive");
  Turn();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
  EXPECT_FALSE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "HideVersion"));
  EXPECT_EQ(watch_.last().needs(), v1::Change::RESTART) << said();
}

TEST_F(ConvergeTest, WhatChangesBetweenReadyAndTheStartIsPutRightBeforeIt) {
  Turn();
  agent_->converge.NoteReached(v1::READY);
  SetConnect("inactive");
  FakeFile edited;
  edited.content = "[Server]\nAddress = https://elsewhere\n";
  edited.mode = 0600;
  node_.host.SetFile(kConfigFile, edited);
  assignment_.set_state(v1::SERVING);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
  EXPECT_TRUE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "https://node-1"));
}

TEST_F(ConvergeTest, DriftUnderAConnectThatFellOverIsPutRightBeforeItStarts) {
  Serve();
  FakeFile edited;
  edited.content = "[Server]\nAddress = https://elsewhere\n";
  edited.mode = 0600;
  node_.host.SetFile(kConfigFile, edited);
  SetConnect("inactive");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
  EXPECT_TRUE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "https://node-1"));
}

TEST_F(ConvergeTest, WhatIsForAllNodesTogetherIsNotDoneToOneThatIsToServeNorIsItStarted) {
  Serve();
  WantConfig("[Postgres]\nURL = \"postgres://db/other\"\n");
  SetConnect("inactive");
  Turn();
  EXPECT_EQ(watch_.last().needs(), v1::Change::TOGETHER) << said();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
  EXPECT_FALSE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "other"));
}

// Its next start, alone, would be with another key or database than the others'.
TEST_F(ConvergeTest, ASecretThatAllNodesHaveInCommonIsNotPutUnderAConnectThatRuns) {
  const auto set = [this](const std::string& path, const std::string& content) {
    FakeFile file;
    file.content = content;
    file.mode = 0600;
    node_.host.SetFile(path, file);
  };
  const std::string secret = "/etc/connect-ha/secrets/db";
  WantConfig("[Server]\nEncryptionKey = ${secret.db_password}\n");
  Serve();
  ASSERT_EQ(said(), "CONVERGED");
  set(secret, "correct-horse\n");
  Turn();
  EXPECT_EQ(watch_.last().needs(), v1::Change::TOGETHER) << said();
  ASSERT_GT(watch_.last().changes_size(), 0);
  EXPECT_TRUE(watch_.last().changes(0).filled_in_anew());
  EXPECT_TRUE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "hunter2"));
  // What somebody changed in the file, here alone, is put back as ever.
  set(secret, "hunter2\n");
  set(kConfigFile, "[Server]\nEncryptionKey = elsewhere\n");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_FALSE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "elsewhere"));
}

TEST_F(ConvergeTest, ADrainingNodeIsNeitherStartedNorStopped) {
  Serve();
  assignment_.set_state(v1::DRAINING);
  const size_t before = node_.host.changes().size();
  Turn();
  EXPECT_EQ(node_.host.changes().size(), before);
  SetConnect("failed");
  Turn();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "failed");
}

TEST_F(ConvergeTest, AStoppedNodeIsStoppedAndOtherwiseLeft) {
  Serve();
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  assignment_.set_state(v1::STOPPED);
  Turn();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->load_state(), "masked");
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
  EXPECT_FALSE(node_.host.Stat("/var/lib/rstudio-connect/connect.lic").ok());
  EXPECT_EQ(watch_.last().state(), v1::Convergence::DIFFERS);
}

TEST_F(ConvergeTest, AFencedNodeIsStoppedBeforeAnythingElseIsLookedAtThoughTheDiskIsFull) {
  Serve();
  node_.host.SetError(kStateDir, absl::ResourceExhaustedError("no space left on device"));
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  assignment_.set_state(v1::FENCED);
  const size_t before = node_.host.changes().size();
  Turn();
  const std::vector<std::string> changes = node_.host.changes();
  ASSERT_GT(changes.size(), before + 1);
  EXPECT_EQ(changes[before], absl::StrCat("MaskUnit ", kUnit));
  EXPECT_EQ(changes[before + 1], absl::StrCat("StopUnit ", kUnit));
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
}

TEST_F(ConvergeTest, AFencedNodeIsPutRight) {
  Serve();
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  assignment_.set_state(v1::FENCED);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_TRUE(node_.host.Stat("/var/lib/rstudio-connect/connect.lic").ok());
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->load_state(), "masked");
}

TEST_F(ConvergeTest, WhatWasBuiltByHandIsTakenOverAsItRuns) {
  Turn();
  Restart();
  node_.host.Erase(absl::StrCat(kStateDir, "/artifacts"));
  ASSERT_TRUE(node_.host.UnmaskUnit(kUnit).ok());
  SetConnect("active");
  assignment_.set_state(v1::OBSERVED);
  Turn();
  for (const v1::Change& change : watch_.last().changes()) {
    EXPECT_EQ(change.interrupts(), "") << said();
  }
  EXPECT_EQ(watch_.last().troubles_size(), 0) << said();
  const size_t before = node_.host.changes().size();
  assignment_.set_state(v1::SERVING);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  const std::vector<std::string> changes = node_.host.changes();
  for (size_t i = before; i < changes.size(); ++i) {
    EXPECT_FALSE(absl::StrContains(changes[i], absl::StrCat("Unit ", kUnit))) << changes[i];
  }
}

TEST_F(ConvergeTest, HandsAreTakenOffWhereThatIsAsked) {
  Turn();
  ASSERT_EQ(node_.host.ReadUnit(kUnit)->load_state(), "masked");
  assignment_.set_state(v1::OBSERVED);
  assignment_.set_release(true);
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  Turn();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->load_state(), "loaded");
  EXPECT_EQ(node_.DpkgStatus("r-4.3.3"), "1, install ok installed");
  EXPECT_FALSE(node_.host.Stat("/var/lib/rstudio-connect/connect.lic").ok());
}

TEST_F(ConvergeTest, HandsAreTakenOffUnderAConnectThatRuns) {
  Serve();
  ASSERT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
  assignment_.set_state(v1::OBSERVED);
  assignment_.set_release(true);
  Turn();
  EXPECT_EQ(watch_.last().troubles_size(), 0) << said();
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, install ok installed");
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
}

// As long as it runs by a configuration that names it, it offers it; and would not start without.
TEST_F(ConvergeTest, WhatIsNoLongerNamedIsThereUntilConnectWasStoppedForIt) {
  WantConfig("[R]\nExecutable = /opt/R/4.4.1/bin/R\n");
  Serve();
  ASSERT_EQ(said(), "CONVERGED");
  WantConfig("");
  spec().mutable_runtimes()->mutable_r()->RemoveLast();
  spec().mutable_runtimes()->set_prune(true);
  Turn();
  EXPECT_EQ(watch_.last().needs(), v1::Change::RESTART) << said();
  EXPECT_EQ(watch_.last().changes_size(), 2) << said();
  EXPECT_TRUE(IsThere("/opt/R/4.4.1/bin/R"));
  agent_->converge.NoteReached(v1::DRAINING);
  assignment_.set_state(v1::PREPARING);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_FALSE(IsThere("/opt/R/4.4.1/bin/R"));
}

}  // namespace
}  // namespace connect_ha
