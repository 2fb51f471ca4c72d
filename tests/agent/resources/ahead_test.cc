// A node that gets ready for a specification that is not in force yet.
#include "agent/resources/converge/ahead.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr char kLibraryOfR[] = "/opt/R/4.5.0/bin/R";

class TestAheadWatch : public AheadWatch {
 public:
  explicit TestAheadWatch(FakeHost& host) : host_(host) {}
  void Publish(const v1::Ahead& ahead) override { published.push_back(ahead); }
  bool Stopped() override { return host_.dead() || (stop_after >= 0 && waits_ > stop_after); }
  bool Wait(milliseconds span) override {
    if (span.count() > 0) ++waits_;
    Pass(span);
    return !Stopped();
  }
  SteadyTime Now() override { return now_; }
  void Pass(milliseconds span) {
    now_ += span;
    host_.Advance(span);
  }

  std::vector<v1::Ahead> published;
  int stop_after = -1;  // waits

 private:
  FakeHost& host_;
  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
  int waits_ = 0;
};

// It serves generation 7. Generation 8 has a newer Connect, one more R and Quarto, and another
// configuration.
class AheadTest : public testing::Test {
 protected:
  AheadTest() : assignment_(node_.FullAssignment()), agent_(std::make_unique<Agent>(node_)) {
    desired_ = assignment_.desired();
    desired_.set_generation(8);
    desired_.set_connect_config(
        "[Server]\nAddress = https://${node.name}\nHideVersion = true\n[Postgres]\nPassword = "
        "${secret.db_password}\n");
    FakeDeb connect{"rstudio-connect", "2024.09.0~ubuntu22"};
    connect.files = {{"/opt/rstudio-connect/bin/connect", "connect 2024.09.0"}};
    spec().mutable_connect()->set_version("2024.09.0");
    *spec().mutable_connect()->mutable_package() = node_.Publish("newer.deb", connect);
    FakeDeb r{"r-4.5.0", "1"};
    r.files = {{kLibraryOfR, "R 4.5.0"}};
    v1::RuntimeSpec& added = *spec().mutable_runtimes()->add_r();
    added.set_version("4.5.0");
    *added.mutable_package() = node_.Publish("r-4.5.0.deb", r);
    node_.SetTrial(v1::R, "4.5.0", {0, false, "smoke 42\n"});
    v1::RuntimeSpec& quarto = *spec().mutable_runtimes()->add_quarto();
    quarto.set_version("1.6.0");
    *quarto.mutable_archive() = node_.PublishQuarto("1.6.0");
    node_.SetTrial(v1::QUARTO, "1.6.0", {0, false, ""});
  }
  v1::ClusterSpec& spec() { return *desired_.mutable_spec(); }
  void Turn(bool with_ahead = true) {
    agent_->converge.Turn(assignment_, turns_, with_ahead ? &desired_ : nullptr);
  }
  void Serve() {
    Turn();
    agent_->converge.NoteReached(v1::READY);
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state("inactive");
    unit.set_unit_file_state("enabled");
    unit.add_exec_start_pre("/usr/bin/connect-ha-agent preflight");
    node_.host.SetUnit(unit);
    assignment_.set_state(v1::SERVING);
    Turn();
    agent_->converge.NoteReached(v1::SERVING);
    EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
    before_ = node_.host.changes().size();
  }
  std::optional<milliseconds> GetReady() {
    return agent_->converge.GetReady(assignment_, desired_, watch_);
  }
  void Restart() { agent_ = std::make_unique<Agent>(node_); }
  const v1::Ahead& said() const { return watch_.published.back(); }
  std::string Troubles() const {
    std::string text;
    for (const v1::Trouble& trouble : said().troubles()) {
      absl::StrAppend(&text, trouble.resource(), ": ", trouble.error(), " [", trouble.fix(), "]",
                      trouble.has_retry_at() ? " retry\n" : "\n");
    }
    return text;
  }
  bool IsCached(const v1::Artifact& artifact, const std::string& suffix) {
    return node_.host.Stat(absl::StrCat(kCacheDir, "/", artifact.sha256(), ".", suffix)).ok();
  }
  // Since it serves.
  void ExpectConnectUntouched() {
    EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
    EXPECT_FALSE(absl::StrContains(*node_.host.ReadFile(kConfigFile), "HideVersion"));
    const std::vector<std::string> changes = node_.host.changes();
    for (size_t i = before_; i < changes.size(); ++i) {
      EXPECT_FALSE(absl::StrContains(changes[i], absl::StrCat("Unit ", kUnit))) << changes[i];
    }
  }

  BareNode node_;
  v1::Assignment assignment_;
  v1::Desired desired_;
  std::unique_ptr<Agent> agent_;
  TestWatch turns_{node_.host};
  TestAheadWatch watch_{node_.host};
  size_t before_ = 0;
};

TEST_F(AheadTest, WhatIsInstalledIsHereAndWhatIsAddedIsMadeAndNothingElseIsTouched) {
  Serve();
  EXPECT_EQ(GetReady(), std::nullopt);
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_EQ(said().generation(), 8u);
  EXPECT_EQ(said().needs(), v1::Change::TOGETHER);
  ASSERT_EQ(said().changes_size(), 2) << said().DebugString();
  EXPECT_EQ(said().changes(0).resource(), "package rstudio-connect");
  EXPECT_EQ(said().changes(1).needs(), v1::Change::RESTART);
  EXPECT_FALSE(said().has_step());
  EXPECT_TRUE(IsCached(spec().connect().package(), "deb"));
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "1, hold ok installed");
  EXPECT_TRUE(node_.host.Stat("/opt/quarto/1.6.0/bin/quarto").ok());
  ExpectConnectUntouched();
  const std::vector<v1::ChangeMade> told = agent_->journal.Pending(100);
  EXPECT_EQ(told.back().change().resource(), "archive quarto 1.6.0");
  EXPECT_EQ(told.back().generation(), 8u);
  // What is in force is as it was, and is said to be.
  Turn();
  EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
  EXPECT_EQ(turns_.last().generation(), 7u);
  // Nothing is left to do.
  const size_t services = node_.host.services_started().size();
  GetReady();
  EXPECT_EQ(node_.host.services_started().size(), services);
  EXPECT_EQ(agent_->journal.Pending(100).size(), told.size());
  EXPECT_TRUE(said().ready());
}

// A download in the time in which nobody serves is what this is to spare.
TEST_F(AheadTest, WhatConnectsPackageComesWithIsFetchedToo) {
  FakeDeb connect{"rstudio-connect", "2024.09.0~ubuntu22"};
  connect.simulated = "Inst libpq5 (15.3 Ubuntu:22.04 [amd64])\n";
  *spec().mutable_connect()->mutable_package() = node_.Publish("newer.deb", connect);
  node_.host.SetService("/usr/bin/apt-get install -y -q --download-only", {});
  Serve();
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  const std::vector<TransientService> services = node_.host.services_started();
  EXPECT_TRUE(std::any_of(services.begin(), services.end(), [](const TransientService& service) {
    return absl::StartsWith(service.name, "connect-ha-fetch-") && service.commands.size() == 1;
  }));
  EXPECT_EQ(said().changes(0).to(), "2024.09.0, held, with libpq5 15.3");
  ExpectConnectUntouched();
}

// Apt tells it once the package is here, and there is nothing else to add.
TEST_F(AheadTest, WhatWouldTakeAnotherPackageAwayIsFoundBeforeItsTimeComes) {
  FakeDeb connect{"rstudio-connect", "2024.09.0~ubuntu22"};
  connect.simulated = "Remv file [1:5.44-3]\n";
  *spec().mutable_connect()->mutable_package() = node_.Publish("newer.deb", connect);
  assignment_.set_state(v1::OBSERVED);
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "remove file")) << Troubles();
}

TEST_F(AheadTest, TellsWhatItDoesWhileItDoesIt) {
  Serve();
  GetReady();
  const auto is_fetching = [](const v1::Ahead& ahead) {
    return ahead.step().resource() == "package rstudio-connect" &&
           ahead.step().phase() == v1::Step::DOWNLOADING && !ahead.ready();
  };
  EXPECT_TRUE(std::any_of(watch_.published.begin(), watch_.published.end(), is_fetching));
}

TEST_F(AheadTest, ANodeThatIsOnlyObservedFetchesAndChangesNothing) {
  assignment_.set_state(v1::OBSERVED);
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_EQ(said().needs(), v1::Change::NOTHING);  // there is no Connect to interrupt
  EXPECT_TRUE(IsCached(spec().connect().package(), "deb"));
  EXPECT_TRUE(node_.host.services_started().empty());
  EXPECT_TRUE(absl::IsNotFound(node_.host.LookUpUser("rstudio-connect").status()));
}

TEST_F(AheadTest, WhereNothingMayBeChangedItOnlyLooks) {
  ConvergeOptions options = node_.Options();
  options.agent_config.set_allow(v1::ALLOW_OBSERVE);
  Converge converge(options, node_.host, agent_->cache, agent_->journal);
  assignment_.set_state(v1::OBSERVED);
  converge.GetReady(assignment_, desired_, watch_);
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_GT(said().changes_size(), 0);
  EXPECT_TRUE(node_.host.changes().empty());
}

TEST_F(AheadTest, ForWhatEnforcesNothingNothingIsDone) {
  spec().set_enforcement(v1::OBSERVE);
  Serve();
  GetReady();
  EXPECT_FALSE(IsCached(spec().connect().package(), "deb"));
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "");
}

TEST_F(AheadTest, AStoppedNodeFetchesAndChangesNothing) {
  Serve();
  assignment_.set_state(v1::STOPPED);
  Turn();
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_TRUE(IsCached(spec().connect().package(), "deb"));
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "");
}

TEST_F(AheadTest, WhatIsToComeIsNeitherPrunedNorTidiedAwayUntilItIsGivenUp) {
  assignment_.mutable_desired()->mutable_spec()->mutable_runtimes()->set_prune(true);
  assignment_.mutable_desired()->mutable_spec()->mutable_downloads()->set_cache_bytes(0);
  spec().mutable_runtimes()->set_prune(true);
  Serve();
  GetReady();
  Restart();  // whose first turn tidies up
  Turn();
  EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
  EXPECT_TRUE(node_.host.Stat(kLibraryOfR).ok());
  EXPECT_TRUE(IsCached(spec().connect().package(), "deb"));
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_FALSE(IsCached(assignment_.desired().spec().connect().package(), "deb"));
  Restart();
  Turn(/*with_ahead=*/false);
  EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
  EXPECT_FALSE(node_.host.Stat(kLibraryOfR).ok());
  EXPECT_FALSE(IsCached(spec().connect().package(), "deb"));
}

// What neither names, but is there: no list says that it goes.
TEST_F(AheadTest, WhatContentIsPinnedToIsFoundBeforeItIsRemoved) {
  Serve();
  node_.host.SetFile("/opt/R/4.1.3/bin/R", "R 4.1.3");
  spec().mutable_runtimes()->set_prune(true);
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_EQ(said().changes(said().changes_size() - 1).resource(), "versions");
  v1::PinnedRuntime& pinned = *node_.gathered.mutable_database()->add_pinned();
  pinned.set_runtime("r");
  pinned.set_version("4.1.3");
  pinned.set_items(300);
  GetReady();
  EXPECT_FALSE(said().ready());
  ASSERT_EQ(said().troubles_size(), 1) << Troubles();
  EXPECT_EQ(said().troubles(0).resource(), "versions");
  EXPECT_TRUE(absl::StrContains(Troubles(), "/opt/R/4.1.3 (300 items)")) << Troubles();
  // And what only the one in force names.
  pinned.set_version("4.3.3");
  spec().mutable_runtimes()->mutable_r()->DeleteSubrange(0, 1);
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "/opt/R/4.3.3 (300 items)")) << Troubles();
  EXPECT_TRUE(node_.host.Stat("/opt/R/4.3.3/bin/R").ok());
}

TEST_F(AheadTest, WhatWasTidiedAwayInBetweenIsFetchedAgain) {
  assignment_.mutable_desired()->mutable_spec()->mutable_downloads()->set_cache_bytes(0);
  Serve();
  GetReady();
  ASSERT_TRUE(IsCached(spec().connect().package(), "deb"));
  assignment_.mutable_desired()->mutable_applied_at()->set_seconds(1);  // whose turn tidies up
  Turn(/*with_ahead=*/false);
  ASSERT_FALSE(IsCached(spec().connect().package(), "deb"));
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_TRUE(IsCached(spec().connect().package(), "deb"));
}

// Until it is in force, content of the one in force needs what that names.
TEST_F(AheadTest, WhatWouldBeReplacedIsFetchedAndLeft) {
  Serve();
  FakeDeb other{"r-4.3.3", "1"};
  other.files = {{"/opt/R/4.3.3/bin/R", "R 4.3.3, built anew"}};
  v1::Artifact& build = *spec().mutable_runtimes()->mutable_r(0)->mutable_package();
  build = node_.Publish("r-4.3.3-2.deb", other);
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_TRUE(IsCached(build, "deb"));
  EXPECT_EQ(*node_.host.ReadFile("/opt/R/4.3.3/bin/R"), "R 4.3.3");
}

TEST_F(AheadTest, WhatIsNotThereKeepsItFromBeingReadyAndNothingElseBack) {
  spec().mutable_connect()->mutable_package()->set_url("https://example.com/gone.deb");
  Serve();
  EXPECT_EQ(GetReady(), std::nullopt);
  EXPECT_FALSE(said().ready());
  ASSERT_EQ(said().troubles_size(), 1) << Troubles();
  EXPECT_EQ(said().troubles(0).resource(), "package rstudio-connect");
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "1, hold ok installed");
  // What is in force has no trouble by that.
  Turn();
  EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
  ExpectConnectUntouched();
}

TEST_F(AheadTest, ANetworkThatIsDownIsWaitedFor) {
  const v1::Artifact newer = spec().connect().package();
  node_.host.SetDownload(newer.url(), {"", {}, absl::UnavailableError("no route to host")});
  Serve();
  const std::optional<milliseconds> retry = GetReady();
  ASSERT_TRUE(retry.has_value());
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::EndsWith(Troubles(), " retry\n")) << Troubles();
  FakeDeb connect{"rstudio-connect", "2024.09.0~ubuntu22"};
  node_.Publish("newer.deb", connect);
  GetReady();  // an event: too early
  EXPECT_FALSE(said().ready());
  watch_.Pass(*retry);
  EXPECT_EQ(GetReady(), std::nullopt);
  EXPECT_TRUE(said().ready()) << Troubles();
}

TEST_F(AheadTest, AnArtifactThatIsAnotherPackageIsFoundBeforeItsTimeComes) {
  FakeDeb wrong{"rstudio-connect", "2024.10.0~ubuntu22"};
  *spec().mutable_connect()->mutable_package() = node_.Publish("wrong.deb", wrong);
  Serve();
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "2024.10.0")) << Troubles();
}

TEST_F(AheadTest, WhereThereIsNoRoomForItItIsNotReady) {
  Serve();
  node_.host.SetUse("/opt", {1ull << 30, 100ull << 20, false});
  const std::optional<milliseconds> retry = GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "package rstudio-connect needs")) << Troubles();
  EXPECT_TRUE(absl::StrContains(Troubles(), "make room at /opt")) << Troubles();
  ASSERT_TRUE(retry.has_value());
  node_.host.SetUse("/opt", {100ull << 30, 50ull << 30, false});
  watch_.Pass(minutes(10));
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
}

// Nothing is added while it is only observed: it is all to be installed later.
TEST_F(AheadTest, WhereThereIsRoomForEachAndNotForAllItIsNotReady) {
  assignment_.set_state(v1::OBSERVED);
  node_.host.SetUse("/opt", {1ull << 30, (256ull + 3) << 20, false});  // a package takes 1 MiB
  const std::optional<milliseconds> retry = GetReady();
  EXPECT_FALSE(said().ready());
  ASSERT_EQ(said().troubles_size(), 1) << Troubles();
  EXPECT_TRUE(absl::StrContains(Troubles(), "(package rstudio-connect, package r-4.3.3, "))
      << Troubles();
  EXPECT_TRUE(absl::StrContains(Troubles(), "make room at /opt")) << Troubles();
  ASSERT_TRUE(retry.has_value());
  node_.host.SetUse("/opt", {1ull << 30, (256ull + 30) << 20, false});
  watch_.Pass(*retry);
  EXPECT_EQ(GetReady(), std::nullopt);
  EXPECT_TRUE(said().ready()) << Troubles();
}

// Days may pass until it is approved.
TEST_F(AheadTest, ADiskThatFillsUpAfterwardsIsFound) {
  Serve();
  GetReady();
  ASSERT_TRUE(said().ready()) << Troubles();
  node_.host.SetUse("/opt", {1ull << 30, 256ull << 20, false});
  EXPECT_TRUE(GetReady().has_value());
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "package rstudio-connect needs")) << Troubles();
}

TEST_F(AheadTest, WhatIsNoLongerHereIsFetchedAgain) {
  const v1::Artifact newer = spec().connect().package();
  const std::string file = absl::StrCat(kCacheDir, "/", newer.sha256(), ".deb");
  Serve();
  GetReady();
  ASSERT_TRUE(said().ready()) << Troubles();
  node_.host.Erase(file);
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_TRUE(IsCached(newer, "deb"));
  // And where that fails, it is not ready any more.
  node_.host.Erase(file);
  node_.host.SetDownload(newer.url(), {"", {}, absl::UnavailableError("no route to host")});
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "no route to host")) << Troubles();
}

TEST_F(AheadTest, WhatAptHadFetchedAndIsGoneIsFetchedAgain) {
  constexpr char kFetched[] = "/var/cache/apt/archives/libpq5_15.3_amd64.deb";
  FakeDeb connect{"rstudio-connect", "2024.09.0~ubuntu22"};
  connect.simulated = "Inst libpq5 (15.3 Ubuntu:22.04 [amd64])\n";
  *spec().mutable_connect()->mutable_package() = node_.Publish("newer.deb", connect);
  FakeServiceCommand fetch;
  fetch.effect = [file = std::string(kFetched)](FakeHost& machine) {
    machine.SetFile(file, "libpq5");
  };
  node_.host.SetService("/usr/bin/apt-get install -y -q --download-only", fetch);
  Serve();
  GetReady();
  GetReady();
  const auto fetches = [this] {
    const std::vector<TransientService> services = node_.host.services_started();
    return std::count_if(services.begin(), services.end(), [](const TransientService& service) {
      return absl::StartsWith(service.name, "connect-ha-fetch-");
    });
  };
  EXPECT_EQ(fetches(), 1);
  node_.host.Erase(kFetched);
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_EQ(fetches(), 2);
  EXPECT_TRUE(node_.host.Stat(kFetched).ok());
}

TEST_F(AheadTest, ASecretThatIsMissingIsFoundBeforeItsTimeComes) {
  (*spec().mutable_secrets())["smtp"].set_file("/etc/connect-ha/secrets/smtp");
  desired_.set_connect_config(
      absl::StrCat(desired_.connect_config(), "[SMTP]\nPassword = ${secret.smtp}\n"));
  Serve();
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StrContains(Troubles(), "/etc/connect-ha/secrets/smtp")) << Troubles();
}

TEST_F(AheadTest, ARuntimeThatDoesNotWorkKeepsItFromBeingReady) {
  node_.SetTrial(v1::R, "4.5.0", {127, false, "libicuuc.so.70: cannot open shared object file"});
  Serve();
  GetReady();
  EXPECT_FALSE(said().ready());
  EXPECT_TRUE(absl::StartsWith(Troubles(), "runtime R 4.5.0: ")) << Troubles();
}

TEST_F(AheadTest, WhatFailedIsTriedAgainWhenAskedOrForAnotherSpecification) {
  FakeDeb failing{"r-4.5.0", "1"};
  failing.exit_code = 1;
  failing.log = "post-installation script returned error exit status 1\n";
  v1::Artifact& r = *spec().mutable_runtimes()->mutable_r(2)->mutable_package();
  r = node_.Publish("r-4.5.0.deb", failing);
  Serve();
  GetReady();
  EXPECT_FALSE(said().ready());
  ASSERT_EQ(said().troubles_size(), 1) << Troubles();
  EXPECT_EQ(node_.InstallsOf(r.sha256()), 1);
  GetReady();
  EXPECT_EQ(node_.InstallsOf(r.sha256()), 1);
  // What is in force is kept right all the while: apt fails beside a package that is unfinished.
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "");
  Turn();
  EXPECT_EQ(Describe(turns_.last()), "CONVERGED");
  failing.exit_code = 0;
  failing.files = {{kLibraryOfR, "R 4.5.0"}};
  node_.Publish("r-4.5.0.deb", failing);
  agent_->converge.TryAgain();
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
}

TEST_F(AheadTest, WhatIsStoppedGoesOnWithTheNextCall) {
  Serve();
  for (int waits = 0; waits < 20; ++waits) {
    watch_.stop_after = waits;
    GetReady();
  }
  watch_.stop_after = -1;
  GetReady();
  EXPECT_TRUE(said().ready()) << Troubles();
  EXPECT_EQ(node_.InstallsOf(spec().runtimes().r(2).package().sha256()), 1);
  ExpectConnectUntouched();
}

class KilledAheadTest : public AheadTest {
 public:
  // False: it was not killed, as it makes no such call.
  bool KillAt(int n, FakeHost::Death death) {
    Serve();
    node_.host.DieAtCall(n, death);
    GetReady();
    const bool died = node_.host.dead();
    node_.host.Revive();
    Restart();
    Turn();
    EXPECT_EQ(Describe(turns_.last()), "CONVERGED") << n;
    watch_.Pass(minutes(10));
    GetReady();
    EXPECT_TRUE(said().ready()) << n << ": " << Troubles();
    EXPECT_EQ(node_.InstallsOf(spec().runtimes().r(2).package().sha256()), 1) << n;
    ExpectConnectUntouched();
    const std::vector<v1::ChangeMade> told = agent_->journal.Pending(100);
    for (const char* resource : {"package r-4.5.0", "archive quarto 1.6.0"}) {
      EXPECT_TRUE(std::any_of(told.begin(), told.end(),
                              [resource](const v1::ChangeMade& made) {
                                return made.change().resource() == resource &&
                                       made.generation() == 8;
                              }))
          << n << ": " << resource;
    }
    return died;
  }
  void TestBody() override {}
};

TEST(KilledAhead, AtAnyCallItIsGoneOnWithByTheNextAgent) {
  for (const auto death : {FakeHost::Death::kBefore, FakeHost::Death::kHalfway}) {
    bool died = true;
    for (int n = 1; died; ++n) {
      ASSERT_LT(n, 300);
      died = KilledAheadTest().KillAt(n, death);
    }
  }
}

}  // namespace
}  // namespace connect_ha
