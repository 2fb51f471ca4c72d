#include "agent/loop/loop.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "tests/agent/assignment/signed_fixture.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// Keeps what it was sent and answers with what was put in.
class FakeLink : public CoordinatorLink {
 public:
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request) override {
    requests.push_back(request);
    if (!error.ok()) return error;
    v1::HeartbeatResponse response;
    if (!answers.empty()) {
      response = answers.front();
      answers.pop_front();
    }
    if (response.next_heartbeat_ms() == 0) response.set_next_heartbeat_ms(5'000);
    return response;
  }
  void OnNudge(std::function<void()>) override {}

  std::vector<v1::HeartbeatRequest> requests;
  std::deque<v1::HeartbeatResponse> answers;
  absl::Status error;
};

absl::Status ReadHostname(const ProbeInput& input, v1::Facts& facts) {
  const auto name = input.host.ReadFile("/etc/hostname");
  if (!name.ok()) return name.status();
  facts.mutable_host()->set_hostname(*name);
  facts.mutable_memory()->set_available_bytes(1);
  return absl::OkStatus();
}

class LoopTest : public testing::Test {
 protected:
  LoopTest() {
    host_.SetFile("/etc/hostname", "node-1");
    GathererOptions gathering;
    gathering.probes = {{"host", "host", Pace::kPass, kOnHost, seconds(30), ReadHostname}};
    gathering.load_config = [] { return LoadedConfig(); };
    gathering.agent_config.mutable_poll_interval()->set_seconds(30);
    gathering.agent_config.mutable_verify_interval()->set_seconds(600);
    gatherer_ = std::make_unique<Gatherer>(std::move(gathering), host_, cache_);
    host_.SetDirectory("/state");
    ConvergeOptions convergence;
    convergence.node = "node-1";
    convergence.state_dir = "/state";
    convergence.cache_dir = "/cache";
    convergence.agent_config.set_connect_unit("rstudio-connect.service");
    convergence.agent_config.set_connect_config("/etc/connect.gcfg");
    held_ = std::make_unique<Held>(Holding(), host_);
    EXPECT_TRUE(held_->Load().ok());
    converger_ =
        std::make_unique<Converger>(std::move(convergence), host_, cache_, *held_, nullptr);
    EXPECT_TRUE(converger_->Start().ok());
    LoopOptions options;
    options.node = "node-1";
    options.machine_id = "m";
    options.boot_id = "b";
    options.agent_version = "0.1.0";
    options.digest_key_id = "2c70e12b7a0646f9";
    options.notify = [this](const std::string& state) { told_.push_back(state); };
    options.called = [this](const v1::HeartbeatResponse* answer) {
      challenges_.push_back(answer == nullptr ? "no answer" : answer->proof_challenge());
    };
    gate_.version = 1;
    gate_.report.set_gate_reason("it is new");
    options.gate = [this] { return gate_; };
    loop_ =
        std::make_unique<Loop>(std::move(options), *gatherer_, *converger_, *held_, link_, host_);
  }
  static HeldOptions Holding() {
    HeldOptions options;
    options.owner = {"lab", "m", "token-1", "m"};
    options.state_dir = "/state";
    return options;
  }
  // Until the first gathering is over and reported.
  void Begin() {
    while (link_.requests.empty()) Act(0);
  }
  void Act(uint32_t triggers) {
    loop_->Act(triggers, now_);
    gatherer_->WaitForAll(seconds(30));
  }
  void After(milliseconds span, uint32_t triggers = 0) {
    now_ += span;
    host_.Advance(span);
    Act(triggers);
  }
  void Answer(const v1::HeartbeatResponse& response) { link_.answers.push_back(response); }
  int Count(const std::string& state) const {
    return static_cast<int>(std::count(told_.begin(), told_.end(), state));
  }

  FakeHost host_;
  ProbeCache cache_;
  FakeLink link_;
  std::unique_ptr<Gatherer> gatherer_;
  std::unique_ptr<Held> held_;
  std::unique_ptr<Converger> converger_;
  std::unique_ptr<Loop> loop_;
  std::vector<std::string> told_;
  std::vector<std::string> challenges_;
  GateNews gate_;
  SteadyTime now_ = steady_clock::now();
};

TEST_F(LoopTest, ReportsWhatTheNodeIs) {
  Begin();
  const v1::HeartbeatRequest& request = link_.requests[0];
  EXPECT_EQ(request.node(), "node-1");
  EXPECT_EQ(request.machine_id(), "m");
  EXPECT_EQ(request.boot_id(), "b");
  EXPECT_EQ(request.agent_version(), "0.1.0");
  EXPECT_EQ(request.digest_key_id(), "2c70e12b7a0646f9");
  EXPECT_EQ(request.reported_state(), v1::OBSERVED);
  EXPECT_EQ(request.facts().host().hostname(), "node-1");
  EXPECT_EQ(request.facts_digest().size(), 64u);
  EXPECT_EQ(request.agent_sent_us(), 1'722'513'600'000'000);
  EXPECT_FALSE(request.has_last_exchange());
}

TEST_F(LoopTest, SaysHowTheGateStandsAndCallsWhenItTurns) {
  gate_.is_known = false;
  Begin();
  EXPECT_TRUE(link_.requests[0].can_serve());
  EXPECT_FALSE(link_.requests[0].has_service());
  gate_.is_known = true;
  ++gate_.version;
  After(seconds(1));
  EXPECT_FALSE(link_.requests.back().service().gate_open());
  EXPECT_EQ(link_.requests.back().service().gate_reason(), "it is new");
  EXPECT_FALSE(link_.requests.back().service().has_newest_start());
  const size_t calls = link_.requests.size();
  After(seconds(1));
  EXPECT_EQ(link_.requests.size(), calls);
  ++gate_.version;
  gate_.report.set_gate_open(true);
  gate_.report.clear_gate_reason();
  After(seconds(1));
  ASSERT_EQ(link_.requests.size(), calls + 1);
  EXPECT_TRUE(link_.requests.back().service().gate_open());
  After(seconds(1));
  EXPECT_EQ(link_.requests.size(), calls + 1);
}

TEST_F(LoopTest, SaysWhomItTrusts) {
  const SigningKey key = NewKey();
  host_.SetFile(std::string(kTrustedDirectory) + "/alice.pub", PublicKeyLine(key.public_key));
  ASSERT_TRUE(held_->Load().ok());
  Begin();
  ASSERT_EQ(link_.requests[0].trusted_signers_size(), 1);
  EXPECT_EQ(link_.requests[0].trusted_signers(0), PublicKeyName(key.public_key));
}

TEST_F(LoopTest, TellsOfEachCallWhatCameOfIt) {
  v1::HeartbeatResponse response;
  response.set_proof_challenge("c1");
  Answer(response);
  Begin();
  EXPECT_EQ(challenges_, std::vector<std::string>({"c1"}));
  link_.error = absl::UnavailableError("away");
  After(seconds(5));
  EXPECT_EQ(challenges_, std::vector<std::string>({"c1", "no answer"}));
}

TEST_F(LoopTest, SendsNoFactsWhileNothingChanges) {
  Begin();
  After(seconds(1));
  EXPECT_EQ(link_.requests.size(), 1u);
  After(seconds(5));
  ASSERT_EQ(link_.requests.size(), 2u);
  EXPECT_FALSE(link_.requests[1].has_facts());
  EXPECT_EQ(link_.requests[1].facts_digest(), link_.requests[0].facts_digest());
}

TEST_F(LoopTest, SendsAChangeAtOnce) {
  Begin();
  host_.SetFile("/etc/hostname", "other");
  After(milliseconds(200), kOnHost);
  ASSERT_EQ(link_.requests.size(), 2u);
  EXPECT_EQ(link_.requests[1].facts().host().hostname(), "other");
}

TEST_F(LoopTest, SendsFactsAsBytesOnceTheCoordinatorTakesThem) {
  v1::HeartbeatResponse takes;
  takes.set_next_heartbeat_ms(5000);
  takes.set_takes_facts_bytes(true);
  Answer(takes);
  Begin();
  host_.SetFile("/etc/hostname", "other");
  After(milliseconds(200), kOnHost);  // answered by one that does not
  host_.SetFile("/etc/hostname", "again");
  After(milliseconds(200), kOnHost);
  ASSERT_EQ(link_.requests.size(), 3u);
  v1::Facts facts;
  EXPECT_TRUE(link_.requests[0].has_facts());
  EXPECT_FALSE(link_.requests[1].has_facts());
  ASSERT_TRUE(facts.ParseFromString(link_.requests[1].facts_bytes()));
  EXPECT_EQ(facts.host().hostname(), "other");
  EXPECT_TRUE(link_.requests[2].facts_bytes().empty());
  EXPECT_EQ(link_.requests[2].facts().host().hostname(), "again");
}

TEST_F(LoopTest, FactsThatWereSentAsBytesAreNotSentAgain) {
  v1::HeartbeatResponse takes;
  takes.set_next_heartbeat_ms(5000);
  takes.set_takes_facts_bytes(true);
  Answer(takes);
  Answer(takes);
  Begin();
  host_.SetFile("/etc/hostname", "other");
  After(milliseconds(200), kOnHost);
  After(seconds(6));
  ASSERT_EQ(link_.requests.size(), 3u);
  EXPECT_FALSE(link_.requests[1].facts_bytes().empty());
  EXPECT_TRUE(link_.requests[2].facts_bytes().empty());
}

TEST_F(LoopTest, AFlappingFactWaitsALittle) {
  Begin();
  host_.SetFile("/etc/hostname", "other");
  After(milliseconds(200), kOnHost);
  host_.SetFile("/etc/hostname", "third");
  After(milliseconds(10), kOnHost);
  EXPECT_EQ(link_.requests.size(), 2u);
  EXPECT_EQ(loop_->NextDue(now_), now_ + milliseconds(90));
  After(milliseconds(90));
  EXPECT_EQ(link_.requests.size(), 3u);
}

TEST_F(LoopTest, AProbeThatFailsIsReportedAsUnobserved) {
  Begin();
  host_.SetError("/etc/hostname", absl::PermissionDeniedError("no"));
  After(milliseconds(200), kOnHost);
  ASSERT_EQ(link_.requests.size(), 2u);
  EXPECT_FALSE(link_.requests[1].facts().has_host());
  EXPECT_EQ(link_.requests[1].facts().unobserved(0).path(), "host");
}

TEST_F(LoopTest, SendsVolatileValuesEveryMinute) {
  Begin();
  for (int i = 0; i < 11; ++i) After(milliseconds(5'001));
  for (size_t i = 1; i < link_.requests.size(); ++i) EXPECT_FALSE(link_.requests[i].has_facts());
  After(milliseconds(5'001));
  EXPECT_TRUE(link_.requests.back().has_facts());
}

TEST_F(LoopTest, AnswersANudgeAtOnce) {
  Begin();
  loop_->Nudge();
  After(milliseconds(1));
  EXPECT_EQ(link_.requests.size(), 2u);
}

TEST_F(LoopTest, SendsTheFactsAgainWhenAsked) {
  v1::HeartbeatResponse response;
  response.set_send_facts(true);
  Answer(v1::HeartbeatResponse());
  Answer(response);
  Begin();
  After(seconds(6));
  ASSERT_EQ(link_.requests.size(), 3u);
  EXPECT_FALSE(link_.requests[1].has_facts());
  EXPECT_TRUE(link_.requests[2].has_facts());
}

TEST_F(LoopTest, GathersEverythingWhenAskedAndSaysSoOnce) {
  v1::HeartbeatResponse response;
  response.set_gather(7);
  Answer(response);
  Begin();
  After(milliseconds(1));
  After(milliseconds(1));
  After(milliseconds(1));
  ASSERT_EQ(link_.requests.size(), 2u);
  EXPECT_EQ(link_.requests[1].gathered(), 7u);
  EXPECT_TRUE(link_.requests[1].has_facts());
}

TEST_F(LoopTest, TellsTheFourTimesOfTheExchangeBefore) {
  v1::HeartbeatResponse response;
  response.set_coordinator_received_us(10);
  response.set_coordinator_sent_us(20);
  Answer(response);
  Begin();
  After(seconds(6));
  const v1::ClockExchange& exchange = link_.requests[1].last_exchange();
  EXPECT_EQ(exchange.agent_sent_us(), 1'722'513'600'000'000);
  EXPECT_EQ(exchange.coordinator_received_us(), 10);
  EXPECT_EQ(exchange.coordinator_sent_us(), 20);
  EXPECT_EQ(exchange.agent_received_us(), 1'722'513'600'000'000);
}

TEST_F(LoopTest, BacksOffWhileTheCoordinatorIsAwayAndComesBackWithFacts) {
  link_.error = absl::UnavailableError("connection refused");
  Begin();
  for (int i = 0; i < 600; ++i) After(seconds(1));
  EXPECT_LT(link_.requests.size(), 90u);
  EXPECT_GT(link_.requests.size(), 45u);
  link_.error = absl::OkStatus();
  const size_t before = link_.requests.size();
  for (int i = 0; i < 60 && link_.requests.size() == before; ++i) After(seconds(1));
  ASSERT_EQ(link_.requests.size(), before + 1);
  EXPECT_TRUE(link_.requests.back().has_facts());
  EXPECT_EQ(told_.back(), "STATUS=reporting to the coordinator");
}

TEST_F(LoopTest, TellsOfTroubleWhenItBeginsBecomesAnotherAndLastsAndWhenItEnds) {
  const LogCapture log;
  link_.error = absl::UnavailableError("connection refused");
  Begin();
  for (int i = 0; i < 60; ++i) After(seconds(30));
  link_.error = absl::ResourceExhaustedError("larger than max");
  for (int i = 0; i < 130; ++i) After(seconds(30));
  link_.error = absl::OkStatus();
  for (const int wait : {10, 3}) After(seconds(wait));  // 10 s, give or take a quarter
  EXPECT_EQ(log.Await("event=coordinator-", 4),
            (std::vector<std::string>{"event=coordinator-away reason=\"connection refused\"",
                                      "event=coordinator-refuses reason=\"larger than max\"",
                                      "event=coordinator-refuses reason=\"larger than max\"",
                                      "event=coordinator-back away=\"1h 35m\""}));
}

TEST_F(LoopTest, OfAReportThatTheCoordinatorWouldNotTakeThePartIsMissing) {
  const LogCapture log;
  host_.SetFile("/etc/hostname", std::string(5 * 1024 * 1024, 'x'));
  Begin();
  After(seconds(6));
  ASSERT_EQ(link_.requests.size(), 2u);
  const v1::Facts& facts = link_.requests[0].facts();
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "host");
  EXPECT_TRUE(facts.has_memory());
  EXPECT_NE(facts.unobserved(0).reason().find("the report is too large (5.0 MiB"),
            std::string::npos);
  EXPECT_LT(link_.requests[0].ByteSizeLong(), 1000u);
  EXPECT_EQ(log.Await("event=report-too-large").size(), 1u);
}

TEST_F(LoopTest, WhatIsNoTextOnTheNodeIsTextInTheReport) {
  host_.SetFile("/etc/hostname", "node\xff\x1b[31m");
  Begin();
  EXPECT_EQ(link_.requests[0].facts().host().hostname(), "node\\xff\\x1b[31m");
}

TEST_F(LoopTest, AChangeDoesNotBreakTheBackOff) {
  link_.error = absl::UnavailableError("connection refused");
  Begin();
  host_.SetFile("/etc/hostname", "other");
  After(milliseconds(200), kOnHost);
  EXPECT_EQ(link_.requests.size(), 1u);
}

TEST_F(LoopTest, KeepsTurningAndSaysWhatIsWrong) {
  link_.error = absl::UnavailableError("connection refused");
  Begin();
  for (int i = 0; i < 60; ++i) After(seconds(1));
  EXPECT_EQ(Count("STATUS=cannot report: connection refused"), 1);
  EXPECT_LE(loop_->NextDue(now_), now_ + seconds(30));
}

TEST_F(LoopTest, TellsSystemdNothingButItsStatusWhateverTheCoordinatorSays) {
  link_.error = absl::UnavailableError("no\nMAINPID=1\nWATCHDOG=trigger");
  Begin();
  EXPECT_EQ(Count("STATUS=cannot report: no?MAINPID=1?WATCHDOG=trigger"), 1);
  for (const std::string& told : told_) EXPECT_EQ(told.find('\n'), std::string::npos) << told;
}

// Until the converger's thread has said what the test waits for; each turn a heartbeat.
class AssignedLoopTest : public LoopTest {
 protected:
  template <typename Condition>
  const v1::HeartbeatRequest& TurnUntil(Condition condition) {
    for (int i = 0; i < 1'000 && !condition(link_.requests.back()); ++i) {
      std::this_thread::sleep_for(milliseconds(5));
      After(seconds(6));
    }
    return link_.requests.back();
  }
  v1::HeartbeatResponse Assigned(v1::NodeState state, uint64_t generation) {
    v1::HeartbeatResponse response;
    response.set_assigned_state(state);
    response.set_assigned_generation(generation);
    v1::Desired& desired = *response.mutable_desired();
    desired.set_generation(generation);
    desired.mutable_spec()->set_cluster("lab");
    desired.mutable_spec()->set_enforcement(v1::ENFORCE);
    return response;
  }
};

TEST_F(AssignedLoopTest, ObservedItReportsWhatWouldBeChanged) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  const v1::HeartbeatRequest& request = TurnUntil([](const v1::HeartbeatRequest& sent) {
    return sent.convergence().state() == v1::Convergence::DIFFERS;
  });
  EXPECT_EQ(request.reported_state(), v1::OBSERVED);
  EXPECT_EQ(request.reported_generation(), 3u);
  ASSERT_EQ(request.convergence().changes_size(), 1);
  EXPECT_EQ(request.convergence().changes(0).resource(), "unit rstudio-connect.service");
  EXPECT_TRUE(request.changes_made().empty());
}

TEST_F(AssignedLoopTest, PreparingItChangesIsReadyAndTellsEachChangeUntilItIsStored) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  const v1::HeartbeatRequest ready = TurnUntil(
      [](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  ASSERT_EQ(ready.changes_made_size(), 1);
  EXPECT_EQ(ready.changes_made(0).change().to(), "masked, stopped");
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().changes_made_size(), 1);
  v1::HeartbeatResponse response;
  response.set_changes_taken(ready.changes_made(0).number());
  Answer(response);
  After(seconds(6));
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().changes_made_size(), 0);
}

TEST_F(AssignedLoopTest, AnswersAPreviewThatIsAskedForOnce) {
  v1::HeartbeatResponse response;
  response.mutable_preview()->set_number(9);
  *response.mutable_preview()->mutable_desired() = Assigned(v1::OBSERVED, 4).desired();
  Answer(response);
  Begin();
  const v1::HeartbeatRequest request =
      TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.has_preview(); });
  EXPECT_EQ(request.preview().number(), 9u);
  EXPECT_EQ(request.preview().changes_size(), 1);
  EXPECT_EQ(request.reported_generation(), 0u);
  After(seconds(6));
  EXPECT_FALSE(link_.requests.back().has_preview());
}

TEST_F(AssignedLoopTest, SaysHowFarItIsWithWhatItIsToGetReadyFor) {
  host_.SetDirectory("/etc/systemd/system");
  v1::HeartbeatResponse response = Assigned(v1::PREPARING, 3);
  response.set_ahead_generation(4);
  *response.mutable_ahead() = Assigned(v1::PREPARING, 4).desired();
  Answer(response);
  Begin();
  const v1::HeartbeatRequest request =
      TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.has_ahead(); });
  EXPECT_EQ(request.ahead().generation(), 4u);
  EXPECT_EQ(request.reported_generation(), 3u);
  // A coordinator that was started again gives it again, and is told that it is there.
  Answer(response);
  After(seconds(6));
  After(seconds(6));
  EXPECT_EQ(link_.requests.back().ahead().generation(), 4u);
  // An answer that asks for nothing such ends it.
  v1::HeartbeatResponse none;
  none.set_assigned_state(v1::PREPARING);
  none.set_assigned_generation(3);
  Answer(none);
  After(seconds(6));
  const size_t told = link_.requests.size();
  After(seconds(61));
  ASSERT_GT(link_.requests.size(), told);
  EXPECT_FALSE(link_.requests.back().has_ahead());
}

TEST_F(AssignedLoopTest, ACoordinatorThatLostTheSpecificationTakesNoneAway) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  v1::HeartbeatResponse empty;
  empty.set_assigned_state(v1::OBSERVED);
  empty.mutable_desired();
  Answer(empty);
  After(seconds(6));
  EXPECT_EQ(converger_->News().generation, 3u);
}

TEST_F(AssignedLoopTest, ACoordinatorWithAnOlderSpecificationChangesNothing) {
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_generation() == 3; });
  Answer(Assigned(v1::OBSERVED, 2));
  After(seconds(6));
  EXPECT_EQ(converger_->News().generation, 3u);
  EXPECT_NE(converger_->News().state, v1::OBSERVED);
}

TEST_F(AssignedLoopTest, WhatItHoldsOutlivesTheAgentAndACoordinatorThatIsAway) {
  Answer(Assigned(v1::OBSERVED, 3));
  Begin();
  ConvergeOptions options;
  options.state_dir = "/state";
  ProbeCache cache;
  Held held(Holding(), host_);
  EXPECT_TRUE(held.Load().ok());
  Converger again(options, host_, cache, held, nullptr);
  EXPECT_TRUE(again.Start().ok());
  EXPECT_EQ(again.News().generation, 3u);
}

TEST_F(AssignedLoopTest, SaysWhoseOrdersItHoldsAndWhatItAllows) {
  v1::HeartbeatResponse response = Assigned(v1::OBSERVED, 3);
  response.mutable_desired()->set_lineage("L");
  response.mutable_desired()->mutable_applied_at()->set_seconds(100);
  response.mutable_order()->set_lineage("L");
  response.mutable_order()->set_epoch(4);
  response.mutable_order()->set_serial(9);
  Answer(response);
  Begin();
  After(seconds(6));
  const v1::HeartbeatRequest& request = link_.requests.back();
  EXPECT_EQ(request.reported_generation(), 3u);
  EXPECT_EQ(request.reported_lineage(), "L");
  EXPECT_EQ(request.reported_applied_at().seconds(), 100);
  EXPECT_EQ(request.order().epoch(), 4u);
  EXPECT_EQ(request.order().serial(), 9u);
  EXPECT_EQ(request.allow(), v1::ALLOW_SERVE);
  EXPECT_EQ(request.trusted_signers_size(), 0);
}

TEST_F(AssignedLoopTest, ANodeThatWasRemovedIsObserved) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  link_.error = absl::PermissionDeniedError(
      "node \"node-1\" was removed from cluster \"lab\"; fix: to join again: ...");
  After(seconds(6));
  EXPECT_EQ(converger_->News().state, v1::OBSERVED);
  Held again(Holding(), host_);
  EXPECT_TRUE(again.Load().ok());
  EXPECT_TRUE(again.Orders()->removed());
}

TEST_F(AssignedLoopTest, AnotherRefusalChangesNothing) {
  host_.SetDirectory("/etc/systemd/system");
  Answer(Assigned(v1::PREPARING, 3));
  Begin();
  TurnUntil([](const v1::HeartbeatRequest& sent) { return sent.reported_state() == v1::READY; });
  for (const absl::Status& error :
       {absl::PermissionDeniedError("the certificate is for cluster other, this one is lab"),
        absl::UnavailableError("node-1 was removed"), absl::UnauthenticatedError("was removed")}) {
    link_.error = error;
    After(seconds(60));
    EXPECT_EQ(converger_->News().state, v1::READY) << error;
  }
}

TEST_F(LoopTest, SaysThatAnotherMachineHasItsName) {
  v1::HeartbeatResponse response;
  response.set_conflict("machine x");
  Answer(response);
  Begin();
  EXPECT_EQ(told_.back(), "STATUS=another machine reports as node-1");
}

}  // namespace
}  // namespace connect_ha
