#include "agent/probes/connect/connect.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

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
  EXPECT_EQ(Text(facts.connect().ping()), "error: \"no answer in 2 s\"\n");
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
