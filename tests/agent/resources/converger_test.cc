// The thread that keeps a node at its assignment.
#include "agent/resources/converge/converger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "agent/resources/install/installer.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

class ConvergerTest : public testing::Test {
 protected:
  ConvergerTest() {
    node_.reads = 0;  // here time is real
    assignment_ = node_.FullAssignment();
    StartAgent();
  }

  void StartAgent() {
    converger_.reset();
    held_ = std::make_unique<Held>(node_.Holding(), node_.host);
    EXPECT_TRUE(held_->Load().ok());
    converger_ = std::make_unique<Converger>(node_.Options(), node_.host, cache_, *held_,
                                             [this] { TakeNews(); });
    EXPECT_TRUE(converger_->Start().ok());
  }
  ~ConvergerTest() override { Stick(false); }
  void TakeNews() {
    ++news_;
    std::unique_lock<std::mutex> lock(mutex_);
    is_stuck_ = stick_;
    moved_.notify_all();
    moved_.wait(lock, [this] { return !stick_; });
  }
  // The thread does not come back from the next thing that it tells.
  void Stick(bool stick) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stick_ = stick;
    moved_.notify_all();
  }
  void WaitUntilStuck() {
    std::unique_lock<std::mutex> lock(mutex_);
    EXPECT_TRUE(moved_.wait_for(lock, seconds(30), [this] { return is_stuck_; }));
  }
  absl::Status Take() { return held_->Take(ToAnswer(assignment_)); }
  void Assign() { EXPECT_TRUE(Take().ok()); }
  // False: not in time.
  template <typename Condition>
  bool Until(Condition condition) {
    const auto deadline = steady_clock::now() + seconds(30);
    while (!condition(converger_->News())) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }
  bool UntilState(v1::Convergence::State state) {
    return Until([&](const ConvergerNews& news) {
      return news.convergence && news.convergence->state() == state;
    });
  }
  void SetConnect(const std::string& active) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_active_state(active);
    unit.set_unit_file_state("enabled");
    unit.add_exec_start_pre("/usr/bin/connect-ha-agent preflight");
    node_.host.SetUnit(unit);
  }
  // Connect's installer does not end by itself.
  std::string StartEndlessInstall() {
    FakeDeb deb{"rstudio-connect", "2024.08.0~ubuntu22"};
    deb.reads = kNeverEnds;
    v1::Artifact& artifact =
        *assignment_.mutable_desired()->mutable_spec()->mutable_connect()->mutable_package();
    artifact = node_.Publish("endless.deb", deb);
    Assign();
    EXPECT_TRUE(Until([](const ConvergerNews& news) {
      return news.convergence && news.convergence->step().phase() == v1::Step::INSTALLING;
    }));
    return InstallerService("install", artifact.sha256());
  }

  BareNode node_;
  ProbeCache cache_;
  v1::Assignment assignment_;
  std::atomic<int> news_{0};
  std::mutex mutex_;
  std::condition_variable moved_;
  bool stick_ = false;
  bool is_stuck_ = false;
  std::unique_ptr<Held> held_;
  std::unique_ptr<Converger> converger_;
};

TEST_F(ConvergerTest, WithoutAnAssignmentItIsObservedAndSilent) {
  const ConvergerNews news = converger_->News();
  EXPECT_EQ(news.state, v1::OBSERVED);
  EXPECT_EQ(news.generation, 0u);
  EXPECT_FALSE(news.convergence.has_value());
  EXPECT_TRUE(node_.host.changes().empty());
}

TEST_F(ConvergerTest, BringsTheNodeToItsAssignmentAndSaysSo) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  const ConvergerNews news = converger_->News();
  EXPECT_EQ(news.state, v1::READY);
  EXPECT_EQ(news.generation, 7u);
  EXPECT_EQ(news.changes_made.size(), 9u);
  EXPECT_GT(news_, 10);
  converger_->ChangesTaken(news.changes_made[3].number());
  EXPECT_EQ(converger_->News().changes_made.size(), 5u);
}

TEST_F(ConvergerTest, SaysThatItServesOnceConnectRunsAlsoAfterARestart) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  assignment_.set_state(v1::SERVING);
  Assign();
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::SERVING; }));
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "active");
  StartAgent();
  // Before it has looked at anything.
  EXPECT_EQ(converger_->News().state, v1::SERVING);
}

// Who counts on a node to be stopped is told so when it is, and not before.
TEST_F(ConvergerTest, SaysThatItIsStoppedOnceItIs) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  assignment_.set_state(v1::SERVING);
  Assign();
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::SERVING; }));
  node_.host.SetError(kUnit, absl::UnavailableError("systemd does not answer"));
  assignment_.set_state(v1::STOPPED);
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::WAITING));
  EXPECT_EQ(converger_->News().state, v1::SERVING);
  node_.host.SetError(kUnit, absl::OkStatus());
  converger_->TryAgain();
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::STOPPED; }));
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
  assignment_.set_state(v1::DRAINING);
  Assign();
  EXPECT_EQ(converger_->News().state, v1::DRAINING);
}

// A look at what is installed may take minutes; a fence does not wait for it.
TEST_F(ConvergerTest, ConnectIsStoppedInTimeThoughTheTurnDoesNotEnd) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  assignment_.set_state(v1::SERVING);
  Assign();
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::SERVING; }));
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  Stick(true);
  SetConnect("inactive");  // it is to be started anew
  converger_->TryAgain();
  WaitUntilStuck();
  SetConnect("active");
  assignment_.set_state(v1::FENCED);
  Assign();
  EXPECT_TRUE(Until([this](const ConvergerNews&) {
    const v1::Unit unit = *node_.host.ReadUnit(kUnit);
    return unit.active_state() == "inactive" && unit.load_state() == "masked";
  }));
  EXPECT_NE(converger_->News().state, v1::FENCED);
  Stick(false);
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::FENCED; }));
}

// It may have been started since, and the agent been killed before it could write that down.
TEST_F(ConvergerTest, ThatItWasStoppedOnceIsNoAnswerToTheOrderOfNow) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  assignment_.set_state(v1::SERVING);
  Assign();
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::SERVING; }));
  assignment_.set_state(v1::STOPPED);
  Assign();
  // By a look of its own: it ran before, so that this has been written down when the agent ends.
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::STOPPED; }));
  node_.host.SetError(kUnit, absl::UnavailableError("systemd does not answer"));
  StartAgent();
  EXPECT_EQ(converger_->News().state, v1::DRAINING);
  ASSERT_TRUE(UntilState(v1::Convergence::WAITING));
  EXPECT_EQ(converger_->News().state, v1::DRAINING);
  node_.host.SetError(kUnit, absl::OkStatus());
  converger_->TryAgain();
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::STOPPED; }));
}

TEST_F(ConvergerTest, AConnectThatDoesNotStartIsToldWithItsLastLines) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  node_.host.SetUnitEffects(
      kUnit, [this](FakeHost&) { SetConnect("failed"); }, nullptr);
  node_.host.SetCommand(
      "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=20 "
      "--unit=rstudio-connect.service",
      {0, false, "no such key\n"});
  assignment_.set_state(v1::SERVING);
  Assign();
  // Whoever asks has it tried again at once.
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Until([i, this](const ConvergerNews&) {
      return converger_->Memory().starts() > static_cast<uint32_t>(i);
    }));
    converger_->TryAgain();
  }
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.start_failed == "no such key"; }));
  EXPECT_NE(converger_->News().state, v1::SERVING);
}

TEST_F(ConvergerTest, GoesByWhatItHoldsAfterARestart) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  StartAgent();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  EXPECT_TRUE(node_.host.Stat("/var/lib/rstudio-connect/connect.lic").ok());
  EXPECT_EQ(converger_->News().changes_made.size(), 10u);
}

TEST_F(ConvergerTest, LooksAgainWhenSomethingChanged) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  node_.host.SetFile("/opt/R/4.3.3/bin/R", "tampered");
  converger_->Look(true);
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.changes_made.size() == 10; }));
  EXPECT_EQ(*node_.host.ReadFile("/opt/R/4.3.3/bin/R"), "R 4.3.3");
}

TEST_F(ConvergerTest, WhoeverAsksLearnsOfATamperedFileToo) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  assignment_.set_state(v1::OBSERVED);
  Assign();
  node_.host.Erase("/opt/quarto/1.5.57/share/version");
  converger_->TryAgain();
  ASSERT_TRUE(UntilState(v1::Convergence::DIFFERS));
  EXPECT_EQ(converger_->News().convergence->changes(0).from(),
            "1 file missing: missing /opt/quarto/1.5.57/share/version");
}

TEST_F(ConvergerTest, AnswersAPreviewWhileAnInstallerRuns) {
  StartEndlessInstall();
  v1::PreviewRequest request;
  request.set_number(5);
  *request.mutable_desired() = assignment_.desired();
  converger_->AskPreview(request);
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.preview.has_value(); }));
  EXPECT_EQ(converger_->News().preview->number(), 5u);
  EXPECT_EQ(converger_->News().preview->changes(0).resource(), "package rstudio-connect");
  converger_->PreviewTaken(5);
  EXPECT_FALSE(converger_->News().preview.has_value());
}

// What is above what it holds: another R.
v1::HeartbeatResponse WithAhead(const v1::Assignment& assignment, const v1::Artifact& r) {
  v1::HeartbeatResponse answer = ToAnswer(assignment);
  answer.clear_desired();
  v1::Desired& ahead = *answer.mutable_ahead();
  ahead = assignment.desired();
  ahead.set_generation(8);
  v1::RuntimeSpec& added = *ahead.mutable_spec()->mutable_runtimes()->add_r();
  added.set_version("4.5.0");
  *added.mutable_package() = r;
  answer.set_ahead_generation(8);
  return answer;
}

TEST_F(ConvergerTest, GetsReadyForWhatIsToComeBesideWhatItHolds) {
  FakeDeb r{"r-4.5.0", "1"};
  r.reads = 0;
  r.files = {{"/opt/R/4.5.0/bin/R", "R 4.5.0"}};
  node_.SetTrial(v1::R, "4.5.0", {0, false, "smoke 42\n"});
  Assign();
  v1::HeartbeatResponse answer = WithAhead(assignment_, node_.Publish("r-4.5.0.deb", r));
  ASSERT_TRUE(held_->Take(answer).ok());
  // That it knows of it is said at once.
  ASSERT_TRUE(converger_->News().ahead.has_value());
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.ahead && news.ahead->ready(); }));
  const ConvergerNews news = converger_->News();
  EXPECT_EQ(news.generation, 7u);
  EXPECT_EQ(news.convergence->generation(), 7u);
  EXPECT_EQ(news.convergence->state(), v1::Convergence::CONVERGED);
  EXPECT_EQ(news.ahead->generation(), 8u);
  EXPECT_EQ(news.ahead->changes_size(), 0) << news.ahead->DebugString();
  EXPECT_EQ(node_.DpkgStatus("r-4.5.0"), "1, hold ok installed");
  const uint64_t version = converger_->version();
  answer.clear_ahead();
  answer.set_ahead_generation(0);
  ASSERT_TRUE(held_->Take(answer).ok());
  EXPECT_FALSE(converger_->News().ahead.has_value());
  EXPECT_GT(converger_->version(), version);
}

TEST_F(ConvergerTest, WhatItWouldNotGoByItSaysBeforeThatIsInForce) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  v1::HeartbeatResponse answer = WithAhead(assignment_, v1::Artifact());
  answer.mutable_ahead()->mutable_spec()->set_cluster("other");
  ASSERT_TRUE(held_->Take(answer).ok());
  const ConvergerNews news = converger_->News();
  ASSERT_TRUE(news.ahead.has_value());
  EXPECT_FALSE(news.ahead->ready());
  ASSERT_EQ(news.ahead->troubles_size(), 1);
  EXPECT_EQ(news.ahead->troubles(0).resource(), "specification");
  EXPECT_NE(news.ahead->troubles(0).fix(), "");
  EXPECT_EQ(news.convergence->state(), v1::Convergence::CONVERGED);
}

TEST_F(ConvergerTest, NoOrderWaitsForWhatIsToCome) {
  FakeDeb endless{"r-4.5.0", "1"};
  endless.reads = kNeverEnds;
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  SetConnect("inactive");
  assignment_.set_state(v1::SERVING);
  Assign();
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::SERVING; }));
  ASSERT_TRUE(held_->Take(WithAhead(assignment_, node_.Publish("r-4.5.0.deb", endless))).ok());
  ASSERT_TRUE(Until([](const ConvergerNews& news) {
    return news.ahead && news.ahead->step().phase() == v1::Step::INSTALLING;
  }));
  v1::PreviewRequest request;
  request.set_number(5);
  *request.mutable_desired() = assignment_.desired();
  converger_->AskPreview(request);
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.preview.has_value(); }));
  assignment_.set_state(v1::FENCED);
  Assign();
  EXPECT_TRUE(Until([](const ConvergerNews& news) { return news.state == v1::FENCED; }));
  EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
}

TEST_F(ConvergerTest, StopsSoonAndLeavesTheInstallerToRun) {
  const std::string service = StartEndlessInstall();
  EXPECT_TRUE(converger_->Stop(seconds(20)));
  EXPECT_EQ(node_.host.ReadService(service)->state, ServiceResult::State::kRunning);
}

TEST_F(ConvergerTest, ANewerAssignmentInterruptsTheOlder) {
  StartEndlessInstall();
  assignment_.set_state(v1::OBSERVED);
  assignment_.mutable_desired()->set_generation(8);
  Assign();
  EXPECT_TRUE(UntilState(v1::Convergence::DIFFERS));
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  EXPECT_EQ(converger_->News().convergence->generation(), 8u);
}

TEST_F(ConvergerTest, AnAssignmentThatCannotBeKeptIsNotGoneBy) {
  node_.host.SetError(std::string(kStateDir) + "/assignment",
                      absl::ResourceExhaustedError("no space left on device"));
  EXPECT_FALSE(Take().ok());
  EXPECT_EQ(converger_->News().generation, 0u);
  EXPECT_TRUE(node_.host.services_started().empty());
}

// The disk filled up while it installed, and somebody says stop.
TEST_F(ConvergerTest, ARestrictionInterruptsAtOnceThoughItCannotBeWrittenDown) {
  StartEndlessInstall();
  node_.host.SetError(std::string(kStateDir) + "/assignment",
                      absl::ResourceExhaustedError("no space left on device"));
  v1::HeartbeatResponse stop;
  stop.set_assigned_state(v1::OBSERVED);
  stop.set_assigned_generation(7);
  EXPECT_FALSE(held_->Take(stop).ok());
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  EXPECT_TRUE(UntilState(v1::Convergence::DIFFERS));
}

TEST_F(ConvergerTest, ARefusedSpecificationIsToldAndChangesNothing) {
  assignment_.mutable_desired()->mutable_spec()->mutable_runtimes()->mutable_quarto(0)->set_version(
      "../../etc");
  Assign();
  const ConvergerNews news = converger_->News();
  EXPECT_EQ(news.state, v1::OBSERVED);
  EXPECT_EQ(news.generation, 0u);
  ASSERT_TRUE(news.convergence.has_value());
  EXPECT_EQ(news.convergence->generation(), 7u);
  EXPECT_EQ(news.convergence->state(), v1::Convergence::STUCK);
  ASSERT_EQ(news.convergence->troubles_size(), 1);
  EXPECT_EQ(news.convergence->troubles(0).resource(), "specification");
  EXPECT_NE(news.convergence->troubles(0).error().find("runtimes.quarto[0].version"),
            std::string::npos)
      << news.convergence->troubles(0).error();
  EXPECT_NE(news.convergence->troubles(0).fix(), "");
  EXPECT_TRUE(node_.host.services_started().empty());
}

TEST_F(ConvergerTest, APreviewOfWhatDoesNotValidateLooksAtNothing) {
  v1::PreviewRequest request;
  request.set_number(5);
  *request.mutable_desired() = assignment_.desired();
  (*request.mutable_desired()->mutable_spec()->mutable_secrets())["db_password"].set_file(
      "/etc/shadow");
  converger_->AskPreview(request);
  ASSERT_TRUE(Until([](const ConvergerNews& news) { return news.preview.has_value(); }));
  const v1::Preview preview = *converger_->News().preview;
  EXPECT_EQ(preview.number(), 5u);
  EXPECT_EQ(preview.changes_size(), 0);
  ASSERT_EQ(preview.troubles_size(), 1);
  EXPECT_NE(preview.troubles(0).error().find("secrets.db_password.file must be"), std::string::npos)
      << preview.troubles(0).error();
}

TEST_F(ConvergerTest, ANodeThatWasRemovedChangesNothingAlsoAfterARestart) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  ASSERT_TRUE(held_->TakeRemoval().ok());
  node_.host.Erase("/var/lib/rstudio-connect/connect.lic");
  converger_->Look(true);
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  StartAgent();
  converger_->Look(true);
  Assign();
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  EXPECT_TRUE(converger_->Stop(seconds(20)));
  EXPECT_FALSE(node_.host.Stat("/var/lib/rstudio-connect/connect.lic").ok());
}

TEST_F(ConvergerTest, ANodeThatAllowsToBeObservedAloneSaysWhatDiffersAndChangesNothing) {
  converger_.reset();
  HeldOptions options = node_.Holding();
  options.allow = v1::ALLOW_OBSERVE;
  held_ = std::make_unique<Held>(options, node_.host);
  ASSERT_TRUE(held_->Load().ok());
  converger_ = std::make_unique<Converger>(node_.Options(), node_.host, cache_, *held_, nullptr);
  ASSERT_TRUE(converger_->Start().ok());
  Assign();
  EXPECT_TRUE(UntilState(v1::Convergence::DIFFERS));
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  EXPECT_EQ(converger_->News().generation, 7u);
  EXPECT_TRUE(node_.host.services_started().empty());
}

// A store that was made anew numbers as the one before did.
TEST_F(ConvergerTest, AnotherStoresSpecificationOfTheSameNumberIsNotReadyYet) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  EXPECT_EQ(converger_->News().state, v1::READY);
  held_->OnChange(nullptr);  // so that nothing is looked at in between
  v1::HeartbeatResponse answer = ToAnswer(assignment_);
  answer.mutable_order()->set_lineage("M");
  answer.mutable_desired()->set_lineage("M");
  answer.mutable_desired()->mutable_applied_at()->set_seconds(100);
  ASSERT_TRUE(held_->Take(answer).ok());
  EXPECT_EQ(converger_->News().state, v1::PREPARING);
  EXPECT_FALSE(converger_->News().convergence.has_value());
  converger_->Look(false);
  EXPECT_TRUE(UntilState(v1::Convergence::CONVERGED));
  EXPECT_EQ(converger_->News().state, v1::READY);
}

TEST_F(ConvergerTest, AStateAloneKeepsTheSpecification) {
  Assign();
  ASSERT_TRUE(UntilState(v1::Convergence::CONVERGED));
  v1::HeartbeatResponse answer;
  answer.set_assigned_state(v1::OBSERVED);
  answer.set_assigned_generation(7);
  EXPECT_TRUE(held_->Take(answer).ok());
  EXPECT_EQ(converger_->News().generation, 7u);
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
}

}  // namespace
}  // namespace connect_ha
