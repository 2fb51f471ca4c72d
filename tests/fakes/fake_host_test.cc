// What the fake promises beyond being a host: it dies where it is told to, and runs what is
// arranged.
#include "tests/fakes/fake_host.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

constexpr char kLog[] = "/var/log/x.log";

TransientService Service(std::vector<std::vector<std::string>> commands) {
  TransientService service;
  service.name = "x.service";
  service.commands = std::move(commands);
  service.log_path = kLog;
  service.time_limit = std::chrono::minutes(10);
  return service;
}

class FakeHostTest : public testing::Test {
 protected:
  FakeHostTest() { host_.SetDirectory("/var/log"); }
  ServiceResult::State Read() { return host_.ReadService("x.service")->state; }
  FakeHost host_;
};

TEST_F(FakeHostTest, DiesAtTheNthChangingCallAndStaysDeadUntilRevived) {
  host_.SetDirectory("/etc");
  host_.DieAtCall(2);
  EXPECT_TRUE(host_.WriteFile("/etc/a", "1", {}).ok());
  EXPECT_EQ(host_.WriteFile("/etc/b", "1", {}), absl::AbortedError("killed"));
  EXPECT_EQ(host_.ReadFile("/etc/a").status(), absl::AbortedError("killed"));
  host_.Revive();
  EXPECT_EQ(*host_.ListDirectory("/etc"), std::vector<std::string>{"a"});
  EXPECT_EQ(host_.changes(), std::vector<std::string>{"WriteFile /etc/a"});
}

TEST_F(FakeHostTest, MayDieHalfwayThroughATransferAndGoesOnFromThere) {
  host_.SetDownload("https://x/a", {"0123456789", {}, absl::OkStatus()});
  FetchRequest request;
  request.url = "https://x/a";
  request.path = "/var/a";
  request.limit_bytes = 10;
  host_.DieAtCall(1, FakeHost::Death::kHalfway);
  EXPECT_EQ(host_.Fetch(request, nullptr), absl::AbortedError("killed"));
  host_.Revive();
  EXPECT_EQ(*host_.ReadFile("/var/a"), "01234");
  EXPECT_TRUE(host_.Fetch(request, nullptr).ok());
  EXPECT_EQ(*host_.ReadFile("/var/a"), "0123456789");
}

TEST_F(FakeHostTest, ATransferBreaksOnceWhereItIsToldTo) {
  host_.SetDownload("https://x/a", {"0123456789", 3, absl::OkStatus()});
  FetchRequest request;
  request.url = "https://x/a";
  request.path = "/var/a";
  request.limit_bytes = 10;
  EXPECT_EQ(host_.Fetch(request, nullptr).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*host_.ReadFile("/var/a"), "012");
  EXPECT_TRUE(host_.Fetch(request, nullptr).ok());
  EXPECT_EQ(*host_.ReadFile("/var/a"), "0123456789");
}

TEST_F(FakeHostTest, UnpacksTheArrangedEntries) {
  host_.SetFile("/cache/a", "archive");
  host_.SetArchive("archive", {{"top/"}, {"top/bin/q", "q", 0700}, {"top/l", "", 0777, "bin/q"}});
  UnpackRequest request;
  request.archive = "/cache/a";
  request.directory = "/opt/q";
  request.strip_components = 1;
  request.limit_bytes = 100;
  request.limit_entries = 3;
  EXPECT_EQ(host_.Unpack(request).status().code(), absl::StatusCode::kNotFound);
  host_.SetDirectory("/opt");
  const auto files = host_.Unpack(request);
  ASSERT_TRUE(files.ok()) << files.status();
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ(files->at(0).path, "bin/q");
  EXPECT_EQ(files->at(0).sha256, *host_.HashFile("/opt/q/bin/q", "sha256"));
  EXPECT_EQ(host_.LStat("/opt/q/bin/q")->mode, 0755u);
  EXPECT_EQ(*host_.ReadLink("/opt/q/l"), "bin/q");
  EXPECT_EQ(host_.Unpack(request).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(FakeHostTest, AServiceEndsAfterSoManyReadsWithItsEffectAndItsLog) {
  host_.SetService("/usr/bin/apt-get install",
                   {0, "unpacking\n", [](FakeHost& host) { host.SetFile("/opt/x", "x"); }, 2});
  ASSERT_TRUE(host_.StartService(Service({{"/usr/bin/apt-get", "install", "-y", "x"}})).ok());
  EXPECT_EQ(Read(), ServiceResult::State::kRunning);
  EXPECT_EQ(host_.ClearService("x.service").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Read(), ServiceResult::State::kRunning);
  EXPECT_EQ(host_.Stat("/opt/x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Read(), ServiceResult::State::kSucceeded);
  EXPECT_EQ(*host_.ReadFile("/opt/x"), "x");
  EXPECT_EQ(*host_.ReadFile(kLog), "unpacking\n");
  EXPECT_EQ(host_.StartService(Service({{"/a"}})).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(host_.ClearService("x.service").ok());
  EXPECT_EQ(Read(), ServiceResult::State::kAbsent);
  EXPECT_EQ(host_.services_started().size(), 1u);
}

TEST_F(FakeHostTest, TheCommandThatFailsIsTheLast) {
  host_.SetService("/a", {0, "a\n", nullptr, 0});
  host_.SetService("/b", {7, "b\n", nullptr, 0});
  ASSERT_TRUE(host_.StartService(Service({{"/a"}, {"/b"}, {"/a"}})).ok());
  const auto result = host_.ReadService("x.service");
  EXPECT_EQ(result->state, ServiceResult::State::kFailed);
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->reason, "exit-code");
  EXPECT_EQ(*host_.ReadFile(kLog), "a\nb\n");
}

TEST_F(FakeHostTest, TheNextOneFollowsACommandThatMayFail) {
  host_.SetService("-/b", {7, "b\n", nullptr, 0});
  host_.SetService("/a", {0, "a\n", nullptr, 0});
  ASSERT_TRUE(host_.StartService(Service({{"-/b"}, {"/a"}})).ok());
  host_.ReadService("x.service").IgnoreError();
  EXPECT_EQ(host_.ReadService("x.service")->state, ServiceResult::State::kSucceeded);
  EXPECT_EQ(*host_.ReadFile(kLog), "b\na\n");
}

TEST_F(FakeHostTest, AServiceThatNeverEndsDoesAtItsTimeLimit) {
  host_.SetService("x.service", {0, "", nullptr, kNeverEnds});
  ASSERT_TRUE(host_.StartService(Service({{"/sleep"}})).ok());
  EXPECT_EQ(Read(), ServiceResult::State::kRunning);
  host_.Advance(std::chrono::minutes(10));
  const auto result = host_.ReadService("x.service");
  EXPECT_EQ(result->state, ServiceResult::State::kFailed);
  EXPECT_EQ(result->reason, "timeout");
}

TEST_F(FakeHostTest, AMaskedUnitIsNotStartedWhateverIsInstalled) {
  ASSERT_TRUE(host_.MaskUnit("c.service").ok());
  v1::Unit unit;
  unit.set_name("c.service");
  unit.set_load_state("loaded");
  unit.set_active_state("inactive");
  host_.SetUnit(unit);
  EXPECT_FALSE(host_.StartUnit("c.service"));
  EXPECT_EQ(host_.ReadUnit("c.service")->load_state(), "masked");
  ASSERT_TRUE(host_.UnmaskUnit("c.service").ok());
  EXPECT_TRUE(host_.StartUnit("c.service"));
  EXPECT_EQ(host_.ReadUnit("c.service")->active_state(), "active");
}

TEST_F(FakeHostTest, ACommandHasAnEffect) {
  host_.SetCommand("useradd x", {0, false, ""}, [](FakeHost& host) {
    host.SetUser({"x", 999, 999, "x", {999}});
  });
  EXPECT_EQ(host_.Run({"useradd", "x"}, {})->exit_code, 0);
  EXPECT_EQ(host_.LookUpUser("x")->uid, 999u);
}

}  // namespace
}  // namespace connect_ha
