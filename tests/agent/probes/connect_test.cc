#include "agent/probes/connect/connect.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>

#include "agent/probes/connect/guard.h"
#include "agent/probes/connect/restarts.h"
#include "common/time.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;

class ConnectTest : public testing::Test {
 protected:
  ConnectTest() : bench_(FakeHost::FromDirectory("tests/nodes/healthy")) {
    bench_.Configure({{"HTTP.Listen", ":3939"}});
  }
  v1::Facts Read() { return bench_.Run(ReadConnect, "connect"); }

  ProbeBench bench_;
};

TEST_F(ConnectTest, FilesThatWereNeverVerifiedAreUnobserved) {
  const v1::Facts facts = Read();
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "connect.integrity");
  EXPECT_EQ(facts.unobserved(0).reason(), "the files of 2024.08.0~ubuntu22 are not verified yet");
}

TEST_F(ConnectTest, AResultForAnotherVersionIsNotReported) {
  bench_.Run(VerifyConnect, "connect");
  EXPECT_TRUE(Read().connect().has_integrity());
  bench_.host->SetFile(
      "/var/lib/dpkg/status",
      "Package: rstudio-connect\nStatus: install ok installed\nVersion: 2024.09.0\n");
  const v1::Facts facts = Read();
  EXPECT_FALSE(facts.connect().has_integrity());
  EXPECT_EQ(facts.unobserved(0).reason(), "the files of 2024.09.0 are not verified yet");
}

TEST_F(ConnectTest, AFileThatCannotBeReadLeavesIntegrityUnobserved) {
  bench_.host->SetError("/opt/rstudio-connect/bin/connect", absl::DataLossError("read error"));
  bench_.Run(VerifyConnect, "connect");
  EXPECT_EQ(Read().unobserved(0).reason(), "read error");
}

TEST_F(ConnectTest, AnswersThatDoNotComeAreSaidToBeMissing) {
  bench_.host->SetError("http://127.0.0.1:3939", absl::UnavailableError("no answer in 2 s"));
  bench_.Run(VerifyConnect, "connect");
  const v1::Facts facts = Read();
  EXPECT_FALSE(facts.connect().ping().has_http_status());
  EXPECT_EQ(facts.connect().ping().error(), "no answer in 2 s");
  EXPECT_FALSE(facts.connect().has_running_version());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "connect.running_version");
}

TEST_F(ConnectTest, IsStartingWhileItsUnitIsActiveAndDoesNotAnswer) {
  HttpResponse unavailable;
  unavailable.status = 503;
  EXPECT_FALSE(ConnectIsStarting(Read()));
  bench_.host->SetHttp("GET", "http://127.0.0.1:3939/__ping__", unavailable);
  EXPECT_TRUE(ConnectIsStarting(Read()));
  bench_.host->SetError("http://127.0.0.1:3939", absl::UnavailableError("connection refused"));
  EXPECT_TRUE(ConnectIsStarting(Read()));
  v1::Unit stopped = *bench_.host->ReadUnit("rstudio-connect.service");
  stopped.set_active_state("inactive");
  bench_.host->SetUnit(stopped);
  EXPECT_FALSE(ConnectIsStarting(Read()));
}

TEST_F(ConnectTest, IsAskedAtATimeAndWhileItReloads) {
  EXPECT_EQ(FromProto(Read().connect().ping().asked_at()), bench_.host->Now());
  v1::Unit reloading = *bench_.host->ReadUnit("rstudio-connect.service");
  reloading.set_active_state("reloading");
  bench_.host->SetUnit(reloading);
  bench_.host->Advance(minutes(1));
  const v1::Ping ping = Read().connect().ping();
  EXPECT_EQ(ping.http_status(), 200u);
  EXPECT_EQ(FromProto(ping.asked_at()), bench_.host->Now());
}

TEST_F(ConnectTest, TheVersionIsAskedAgainAfterARestart) {
  Read();
  HttpResponse settings;
  settings.status = 200;
  settings.body = R"({"version": "2024.09.0"})";
  bench_.host->SetHttp("GET", "http://127.0.0.1:3939/__api__/server_settings", settings);
  EXPECT_EQ(Read().connect().running_version(), "2024.08.0");
  v1::Unit unit = *bench_.host->ReadUnit("rstudio-connect.service");
  unit.mutable_started_at()->set_seconds(1722512000);
  bench_.host->SetUnit(unit);
  EXPECT_EQ(Read().connect().running_version(), "2024.09.0");
}

TEST_F(ConnectTest, CountsTheRestartsThatItSees) {
  v1::Unit unit = *bench_.host->ReadUnit("rstudio-connect.service");
  unit.set_restarts(30);
  bench_.host->SetUnit(unit);
  EXPECT_EQ(Read().connect().unit().restarts_lately(), 0u);
  unit.set_restarts(31);
  bench_.host->SetUnit(unit);
  EXPECT_EQ(Read().connect().unit().restarts_lately(), 1u);
  // However often it looks, nothing is counted twice.
  EXPECT_EQ(Read().connect().unit().restarts_lately(), 1u);
  bench_.host->Advance(minutes(10));
  const v1::Unit later = Read().connect().unit();
  EXPECT_TRUE(later.has_restarts_lately());
  EXPECT_EQ(later.restarts_lately(), 0u);
  EXPECT_EQ(later.restarts(), 31u);
}

// Nothing of Connect ran.
TEST_F(ConnectTest, CountsNoRestartThatThePreflightRefused) {
  const auto restarted = [this](uint32_t restarts) {
    v1::Unit unit = *bench_.host->ReadUnit("rstudio-connect.service");
    unit.set_restarts(restarts);
    bench_.host->SetUnit(unit);
    return Read().connect().unit().restarts_lately();
  };
  EXPECT_EQ(restarted(0), 0u);
  v1::PreflightResult refused;
  *refused.mutable_at() = ToProto(bench_.host->Now());
  refused.set_reason("the database does not answer");
  bench_.host->SetFile(kPreflightFile, refused.SerializeAsString());
  EXPECT_EQ(restarted(4), 0u);
  // The guard was taken away, and left that behind.
  bench_.host->Advance(minutes(10));
  EXPECT_EQ(restarted(5), 1u);
  *refused.mutable_at() = ToProto(bench_.host->Now());
  refused.set_may_start(true);
  bench_.host->SetFile(kPreflightFile, refused.SerializeAsString());
  EXPECT_EQ(restarted(6), 2u);
}

TEST_F(ConnectTest, OnlyHttpsIsAskedWhereOnlyHttpsListens) {
  bench_.Configure({{"HTTPS.Listen", ":443"}});
  Read();
  EXPECT_EQ(bench_.host->http_requests().front(), "GET https://127.0.0.1:443/__ping__");
}

TEST_F(ConnectTest, WithoutThePackageThereIsNothingToVerify) {
  bench_.host->SetFile("/var/lib/dpkg/status", "");
  bench_.Run(VerifyConnect, "connect");
  const v1::Facts facts = Read();
  EXPECT_FALSE(facts.connect().has_package());
  EXPECT_EQ(facts.unobserved_size(), 0);
}

// What the agent looks at, one look after the other, on a clock of its own.
class Restarts : public testing::Test {
 protected:
  // started_at: so long ago; unset: it does not run.
  std::optional<uint32_t> Look(uint32_t number, std::optional<minutes> started = minutes(60)) {
    v1::Unit unit;
    unit.set_restarts(number);
    if (started) *unit.mutable_started_at() = ToProto(now_ - *started);
    noted_ = NoteRestarts(noted_, unit, was_refused_, now_);
    return RestartsLately(*noted_);
  }
  std::optional<uint32_t> LookAfter(minutes span, uint32_t number) {
    now_ += span;
    return Look(number);
  }

  Time now_{std::chrono::hours(480'000)};
  std::optional<KeptRestarts> noted_;
  bool was_refused_ = false;
};

TEST_F(Restarts, CountForTenMinutesEach) {
  EXPECT_EQ(Look(0), 0u);
  EXPECT_EQ(LookAfter(minutes(1), 1), 1u);
  EXPECT_EQ(LookAfter(minutes(4), 3), 3u);
  EXPECT_EQ(LookAfter(minutes(5), 3), 3u);
  EXPECT_EQ(LookAfter(minutes(1), 3), 2u);
  EXPECT_EQ(LookAfter(minutes(4), 4), 1u);
  EXPECT_EQ(LookAfter(minutes(10), 4), 0u);
}

TEST_F(Restarts, OfMonthsAgoCountForNothing) {
  EXPECT_EQ(Look(1'000), 0u);
  EXPECT_EQ(LookAfter(minutes(60), 1'001), 1u);
}

// The agent was started after them.
TEST_F(Restarts, ThatNobodySawAreUnknownUntilTheyAreOver) {
  EXPECT_FALSE(Look(5, minutes(4)));
  EXPECT_FALSE(LookAfter(minutes(5), 6));
  EXPECT_EQ(LookAfter(minutes(1), 6), 1u);
}

TEST_F(Restarts, OfAUnitThatDoesNotRunMayHaveBeenJustNow) {
  EXPECT_FALSE(Look(2, std::nullopt));
  EXPECT_FALSE(LookAfter(minutes(9), 2));
  EXPECT_EQ(LookAfter(minutes(1), 2), 0u);
}

// systemd counts from there.
TEST_F(Restarts, BeforeSomebodyStartedItCountForNothing) {
  EXPECT_FALSE(Look(5, minutes(1)));
  EXPECT_EQ(LookAfter(minutes(1), 0), 0u);
  EXPECT_EQ(LookAfter(minutes(1), 3), 3u);
  EXPECT_EQ(LookAfter(minutes(1), 1), 1u);
}

TEST_F(Restarts, AfterAStartThatWasRefusedCountForNothing) {
  EXPECT_EQ(Look(0), 0u);
  was_refused_ = true;
  EXPECT_EQ(LookAfter(minutes(1), 5), 0u);
  was_refused_ = false;
  EXPECT_EQ(LookAfter(minutes(1), 6), 1u);
}

TEST_F(Restarts, AreOverTenMinutesAfterAClockWasSetBack) {
  EXPECT_EQ(Look(0), 0u);
  EXPECT_EQ(LookAfter(minutes(1), 3), 3u);
  EXPECT_EQ(LookAfter(-minutes(300), 3), 3u);
  EXPECT_EQ(LookAfter(minutes(9), 3), 3u);
  EXPECT_EQ(LookAfter(minutes(1), 3), 0u);
}

TEST(LocalAddress, IsTheLoopbackForAWildcard) {
  EXPECT_EQ(LocalAddress(":3939"), "127.0.0.1:3939");
  EXPECT_EQ(LocalAddress("0.0.0.0:80"), "127.0.0.1:80");
  EXPECT_EQ(LocalAddress("[::]:443"), "[::1]:443");
  EXPECT_EQ(LocalAddress("10.0.0.5:3939"), "10.0.0.5:3939");
  EXPECT_EQ(LocalAddress("3939"), "127.0.0.1:3939");
}

TEST(ServerVersion, IsInTheSettings) {
  EXPECT_EQ(*ParseServerVersion(R"({"a": [1], "version": "2024.08.0"})"), "2024.08.0");
  EXPECT_EQ(ParseServerVersion(R"({"version": ""})").status().message(),
            "server_settings tells no version: Server.HideVersion may be set");
  EXPECT_EQ(
      ParseServerVersion("{\"version\": \"" + std::string(65, '1') + "\"}").status().message(),
      "server_settings tells a version that is none");
  EXPECT_EQ(ParseServerVersion("<html>").status().message(),
            "server_settings did not answer with a JSON object");
}

}  // namespace
}  // namespace connect_ha
