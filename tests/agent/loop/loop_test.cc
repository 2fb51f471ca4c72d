#include "agent/loop/loop.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/agent/assignment/signed_fixture.h"
#include "tests/agent/loop/loop_fixture.h"
#include "tests/fakes/log_capture.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

TEST_F(LoopTest, SaysThatAnotherMachineHasItsName) {
  v1::HeartbeatResponse response;
  response.set_conflict("machine x");
  Answer(response);
  Begin();
  EXPECT_EQ(told_.back(), "STATUS=another machine reports as node-1");
}

}  // namespace
}  // namespace connect_ha
