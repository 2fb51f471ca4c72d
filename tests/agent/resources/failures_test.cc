// What goes wrong while a package is fetched and installed: each with what the node says and does.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/resources/install/installer.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::milliseconds;

constexpr char kUrl[] = "https://example.com/connect.deb";

// Connect's package alone.
class FailuresTest : public testing::Test {
 protected:
  FailuresTest() : agent_(std::make_unique<Agent>(node_)) {
    deb_ = {"rstudio-connect", "2024.08.0~ubuntu22"};
    deb_.files = {{"/opt/rstudio-connect/bin/connect", "connect"}};
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_enforcement(v1::ENFORCE);
    spec().mutable_connect()->set_version("2024.08.0");
    Publish();
  }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  v1::Artifact& artifact() { return *spec().mutable_connect()->mutable_package(); }
  void Publish() { artifact() = node_.Publish("connect.deb", deb_); }
  std::optional<milliseconds> Turn() { return agent_->converge.Turn(assignment_, watch_); }
  v1::Convergence::State state() const { return watch_.last().state(); }
  std::string said() const { return Describe(watch_.last()); }
  v1::Trouble trouble() const {
    return watch_.last().troubles_size() > 0 ? watch_.last().troubles(0) : v1::Trouble();
  }
  // The service itself is held back before anything else is looked at: its note, and its mask.
  void ExpectNothingChangedButTheService() {
    for (const std::string& change : node_.host.changes()) {
      EXPECT_TRUE(absl::StartsWith(change, "Run ") || change == absl::StrCat("MaskUnit ", kUnit) ||
                  change == absl::StrCat("WriteFile ", kStateDir, "/service") ||
                  change == absl::StrCat("WriteFile ", kStateDir, "/changes"))
          << change;
    }
  }
  int Fetches() const {
    int count = 0;
    for (const std::string& change : node_.host.changes()) {
      if (absl::StartsWith(change, "Fetch")) ++count;
    }
    return count;
  }
  std::string Commands(size_t service) const {
    const auto services = node_.host.services_started();
    if (service >= services.size()) return "";
    std::vector<std::string> lines;
    for (const auto& command : services[service].commands) {
      lines.push_back(absl::StrJoin(command, " "));
    }
    return absl::StrJoin(lines, "\n");
  }
  std::string CachedFile() { return absl::StrCat(kCacheDir, "/", artifact().sha256(), ".deb"); }
  std::string InstallLine(const std::string& flags) {
    return absl::StrCat("/usr/bin/apt-get install -y -q --no-remove --no-install-recommends ",
                        flags, "-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold ",
                        CachedFile());
  }
  std::string Simulation() {
    return absl::StrCat(
        "/usr/bin/apt-get install -s -y -q --no-install-recommends "
        "--allow-change-held-packages --allow-downgrades --allow-remove-essential ",
        CachedFile());
  }
  // Somebody says stop while apt says what it would do.
  void StopAtSimulation() {
    node_.host.SetCommand(Simulation(), {0, false, ""}, [this](FakeHost&) {
      watch_.StopAfterWaits(1);
      watch_.Wait(milliseconds(1));
    });
  }
  void ExpectStuck(const std::string& error) {
    EXPECT_EQ(Turn(), std::nullopt);
    EXPECT_EQ(state(), v1::Convergence::STUCK) << said();
    EXPECT_TRUE(StrContains(trouble().error(), error)) << said();
    EXPECT_FALSE(trouble().has_retry_at());
    EXPECT_FALSE(trouble().fix().empty()) << said();
  }
  void ExpectConverged() {
    Turn();
    EXPECT_EQ(said(), "CONVERGED");
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
    EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
  }

  // Hands off.
  void Release() {
    assignment_.set_state(v1::OBSERVED);
    assignment_.set_release(true);
    Turn();
  }
  void TakeBack() {
    assignment_.set_state(v1::PREPARING);
    assignment_.set_release(false);
  }
  // An upgrade of what somebody put on hold, up to where it is on hold no more.
  void CutPowerWhileTheHoldIsOff() {
    FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
    node_.SetInstalled(older, "hold ok installed");
    deb_.reads = 5;
    Publish();
    watch_.StopAfterWaits(4);
    Turn();
    ASSERT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, install ok installed");
    node_.host.Reboot();
    Restart();
    watch_.StopAfterWaits(0);
  }
  void Restart() { agent_ = std::make_unique<Agent>(node_); }

  BareNode node_;
  FakeDeb deb_;
  v1::Assignment assignment_;
  std::unique_ptr<Agent> agent_;
  TestWatch watch_{node_.host};
};

TEST_F(FailuresTest, ATransferThatBreaksIsTakenUpWhereItEnded) {
  const std::string content = absl::StrCat("deb connect.deb", std::string(1000, 'x'));
  node_.host.SetDownload(kUrl, {content, 100, absl::OkStatus()});
  ExpectConverged();
  EXPECT_EQ(Fetches(), 2);
}

TEST_F(FailuresTest, ATransferThatStallsIsTriedAgainAndThenWaitedFor) {
  node_.host.SetDownload(kUrl, {"", {}, absl::DeadlineExceededError("nothing came for 30 s")});
  EXPECT_TRUE(Turn().has_value());
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_EQ(Fetches(), 4);
}

TEST_F(FailuresTest, AFileThatTheServerDoesNotHaveNeedsAPerson) {
  artifact().set_url("https://example.com/gone.deb");
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "no such file: https://example.com/gone.deb");
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, ACertificateThatWillNotDoNeedsAPerson) {
  node_.host.SetDownload(kUrl, {"", {}, absl::FailedPreconditionError("certificate expired")});
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "certificate expired");
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, PlainHttpIsNotFetchedUnlessTheSpecificationSaysSo) {
  node_.host.SetDownload("http://example.com/connect.deb",
                         {absl::StrCat("deb connect.deb", std::string(1000, 'x')), {}, {}});
  artifact().set_url("http://example.com/connect.deb");
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  spec().mutable_downloads()->set_allow_http(true);
  assignment_.mutable_desired()->set_generation(2);
  ExpectConverged();
}

TEST_F(FailuresTest, AFileLargerThanTheLimitNeedsAPerson) {
  spec().mutable_downloads()->set_limit_bytes(100);
  ExpectStuck("larger than 100 bytes");
  EXPECT_EQ(trouble().fix(), "raise downloads.limit_bytes if it is meant to be so large");
}

TEST_F(FailuresTest, ADiskThatIsFullIsWaitedFor) {
  for (const char* path : {kCacheDir, "/opt"}) {
    node_.host.SetUse(path, {1ull << 30, 1ull << 20, false});
    const auto retry = Turn();
    ASSERT_TRUE(retry.has_value()) << said();
    EXPECT_EQ(state(), v1::Convergence::WAITING);
    EXPECT_TRUE(StrContains(trouble().fix(), absl::StrCat("make room at ", path))) << said();
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "");
    node_.host.SetUse(path, {100ull << 30, 50ull << 30, false});
    watch_.Pass(*retry);
  }
  ExpectConverged();
}

TEST_F(FailuresTest, ADamagedFileInTheCacheIsFetchedAgain) {
  node_.host.SetFile(absl::StrCat(kCacheDir, "/", artifact().sha256(), ".deb"), "damaged");
  ExpectConverged();
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, AnotherPackageIsNotInstalled) {
  deb_.name = "rstudio-server";
  Publish();
  ExpectStuck("is the package rstudio-server, not rstudio-connect");
  EXPECT_TRUE(node_.host.services_started().empty());
}

TEST_F(FailuresTest, AnotherVersionIsNotInstalled) {
  deb_.version = "2024.06.0~ubuntu22";
  Publish();
  ExpectStuck("is version 2024.06.0~ubuntu22, not 2024.08.0");
}

TEST_F(FailuresTest, APackageForAnotherArchitectureIsNotInstalled) {
  deb_.architecture = "arm64";
  Publish();
  ExpectStuck("is built for arm64; this node is amd64");
}

TEST_F(FailuresTest, APackageForAnotherReleaseIsNotInstalled) {
  deb_.version = "2024.08.0~ubuntu24";
  Publish();
  ExpectStuck("is built for Ubuntu 24.04; this node is Ubuntu 22.04");
}

TEST_F(FailuresTest, AScriptThatFailsStopsTheNodeWithTheEndOfItsLog) {
  deb_.exit_code = 100;
  deb_.log = "Setting up rstudio-connect\npost-installation script: exit status 1\n";
  Publish();
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "install rstudio-connect 2024.08.0 failed: exit-code 100");
  EXPECT_TRUE(StrContains(trouble().log(), "exit status 1")) << said();
  // What it did to dpkg's database is no reason to try again.
  const size_t before = node_.host.services_started().size();
  Turn();
  EXPECT_EQ(node_.host.services_started().size(), before);
  EXPECT_EQ(state(), v1::Convergence::STUCK);
}

TEST_F(FailuresTest, AScriptThatNeverEndsIsEnded) {
  deb_.reads = kNeverEnds;
  Publish();
  ExpectStuck("did not end in 40 minutes");
}

TEST_F(FailuresTest, AptsLockIsWaitedFor) {
  deb_.exit_code = 100;
  deb_.log = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711\n";
  Publish();
  const auto retry = Turn();
  ASSERT_TRUE(retry.has_value()) << said();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_TRUE(StrContains(trouble().log(), "held by process 4711"));
  deb_.exit_code = 0;
  Publish();
  watch_.Pass(*retry);
  ExpectConverged();
}

TEST_F(FailuresTest, AScriptThatCouldNotConnectIsNoFaultOfTheNetwork) {
  deb_.exit_code = 100;
  deb_.log =
      "Could not connect to the database: connection refused\n"
      "dpkg: error processing package rstudio-connect (--configure):\n"
      "E: Sub-process /usr/bin/dpkg returned an error code (1)\n";
  Publish();
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(state(), v1::Convergence::STUCK) << said();
}

// The repair came while somebody held dpkg's lock.
TEST_F(FailuresTest, ADpkgThatIsStillInterruptedIsTriedAgain) {
  deb_.exit_code = 100;
  deb_.log = "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'\n";
  Publish();
  const auto retry = Turn();
  ASSERT_TRUE(retry.has_value()) << said();
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  deb_.exit_code = 0;
  Publish();
  watch_.Pass(*retry);
  ExpectConverged();
}

TEST_F(FailuresTest, ListsThatAreTooOldAreRenewed) {
  deb_.exit_code = 100;
  deb_.log =
      "The following packages have unmet dependencies:\n rstudio-connect : Depends: libpq5 but it "
      "is not installable\nE: Unable to correct problems, you have held broken packages.\n";
  Publish();
  FakeServiceCommand update;
  update.effect = [this](FakeHost&) {
    deb_.exit_code = 0;
    Publish();
  };
  node_.host.SetService("/usr/bin/apt-get update", update);
  Turn();
  ASSERT_EQ(node_.host.services_started().size(), 3u);
  EXPECT_EQ(Commands(1), "/usr/bin/apt-get update -q -o DPkg::Lock::Timeout=600");
  EXPECT_EQ(state(), v1::Convergence::CONVERGED) << said();
}

TEST_F(FailuresTest, WhatTheNewListsWouldRemoveIsForeseenToo) {
  deb_.exit_code = 100;
  deb_.log = "E: Unable to correct problems, you have held broken packages.\n";
  Publish();
  FakeServiceCommand update;
  update.effect = [this](FakeHost&) {
    deb_.exit_code = 0;
    deb_.simulated = "Remv file [1:5.44-3]\n";
    Publish();
  };
  node_.host.SetService("/usr/bin/apt-get update", update);
  ExpectStuck("apt would remove file 1:5.44-3");
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);  // the one by the old lists
}

TEST_F(FailuresTest, WhatDpkgLeftHalfConfiguredIsFinishedFirst) {
  node_.SetInstalled(deb_, "install ok half-configured");
  ExpectConverged();
  EXPECT_TRUE(absl::StartsWith(Commands(0), "-/usr/bin/dpkg --force-confold --configure -a\n"))
      << Commands(0);
}

TEST_F(FailuresTest, ADpkgThatWasInterruptedIsRepairedFirst) {
  node_.host.SetFile("/var/lib/dpkg/updates/0001", "");
  ExpectConverged();
  EXPECT_TRUE(absl::StartsWith(Commands(0), "-/usr/bin/dpkg --force-confold --configure -a\n"));
}

TEST_F(FailuresTest, AnOlderVersionNeedsTheSpecificationsLeave) {
  FakeDeb newer{"rstudio-connect", "2024.11.0~ubuntu22"};
  node_.SetInstalled(newer, "hold ok installed");
  ExpectStuck("2024.11.0~ubuntu22 is installed and newer");
  EXPECT_TRUE(node_.host.services_started().empty());
  spec().mutable_connect()->set_allow_downgrade(true);
  assignment_.mutable_desired()->set_generation(2);
  ExpectConverged();
  EXPECT_TRUE(StrContains(Commands(0), "--allow-downgrades")) << Commands(0);
}

// The way back from a change: what it has replaced itself it puts back, and nothing older.
TEST_F(FailuresTest, WhatItHasReplacedItselfComesBack) {
  ExpectConverged();
  const v1::Artifact before = artifact();
  FakeDeb newer = deb_;
  newer.version = "2024.11.0~ubuntu22";
  artifact() = node_.Publish("newer.deb", newer);
  spec().mutable_connect()->set_version("2024.11.0");
  assignment_.mutable_desired()->set_generation(2);
  Turn();
  ASSERT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.11.0~ubuntu22, hold ok installed") << said();
  agent_ = std::make_unique<Agent>(node_);
  FakeDeb oldest = deb_;
  oldest.version = "2024.06.0~ubuntu22";
  artifact() = node_.Publish("oldest.deb", oldest);
  spec().mutable_connect()->set_version("2024.06.0");
  assignment_.mutable_desired()->set_generation(3);
  ExpectStuck("2024.11.0~ubuntu22 is installed and newer");
  artifact() = before;
  spec().mutable_connect()->set_version("2024.08.0");
  assignment_.mutable_desired()->set_generation(4);
  const size_t services = node_.host.services_started().size();
  ExpectConverged();
  EXPECT_TRUE(StrContains(Commands(services), "--allow-downgrades")) << Commands(services);
}

TEST_F(FailuresTest, WhatOthersHaveInstalledSinceStays) {
  FakeDeb oldest{"rstudio-connect", "2024.06.0~ubuntu22"};
  node_.SetInstalled(oldest, "hold ok installed");
  ExpectConverged();
  FakeDeb newer{"rstudio-connect", "2024.11.0~ubuntu22"};
  node_.SetInstalled(newer, "hold ok installed");
  assignment_.mutable_desired()->set_generation(2);
  ExpectStuck("2024.11.0~ubuntu22 is installed and newer");
}

TEST_F(FailuresTest, NoOtherPackageIsRemovedOrTakenOffHoldForOne) {
  FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
  node_.SetInstalled(older, "hold ok installed");
  ExpectConverged();
  EXPECT_EQ(Commands(0),
            "-/usr/bin/apt-get check -q -o DPkg::Lock::Timeout=600\n"
            "/usr/bin/apt-mark unhold rstudio-connect\n" +
                InstallLine("--reinstall ") +
                "\n/usr/bin/apt-mark hold rstudio-connect\n"
                "/usr/bin/env --unset=SYSTEMD_OFFLINE systemctl daemon-reload");
}

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

TEST_F(FailuresTest, APackageForWhichAnotherWouldGoIsNotInstalled) {
  deb_.simulated = "Remv file [1:5.44-3]\n";
  Publish();
  ExpectStuck(
      "to install rstudio-connect apt would remove file 1:5.44-3, which the specification does not "
      "say");
  EXPECT_TRUE(StrContains(trouble().fix(), "apt-get remove file, if they may go")) << said();
  EXPECT_TRUE(node_.host.services_started().empty());
  // Its file is here now: a preview says it too.
  EXPECT_EQ(agent_->converge.MakePreview(assignment_.desired(), "package").troubles_size(), 1);
  // Somebody removed it, and nobody has to ask.
  deb_.simulated = "";
  Publish();
  ExpectConverged();
}

TEST_F(FailuresTest, APreviewTellsWhatComesWithAPackage) {
  deb_.simulated =
      "Inst libpq5 (15.3 Debian:12/stable [amd64])\n"
      "Inst libssl3 [3.0.9] (3.0.11 Debian-Security:12/stable-security [amd64])\n";
  Publish();
  const auto to = [this] {
    return agent_->converge.MakePreview(assignment_.desired(), "package").changes(0).to();
  };
  EXPECT_EQ(to(), "2024.08.0, held");
  node_.host.SetFile(CachedFile(), "its file");
  EXPECT_EQ(to(), "2024.08.0, held, with libpq5 15.3, and libssl3 3.0.9 to 3.0.11");
}

TEST_F(FailuresTest, NothingIsChangedAfterSomebodySaidStopDuringTheLook) {
  node_.host.SetFile(CachedFile(), "its file");
  StopAtSimulation();
  Turn();
  ExpectNothingChangedButTheService();
  watch_.StopAfterWaits(0);
  Publish();
  ExpectConverged();
}

TEST_F(FailuresTest, NothingIsInstalledAfterSomebodySaidStop) {
  StopAtSimulation();
  Turn();
  EXPECT_TRUE(node_.host.Stat(CachedFile()).ok());
  EXPECT_TRUE(node_.host.services_started().empty());
  watch_.StopAfterWaits(0);
  Publish();
  ExpectConverged();
}

TEST_F(FailuresTest, NothingIsInstalledWhereAptDoesNotSayWhatItWouldDo) {
  node_.host.SetCommand(Simulation(), {0, true, ""});
  Turn();
  EXPECT_TRUE(node_.host.services_started().empty());
  EXPECT_TRUE(StrContains(trouble().error(), "did not end in time")) << said();
  Publish();
  ExpectConverged();
}

// It would be a path.
TEST_F(FailuresTest, WhatIsNoDigestIsNotLookedAt) {
  const std::string right = artifact().sha256();
  for (const std::string& wrong : {std::string("../../../etc/x"), right + "0", std::string()}) {
    artifact().set_sha256(wrong);
    ExpectStuck("the specification names an artifact's sha256 \"" + wrong + "\"");
    EXPECT_EQ(trouble().resource(), "specification");
  }
  ExpectNothingChangedButTheService();
}

TEST_F(FailuresTest, WhatIsNoVersionIsNotLookedAt) {
  spec().mutable_runtimes()->add_quarto()->set_version("../../etc");
  ExpectStuck("the specification names a version \"../../etc\"");
  ExpectNothingChangedButTheService();
}

TEST_F(FailuresTest, AnotherBuildOfTheSameVersionIsReplaced) {
  ExpectConverged();
  deb_.files = {{"/opt/rstudio-connect/bin/connect", "rebuilt"}};
  artifact() = node_.Publish("rebuilt.deb", deb_);
  assignment_.mutable_desired()->set_generation(2);
  ExpectConverged();
  EXPECT_EQ(*node_.host.ReadFile("/opt/rstudio-connect/bin/connect"), "rebuilt");
  EXPECT_EQ(agent_->journal.Pending(10).back().change().from(),
            "2024.08.0~ubuntu22, another build");
}

TEST_F(FailuresTest, APackageThatIsNotHeldIsHeldAndNothingElse) {
  ExpectConverged();
  node_.SetInstalled(deb_);
  ExpectConverged();
  EXPECT_EQ(Commands(1), "/usr/bin/apt-mark hold rstudio-connect");
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, WhatOthersInstalledIsHeldAgainstTheSpecificationsFileAndKept) {
  node_.SetInstalled(deb_);
  ExpectConverged();
  EXPECT_EQ(agent_->journal.Pending(10).back().change().from(),
            "2024.08.0~ubuntu22, of a build that is not known");
  EXPECT_EQ(Commands(0), "/usr/bin/apt-mark hold rstudio-connect");
  EXPECT_EQ(Fetches(), 1);
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 0);
  // Now it is known.
  Turn();
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, AnotherBuildThatOthersInstalledIsReplaced) {
  FakeDeb rebuilt = deb_;
  rebuilt.files = {{"/opt/rstudio-connect/bin/connect", "built elsewhere"}};
  node_.SetInstalled(rebuilt, "hold ok installed");
  ExpectConverged();
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
  EXPECT_EQ(*node_.host.ReadFile("/opt/rstudio-connect/bin/connect"), "connect");
}

TEST_F(FailuresTest, AnRWithAnOlderPackagingIsStillTheRThatIsWanted) {
  FakeDeb r{"r-4.3.3", "2"};
  r.files = {{"/opt/R/4.3.3/bin/R", "second build"}};
  node_.SetInstalled(r, "hold ok installed");
  r.version = "1";
  r.files = {{"/opt/R/4.3.3/bin/R", "first build"}};
  v1::RuntimeSpec& runtime = *spec().mutable_runtimes()->add_r();
  runtime.set_version("4.3.3");
  *runtime.mutable_package() = node_.Publish("r-4.3.3.deb", r);
  node_.SetTrial(v1::R, "4.3.3", {0, false, "smoke 42\n"});
  UserEntry user;
  user.name = "rstudio-connect";
  user.uid = 999;
  node_.host.SetUser(user);
  ExpectConverged();
  EXPECT_EQ(node_.DpkgStatus("r-4.3.3"), "1, hold ok installed");
  EXPECT_TRUE(StrContains(Commands(1), "--allow-downgrades --reinstall")) << Commands(1);
}

TEST_F(FailuresTest, AnAgentThatIsKilledFindsTheInstallerThatRuns) {
  deb_.reads = 5;
  Publish();
  watch_.StopAfterWaits(1);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().step().phase(), v1::Step::INSTALLING);
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  ExpectConverged();
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
  EXPECT_EQ(Fetches(), 1);
}

// PID 1 stops to answer for a service while its end is waited for.
class SlowSystemd : public TestWatch {
 public:
  SlowSystemd(FakeHost& host, std::string service)
      : TestWatch(host), host_(host), service_(std::move(service)) {}
  bool Wait(milliseconds span) override {
    if (span.count() > 0) ++waits_;  // a download only asks whether to go on
    if (waits_ == 1) host_.SetError(service_, absl::UnavailableError("PID 1 does not answer"));
    if (waits_ == 20) host_.SetError(service_, absl::OkStatus());
    return TestWatch::Wait(span);
  }
  int waits() const { return waits_; }

 private:
  FakeHost& host_;
  const std::string service_;
  int waits_ = 0;
};

TEST_F(FailuresTest, AnInstallerOfWhichSystemdDoesNotTellForAWhileIsWaitedFor) {
  deb_.reads = 5;
  Publish();
  SlowSystemd watch(node_.host, InstallerService("install", artifact().sha256()));
  agent_->converge.Turn(assignment_, watch);
  EXPECT_EQ(Describe(watch.last()), "CONVERGED");
  EXPECT_GE(watch.waits(), 20);
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
  EXPECT_EQ(agent_->journal.Pending(10).back().change().from(), "absent");
}

TEST_F(FailuresTest, AnInstallerThatFailedWhileTheAgentWasAwayIsNotRunAgain) {
  deb_.reads = 5;
  deb_.exit_code = 1;
  deb_.log = "it failed\n";
  Publish();
  watch_.StopAfterWaits(1);
  Turn();
  for (int i = 0; i < 10; ++i) {
    (void)node_.host.ReadService(InstallerService("install", artifact().sha256()));
  }
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().log(), "it failed");
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
}

TEST_F(FailuresTest, APowerCutDuringTheInstallationIsMended) {
  deb_.reads = 5;
  Publish();
  watch_.StopAfterWaits(1);
  Turn();
  node_.host.Reboot();
  node_.SetInstalled(deb_, "install reinstreq half-installed");
  node_.host.SetFile("/opt/rstudio-connect/bin/connect", "");
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  ExpectConverged();
  EXPECT_EQ(*node_.host.ReadFile("/opt/rstudio-connect/bin/connect"), "connect");
}

TEST_F(FailuresTest, ANodeWithoutAptSaysSo) {
  node_.host.Erase("/usr/bin/apt-get");
  ExpectStuck("this node has no apt-get");
  EXPECT_EQ(trouble().resource(), "specification");
}

TEST_F(FailuresTest, AConnectThatIsUnmaskedMeanwhileIsMaskedAgainBeforeAnythingIsInstalled) {
  (void)node_.host.MaskUnit(kUnit);
  (void)node_.host.UnmaskUnit(kUnit);
  ExpectConverged();
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->load_state(), "masked");
}

}  // namespace
}  // namespace connect_ha
