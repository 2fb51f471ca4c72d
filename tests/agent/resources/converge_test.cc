// A whole node, brought from nothing to its specification.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/install/installer.h"
#include "common/time.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class ConvergeTest : public testing::Test {
 protected:
  ConvergeTest() : assignment_(node_.FullAssignment()), agent_(std::make_unique<Agent>(node_)) {}

  std::optional<milliseconds> Turn() { return agent_->converge.Turn(assignment_, watch_); }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  v1::Artifact& connect() { return *spec().mutable_connect()->mutable_package(); }
  std::string said() const { return Describe(watch_.last()); }
  const v1::Trouble& trouble() const { return watch_.last().troubles(0); }
  // The latest change of a resource.
  v1::Change Made(const std::string& resource) const {
    v1::Change latest;
    for (const v1::ChangeMade& made : agent_->journal.Pending(100)) {
      if (made.change().resource() == resource) latest = made.change();
    }
    return latest;
  }
  bool IsThere(const std::string& path) { return node_.host.Stat(path).ok(); }
  v1::Desired& desired() { return *assignment_.mutable_desired(); }
  // The next generation, with these lines more.
  void WantConfig(const std::string& more) {
    desired().set_generation(desired().generation() + 1);
    desired().set_connect_config(
        absl::StrCat("[Server]\nAddress = https://${node.name}\n[Postgres]\nPassword = "
                     "${secret.db_password}\n",
                     more));
  }
  int Calls(const std::string& call) const {
    int count = 0;
    for (const std::string& change : node_.host.changes()) {
      if (absl::StartsWith(change, call + " ")) ++count;
    }
    return count;
  }
  void SetConnect(const std::string& active, bool can_reload = false) {
    v1::Unit unit;
    unit.set_can_reload(can_reload);
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    unit.set_unit_file_state("enabled");
    unit.add_exec_start_pre("/usr/bin/connect-ha-agent preflight");
    node_.host.SetUnit(unit);
  }
  // From nothing, by way of being ready. What the node has reached is noted as the converger does.
  void Serve() {
    Turn();
    agent_->converge.NoteReached(v1::READY);
    SetConnect("inactive");
    assignment_.set_state(v1::SERVING);
    Turn();
    agent_->converge.NoteReached(v1::SERVING);
  }
  // The agent is killed and started again; PID 1 and what it runs stay.
  void Restart() { agent_ = std::make_unique<Agent>(node_); }

  BareNode node_;
  v1::Assignment assignment_;
  std::unique_ptr<Agent> agent_;
  TestWatch watch_{node_.host};
};

TEST_F(ConvergeTest, ABareNodeIsBroughtToTheSpecification) {
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(watch_.last().generation(), 7u);
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
  EXPECT_EQ(node_.DpkgStatus("r-4.3.3"), "1, hold ok installed");
  EXPECT_EQ(node_.DpkgStatus("r-4.4.1"), "1, hold ok installed");
  EXPECT_EQ(node_.DpkgStatus("python-3.11.9"), "1, hold ok installed");
  EXPECT_EQ(*node_.host.ReadFile("/opt/quarto/1.5.57/share/version"), "1.5.57");
  EXPECT_EQ(*node_.host.ReadFile("/var/lib/rstudio-connect/connect.lic"), "the licence");
  EXPECT_EQ(node_.host.Stat("/var/lib/rstudio-connect/connect.lic")->mode, 0600u);
  const std::string config = *node_.host.ReadFile(kConfigFile);
  EXPECT_TRUE(absl::EndsWith(config,
                             "[Server]\nAddress = \"https://node-1\"\n\n[Postgres]\nPassword = "
                             "\"hunter2\"\n"))
      << config;
  EXPECT_EQ(node_.host.Stat(kConfigFile)->mode, 0600u);
  EXPECT_EQ(node_.host.LookUpUser("rstudio-connect")->uid, 999u);
}

TEST_F(ConvergeTest, ConnectIsNeverStartedThoughItsPackageTries) {
  Turn();
  const v1::Unit unit = *node_.host.ReadUnit(kUnit);
  EXPECT_EQ(unit.load_state(), "masked");
  EXPECT_EQ(unit.active_state(), "inactive");
}

// As systemctl mask --runtime makes it.
TEST_F(ConvergeTest, AMaskThatABootForgetsIsNotEnough) {
  v1::Unit unit;
  unit.set_name(kUnit);
  unit.set_load_state("masked");
  unit.set_unit_file_state("masked-runtime");
  unit.set_active_state("inactive");
  node_.host.SetUnit(unit);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(Made(absl::StrCat("unit ", kUnit)).to(), "masked, stopped");
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->unit_file_state(), "masked");
}

TEST_F(ConvergeTest, EveryChangeIsToldWithBeforeAfterAndWhy) {
  Turn();
  std::vector<std::string> told;
  for (const v1::ChangeMade& made : agent_->journal.Pending(100)) {
    told.push_back(absl::StrCat(made.change().resource(), ": ", made.change().from(), " -> ",
                                made.change().to(), " (", made.generation(), ")"));
  }
  const std::vector<std::string> expected = {
      "unit rstudio-connect.service: absent -> masked, stopped (7)",
      "account rstudio-connect: absent -> uid 999, gid 999 (7)",
      "package rstudio-connect: absent -> 2024.08.0, held (7)",
      "package r-4.3.3: absent -> installed, held (7)",
      "package r-4.4.1: absent -> installed, held (7)",
      "package python-3.11.9: absent -> installed, held (7)",
      "archive quarto 1.5.57: absent -> 1.5.57 at /opt/quarto/1.5.57 (7)",
      "license connect.lic: absent -> the specification's, alone (7)",
      absl::StrCat("file ", kConfigFile, ": absent -> as the specification gives it (7)")};
  EXPECT_EQ(told, expected);
  EXPECT_GT(agent_->journal.Pending(100)[2].duration_us(), 0);
}

TEST_F(ConvergeTest, TellsWhatItDoesWhileItDoesIt) {
  Turn();
  std::set<std::string> phases;
  for (const v1::Convergence& convergence : watch_.published) {
    if (convergence.step().resource() == "package rstudio-connect") {
      phases.insert(v1::Step::Phase_Name(convergence.step().phase()));
    }
  }
  EXPECT_EQ(phases, (std::set<std::string>{"DOWNLOADING", "VERIFYING", "INSTALLING"}));
  EXPECT_EQ(watch_.published.front().state(), v1::Convergence::LOOKING);
}

TEST_F(ConvergeTest, ASecondTurnChangesNothing) {
  Turn();
  const size_t before = node_.host.changes().size();
  Turn();
  EXPECT_EQ(node_.host.changes().size(), before);
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, AnObservedNodeIsOnlyLookedAt) {
  assignment_.set_state(v1::OBSERVED);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::DIFFERS);
  EXPECT_EQ(watch_.last().changes_size(), 9);
  EXPECT_TRUE(node_.host.changes().empty());
}

TEST_F(ConvergeTest, WhatObservesIsNotEnforcedWhateverTheState) {
  spec().set_enforcement(v1::OBSERVE);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::DIFFERS);
  EXPECT_TRUE(node_.host.changes().empty());
}

TEST_F(ConvergeTest, ANodeWhereConnectRunsIsNotTouched) {
  v1::Unit unit;
  unit.set_name(kUnit);
  unit.set_load_state("loaded");
  unit.set_active_state("active");
  node_.host.SetUnit(unit);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(absl::StrContains(trouble().error(), "Connect runs here")) << said();
  EXPECT_TRUE(absl::StrContains(trouble().fix(), "systemctl stop rstudio-connect.service"));
  EXPECT_TRUE(node_.host.changes().empty());
}

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

TEST_F(ConvergeTest, APreviewSaysWhatWouldBeChangedAndChangesNothing) {
  const v1::Preview preview = agent_->converge.MakePreview(assignment_.desired());
  EXPECT_EQ(preview.changes_size(), 9);
  EXPECT_EQ(preview.changes(2).resource(), "package rstudio-connect");
  EXPECT_EQ(preview.changes(2).interrupts(), "Connect must be stopped");
  EXPECT_EQ(agent_->converge.MakePreview(assignment_.desired(), "archive").changes_size(), 1);
  EXPECT_TRUE(node_.host.changes().empty());
}

TEST_F(ConvergeTest, ATamperedRuntimeIsFoundAndMended) {
  Turn();
  node_.host.SetFile("/opt/R/4.3.3/bin/R", "tampered");
  agent_->converge.VerifyAgain();
  assignment_.set_state(v1::OBSERVED);
  Turn();
  EXPECT_EQ(said(),
            "DIFFERS\npackage r-4.3.3: 1, 1 file changed: changed /opt/R/4.3.3/bin/R -> "
            "installed, held");
  assignment_.set_state(v1::PREPARING);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(*node_.host.ReadFile("/opt/R/4.3.3/bin/R"), "R 4.3.3");
}

TEST_F(ConvergeTest, AMissingFileOfQuartoIsFoundAndMended) {
  Turn();
  node_.host.Erase("/opt/quarto/1.5.57/share/version");
  agent_->converge.VerifyAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(*node_.host.ReadFile("/opt/quarto/1.5.57/share/version"), "1.5.57");
  const auto made = agent_->journal.Pending(100).back().change();
  EXPECT_EQ(made.from(), "1 file missing: missing /opt/quarto/1.5.57/share/version");
}

TEST_F(ConvergeTest, AKeyEditedByHandIsNamedAndNoSecretIs) {
  Turn();
  FakeFile edited;
  edited.content =
      "[Server]\nAddress = \"https://me:s3cret@elsewhere\"\n[Postgres]\nPassword = "
      "\"other\"\n[HTTP]\nNoWarning = true\n";
  edited.mode = 0600;
  node_.host.SetFile(kConfigFile, edited);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  const v1::Change made = agent_->journal.Pending(100).back().change();
  EXPECT_EQ(made.from(),
            "HTTP.NoWarning is \"true\", Postgres.Password differs, Server.Address is "
            "\"https://***@elsewhere\"");
  EXPECT_EQ(made.to(),
            "HTTP.NoWarning is absent, Postgres.Password differs, Server.Address is "
            "\"https://node-1\"");
}

TEST_F(ConvergeTest, ANetworkThatIsDownIsWaitedFor) {
  node_.host.SetDownload(connect().url(), {"", {}, absl::UnavailableError("no route to host")});
  const auto retry = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::WAITING);
  EXPECT_EQ(trouble().error(), "https://example.com/connect.deb: no route to host, after 4 tries");
  EXPECT_TRUE(trouble().has_retry_at());
  ASSERT_TRUE(retry.has_value());
  const size_t before = node_.host.changes().size();
  Turn();  // an event: too early
  EXPECT_EQ(node_.host.changes().size(), before);
  spec() = node_.FullAssignment().desired().spec();  // the network is back
  watch_.Pass(*retry);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, AWrongDigestStopsTheNodeUntilTheSpecificationChanges) {
  const std::string right = connect().sha256();
  connect().set_sha256(std::string(64, 'a'));
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(absl::StrContains(trouble().error(), "has sha256 " + right)) << said();
  EXPECT_TRUE(absl::StrContains(trouble().error(), "fetched twice"));
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "");
  const size_t before = node_.host.changes().size();
  watch_.Pass(minutes(60));
  Turn();
  EXPECT_EQ(node_.host.changes().size(), before);
  connect().set_sha256(right);
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, WhatNeedsAPersonIsTriedAgainWhenAsked) {
  FakeDeb deb{"rstudio-connect", "2024.08.0~ubuntu22"};
  deb.exit_code = 1;
  deb.log = "post-installation script returned error exit status 1\n";
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  deb.exit_code = 0;
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  agent_->converge.TryAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

// A store that was made anew numbers as the one before did.
TEST_F(ConvergeTest, WhatFailedForAnotherStoresSpecificationOfTheSameNumberIsTriedAgain) {
  FakeDeb deb{"rstudio-connect", "2024.08.0~ubuntu22"};
  deb.exit_code = 1;
  deb.log = "post-installation script returned error exit status 1\n";
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  deb.exit_code = 0;
  connect() = node_.Publish("connect.deb", deb);
  assignment_.mutable_desired()->set_lineage("M");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, AQuartoThatIsNotThereKeepsNothingElseBack) {
  spec().mutable_runtimes()->mutable_quarto(0)->mutable_archive()->set_url(
      "https://example.com/gone.tar.gz");
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "archive quarto 1.5.57");
  EXPECT_EQ(watch_.last().changes_size(), 1) << said();
  EXPECT_TRUE(IsThere(kConfigFile));
  EXPECT_TRUE(IsThere("/var/lib/rstudio-connect/connect.lic"));
}

TEST_F(ConvergeTest, WhatNeedsConnectsPackageWaitsForItAndRuntimesDoNot) {
  connect().set_url("https://example.com/gone.deb");
  EXPECT_EQ(Turn(), std::nullopt);
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "package rstudio-connect");
  EXPECT_FALSE(IsThere(kConfigFile));
  EXPECT_FALSE(IsThere("/var/lib/rstudio-connect/connect.lic"));
  EXPECT_EQ(node_.DpkgStatus("python-3.11.9"), "1, hold ok installed");
  EXPECT_TRUE(IsThere("/opt/quarto/1.5.57/bin/quarto"));
}

// apt would try to configure it beside the others, and fail for it.
TEST_F(ConvergeTest, APackageThatIsUnfinishedKeepsTheOtherPackagesBack) {
  FakeDeb failing{"r-4.3.3", "1"};
  failing.exit_code = 100;
  failing.log = "post-installation script returned error exit status 1\n";
  *spec().mutable_runtimes()->mutable_r(0)->mutable_package() =
      node_.Publish("r-4.3.3.deb", failing);
  Turn();
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "package r-4.3.3");
  EXPECT_EQ(node_.DpkgStatus("r-4.4.1"), "");
  EXPECT_EQ(node_.DpkgStatus("python-3.11.9"), "");
  EXPECT_TRUE(IsThere(kConfigFile));
}

TEST_F(ConvergeTest, NothingIsPrunedBeforeWhatIsToStayIsThere) {
  spec().mutable_runtimes()->set_prune(true);
  node_.host.SetFile("/opt/R/4.1.0/bin/R", "old");
  const v1::Artifact right = spec().runtimes().r(1).package();
  spec().mutable_runtimes()->mutable_r(1)->mutable_package()->set_url(
      "https://example.com/gone.deb");
  Turn();
  EXPECT_TRUE(IsThere("/opt/R/4.1.0/bin/R"));
  *spec().mutable_runtimes()->mutable_r(1)->mutable_package() = right;
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_FALSE(IsThere("/opt/R/4.1.0/bin/R"));
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

TEST_F(ConvergeTest, TwoThatFailAreEachHeldBack) {
  connect().set_url("https://example.com/gone.deb");
  v1::Artifact& archive = *spec().mutable_runtimes()->mutable_quarto(0)->mutable_archive();
  node_.host.SetDownload(archive.url(), {"", {}, absl::UnavailableError("no route to host")});
  const auto retry = Turn();
  ASSERT_EQ(watch_.last().troubles_size(), 2) << said();
  EXPECT_FALSE(watch_.last().troubles(0).has_retry_at());
  EXPECT_TRUE(watch_.last().troubles(1).has_retry_at());
  ASSERT_TRUE(retry.has_value());
  const size_t before = node_.host.changes().size();
  Turn();  // an event: too early
  EXPECT_EQ(node_.host.changes().size(), before);
  archive = node_.PublishQuarto("1.5.57");
  watch_.Pass(*retry);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_TRUE(IsThere("/opt/quarto/1.5.57/bin/quarto"));
}

TEST_F(ConvergeTest, ANewerGenerationWaitsForTheOlderInstallerAndLeavesNothingOfIt) {
  FakeDeb slow{"rstudio-connect", "2024.06.0~ubuntu22"};
  slow.reads = 10;
  connect() = node_.Publish("older.deb", slow);
  spec().mutable_connect()->set_version("2024.06.0");
  watch_.StopAfterWaits(2);  // the newer one comes while the older is being installed
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().step().phase(), v1::Step::INSTALLING);
  const v1::Artifact older = connect();
  assignment_ = node_.FullAssignment();
  assignment_.mutable_desired()->set_generation(8);
  watch_.StopAfterWaits(0);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(watch_.last().generation(), 8u);
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
  EXPECT_EQ(node_.InstallsOf(older.sha256()), 1);
  EXPECT_EQ(node_.InstallsOf(connect().sha256()), 1);
  EXPECT_EQ(node_.host.ReadService(InstallerService("install", older.sha256()))->state,
            ServiceResult::State::kAbsent);
  EXPECT_TRUE(
      absl::IsNotFound(node_.host.ReadFile(absl::StrCat(kStateDir, "/installing")).status()));
}

TEST_F(ConvergeTest, WhatIsLeftOfOlderSpecificationsIsRemoved) {
  node_.host.SetFile("/opt/quarto/.1.4.0.staging/bin/quarto", "half");
  node_.host.SetFile("/opt/quarto/.1.4.0.old/bin/quarto", "old");
  node_.host.SetFile("/opt/quarto/.1.4.0.sha256", "");
  node_.host.SetFile(absl::StrCat(kStateDir, "/connect-ha-install-abc.service.log"), "failed");
  node_.host.SetFile(absl::StrCat(kCacheDir, "/abc.deb.part"), "half");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(*node_.host.ListDirectory("/opt/quarto"),
            (std::vector<std::string>{".1.5.57.sha256", "1.5.57"}));
  EXPECT_EQ(*node_.host.ListDirectory(kStateDir),
            (std::vector<std::string>{"artifacts", "ca.crt", "changes", "holds", "service"}));
  EXPECT_EQ(node_.host.ListDirectory(kCacheDir)->size(), 5u);
}

TEST_F(ConvergeTest, TheCacheIsBoundedAndTheNewestStay) {
  spec().mutable_downloads()->set_cache_bytes(2500);  // two artifacts of a thousand bytes
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.host.ListDirectory(kCacheDir)->size(), 2u);
}

TEST_F(ConvergeTest, ARuntimeThatDoesNotWorkKeepsTheNodeFromReady) {
  node_.SetTrial(v1::R, "4.4.1", {127, false, "libicuuc.so.70: cannot open shared object file"});
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().resource(), "runtime R 4.4.1");
  EXPECT_TRUE(absl::StrContains(trouble().error(), "libicuuc.so.70")) << said();
  EXPECT_EQ(trouble().fix(),
            "runuser -u rstudio-connect -- /opt/R/4.4.1/bin/R --version (what it lacks), then: "
            "connect-ha checklist --refresh");
  // It is not run again before something changes or somebody asks.
  const size_t runs = node_.host.commands_run().size();
  Turn();
  EXPECT_EQ(node_.host.commands_run().size(), runs);
  node_.SetTrial(v1::R, "4.4.1", {0, false, "smoke 42\n"});
  agent_->converge.VerifyAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, APackageWithoutItsInterpreterIsNoRuntime) {
  FakeDeb empty{"python-3.11.9", "1"};
  *spec().mutable_runtimes()->mutable_python(0)->mutable_package() =
      node_.Publish("python.deb", empty);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "is installed and has no /opt/python/3.11.9/bin/python3");
}

TEST_F(ConvergeTest, WhatTheProbesHaveTriedIsNotRunAgain) {
  Turn();
  Restart();
  const std::string r = "/opt/R/4.3.3/bin/R";
  v1::SmokeRun smoke;
  smoke.set_passed(true);
  agent_->cache.trials.Put(r, {*TrialSubject(node_.host, v1::R, r, "rstudio-connect"), smoke});
  const size_t runs = node_.host.commands_run().size();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.host.commands_run().size(), runs + 3);  // the three others
}

// An R that the older generation could not get configured, and the newer one does not name.
TEST_F(ConvergeTest, APackageThatFailedIsRemovedWhenItIsNoLongerAskedFor) {
  FakeDeb failing{"r-4.0.5", "1"};
  failing.exit_code = 100;
  failing.log = "post-installation script returned error exit status 1\n";
  failing.files = {{"/opt/R/4.0.5/bin/R", "R 4.0.5"}};
  v1::RuntimeSpec& r = *spec().mutable_runtimes()->add_r();
  r.set_version("4.0.5");
  *r.mutable_package() = node_.Publish("r-4.0.5.deb", failing);
  Turn();
  ASSERT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  ASSERT_EQ(node_.DpkgStatus("r-4.0.5"), "1, install ok half-configured");
  EXPECT_EQ(Made("package r-4.0.5").to(), "1, half-configured");
  assignment_ = node_.FullAssignment();
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.DpkgStatus("r-4.0.5"), "");
  EXPECT_FALSE(node_.host.Stat("/opt/R/4.0.5/bin/R").ok());
  const v1::Change removed = Made("packages of older specifications");
  EXPECT_EQ(removed.from() + " -> " + removed.to(),
            "r-4.0.5 1, install ok half-configured -> removed");
}

TEST_F(ConvergeTest, WhatOthersInstalledIsNotTakenForALeftover) {
  FakeDeb theirs{"r-4.0.5", "1"};
  node_.SetInstalled(theirs, "install ok half-configured");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.DpkgStatus("r-4.0.5"), "1, install ok half-configured");
}

}  // namespace
}  // namespace connect_ha
