// A whole node, brought from nothing to its specification.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/install/installer.h"
#include "tests/agent/resources/converge_fixture.h"

namespace connect_ha {
namespace {

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

TEST_F(ConvergeTest, WhatOthersInstalledIsNotTakenForALeftover) {
  FakeDeb theirs{"r-4.0.5", "1"};
  node_.SetInstalled(theirs, "install ok half-configured");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.DpkgStatus("r-4.0.5"), "1, install ok half-configured");
}

}  // namespace
}  // namespace connect_ha
