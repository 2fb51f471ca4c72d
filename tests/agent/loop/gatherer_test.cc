#include "agent/loop/gatherer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kLong{30'000};

// What the probes below do; one test at a time.
struct World {
  std::atomic<int> host_runs{0};
  std::atomic<int> running{0};
  std::atomic<int> most_running{0};
  std::atomic<int> verified{0};
  std::atomic<bool> hang{false};
  std::atomic<bool> fail{false};
  std::atomic<bool> had_config{false};
  std::atomic<bool> unsettled{false};
  std::atomic<bool> cut_short{false};
};
World* world = nullptr;

absl::Status ReadHost(const ProbeInput& input, v1::Facts& facts) {
  const int running = ++world->running;
  if (running > world->most_running) world->most_running = running;
  ++world->host_runs;
  world->had_config = input.config != nullptr;
  facts.mutable_host()->set_hostname("node-1");
  --world->running;
  return world->fail ? absl::UnavailableError("cannot read it") : absl::OkStatus();
}

absl::Status ReadStorage(const ProbeInput&, v1::Facts& facts) {
  while (world->hang) std::this_thread::sleep_for(milliseconds(1));
  facts.mutable_storage()->add_mounts()->set_mount_point("/mnt/connect");
  return absl::OkStatus();
}

absl::Status Verify(const ProbeInput&, v1::Facts&) {
  ++world->verified;
  return world->cut_short ? absl::DeadlineExceededError("did not end") : absl::OkStatus();
}

absl::Status ReadRuntimes(const ProbeInput&, v1::Facts& facts) {
  for (int i = 0; i < world->verified; ++i) facts.mutable_runtimes()->add_runtimes();
  return absl::OkStatus();
}

bool HostIsUnsettled(const v1::Facts& facts) { return world->unsettled && facts.has_host(); }

class GathererTest : public testing::Test {
 protected:
  GathererTest() {
    world = &world_;
    options_.probes = {
        {"host", "host", Pace::kPass, kOnHost, seconds(30), ReadHost},
        {"storage", "storage", Pace::kPass, kOnMounts, milliseconds(20), ReadStorage},
        {"runtimes_verification", "runtimes", Pace::kVerify, kOnRuntimes, seconds(30), Verify},
        {"runtimes", "runtimes", Pace::kPass, kOnRuntimes, seconds(30), ReadRuntimes}};
    options_.load_config = [this] {
      ++loads_;
      return LoadedConfig{config_, config_status_};
    };
    options_.agent_config.mutable_poll_interval()->set_seconds(30);
    options_.agent_config.mutable_verify_interval()->set_seconds(600);
  }
  ~GathererTest() override {
    world_.hang = false;
    gatherer_.reset();
  }
  Gatherer& Start() {
    gatherer_ = std::make_unique<Gatherer>(options_, host_, cache_);
    return *gatherer_;
  }
  // Everything at once, to its end.
  v1::Facts Gather() {
    const auto now = steady_clock::now();
    gatherer_->StartAll(now);
    EXPECT_TRUE(gatherer_->WaitForAll(kLong));
    return gatherer_->Collect(now);
  }

  // How long from now the host is read again; seconds, rounded.
  int64_t SecondsToNextRead() {
    EXPECT_TRUE(gatherer_->WaitForAll(kLong));
    return std::chrono::round<seconds>(gatherer_->NextDue() - steady_clock::now()).count();
  }
  // After everything was read once, and each time that it is due from then on.
  std::vector<int64_t> SevenWaits() {
    Gather();
    std::vector<int64_t> waits = {SecondsToNextRead()};
    while (waits.size() < 7) {
      gatherer_->Start(0, gatherer_->NextDue());
      waits.push_back(SecondsToNextRead());
    }
    return waits;
  }

  World world_;
  FakeHost host_;
  ProbeCache cache_;
  GathererOptions options_;
  std::atomic<int> loads_{0};
  std::shared_ptr<const ConnectConfig> config_;
  absl::Status config_status_;
  std::unique_ptr<Gatherer> gatherer_;
};

TEST_F(GathererTest, PutsTogetherWhatTheProbesRead) {
  Start();
  const v1::Facts facts = Gather();
  EXPECT_EQ(facts.host().hostname(), "node-1");
  EXPECT_EQ(facts.storage().mounts(0).mount_point(), "/mnt/connect");
  EXPECT_EQ(facts.unobserved_size(), 0);
  ASSERT_EQ(facts.runs_size(), 4);
  for (const v1::ProbeRun& run : facts.runs()) EXPECT_EQ(run.state(), v1::ProbeRun::DONE);
}

TEST_F(GathererTest, ReportsWhatAVerifyingProbeFoundOutAsSoonAsItDid) {
  Start();
  EXPECT_EQ(Gather().runtimes().runtimes_size(), 1);
}

TEST_F(GathererTest, LoadsTheConfigurationBeforeTheProbes) {
  config_ = std::make_shared<ConnectConfig>(std::vector<ConnectConfig::Key>());
  Start();
  Gather();
  EXPECT_TRUE(world_.had_config);
}

TEST_F(GathererTest, AProbeThatFailsLeavesItsPartUnobserved) {
  world_.fail = true;
  Start();
  const v1::Facts facts = Gather();
  EXPECT_FALSE(facts.has_host());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "host");
  EXPECT_EQ(facts.unobserved(0).reason(), "cannot read it");
  EXPECT_EQ(facts.runs(0).state(), v1::ProbeRun::FAILED);
}

TEST_F(GathererTest, APassReadsAgainAndDoesNotVerify) {
  Gatherer& gatherer = Start();
  Gather();
  const int host_runs = world_.host_runs;
  const int verified = world_.verified;
  const uint64_t round = gatherer.StartPass(steady_clock::now());
  EXPECT_TRUE(gatherer.WaitForAll(kLong));
  EXPECT_TRUE(gatherer.Done(round, steady_clock::now()));
  EXPECT_EQ(world_.host_runs, host_runs + 1);
  EXPECT_EQ(world_.verified, verified);
}

TEST_F(GathererTest, WhatNoProbeHasReadYetIsUnobserved) {
  const v1::Facts facts = Start().Collect(steady_clock::now());
  ASSERT_EQ(facts.unobserved_size(), 3);
  EXPECT_EQ(facts.unobserved(0).path(), "host");
  EXPECT_EQ(facts.unobserved(0).reason(), "not read yet");
}

TEST_F(GathererTest, AProbePastItsDeadlineIsHungAndTheOthersGoOn) {
  world_.hang = true;
  Gatherer& gatherer = Start();
  const uint64_t round = gatherer.StartAll(steady_clock::now());
  while (!gatherer.Done(round, steady_clock::now())) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  const auto now = steady_clock::now() + seconds(7);
  EXPECT_TRUE(gatherer.Changed(now));
  const v1::Facts facts = gatherer.Collect(now);
  EXPECT_EQ(facts.host().hostname(), "node-1");
  EXPECT_FALSE(facts.has_storage());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage");
  EXPECT_EQ(facts.unobserved(0).reason(),
            "probe storage has not come back since 2024-08-01T12:00:00Z");
  EXPECT_EQ(facts.runs(1).state(), v1::ProbeRun::HUNG);
  EXPECT_GE(facts.runs(1).duration_us(), 7'000'000);
  // Reckoned from its age, the moment would be another one now and then.
  host_.Advance(milliseconds(5'400));
  EXPECT_EQ(gatherer.Collect(now + milliseconds(5'300)).unobserved(0).reason(),
            facts.unobserved(0).reason());
}

TEST_F(GathererTest, WhatTakesLongHoldsUpNothingOfAnotherPace) {
  world_.hang = true;
  options_.probes = {
      {"connect_integrity", "connect", Pace::kVerify, kOnPackages, seconds(30), ReadStorage},
      {"runtimes_verification", "runtimes", Pace::kVerify, kOnPackages, seconds(30), ReadStorage},
      {"database", "database", Pace::kPoll, kOnPackages, seconds(30), ReadStorage},
      {"clock", "host", Pace::kPoll, kOnHost, seconds(30), ReadHost}};
  Gatherer& gatherer = Start();
  gatherer.StartAll(steady_clock::now());
  const auto end = steady_clock::now() + kLong;
  while (world_.host_runs == 0 && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(world_.host_runs, 1);
  EXPECT_FALSE(gatherer.Idle());
}

TEST_F(GathererTest, WhatTheGateGoesByIsReadWhateverElseHangs) {
  world_.hang = true;
  options_.probes = {
      {"accounts", "accounts", Pace::kPass, kOnAccounts, milliseconds(20), ReadStorage},
      {"storage", "storage", Pace::kPass, kOnMounts, milliseconds(20), ReadStorage},
      {"disk", "disk", Pace::kPass, kOnMounts, milliseconds(20), ReadStorage},
      {"connect", "host", Pace::kPass, kOnHost | kOnGate, seconds(30), ReadHost}};
  Gatherer& gatherer = Start();
  gatherer.StartAll(steady_clock::now());
  const auto end = steady_clock::now() + kLong;
  while (world_.host_runs == 0 && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(world_.host_runs, 1);
}

// The configuration is to be read anew, and every thread that would read it is held.
TEST_F(GathererTest, WhatTheGateGoesByWaitsForNoConfigurationThatNobodyReads) {
  config_ = std::make_shared<ConnectConfig>(std::vector<ConnectConfig::Key>());
  world_.hang = true;
  options_.probes = {
      {"accounts", "accounts", Pace::kPass, kOnAccounts, seconds(30), ReadStorage},
      {"storage", "storage", Pace::kPass, kOnMounts, seconds(30), ReadStorage},
      {"database", "database", Pace::kPoll, kOnMounts, seconds(30), ReadStorage},
      {"clock", "clock", Pace::kPoll, kOnMounts, seconds(30), ReadStorage},
      {"license_status", "license", Pace::kVerify, kOnLicense, seconds(30), ReadStorage},
      {"connect", "host", Pace::kPass, kOnHost | kOnGate, seconds(30), ReadHost}};
  Gatherer& gatherer = Start();
  gatherer.StartAll(steady_clock::now());
  const auto end = steady_clock::now() + kLong;
  const auto held = [&gatherer] {
    const v1::Facts facts = gatherer.Collect(steady_clock::now());
    return std::count_if(facts.runs().begin(), facts.runs().end(), [](const v1::ProbeRun& run) {
      return run.state() == v1::ProbeRun::RUNNING;
    });
  };
  while ((world_.host_runs == 0 || held() < 5) && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  ASSERT_EQ(held(), 5);
  ASSERT_EQ(world_.host_runs, 1);
  world_.had_config = false;
  gatherer.Start(kOnConfiguration | kOnGate, steady_clock::now());
  while (world_.host_runs == 1 && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(world_.host_runs, 2);
  EXPECT_EQ(loads_, 1);
  while (!world_.had_config && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_TRUE(world_.had_config);  // the one that was read last
}

// Read late, and as it was: what went on without it is not left so until it is next due.
TEST_F(GathererTest, WhatWaitedInVainForTheConfigurationIsReadAgainWithIt) {
  config_ = std::make_shared<ConnectConfig>(std::vector<ConnectConfig::Key>());
  options_.probes[0].triggers |= kOnConfiguration;
  std::atomic<bool> slow{false};
  options_.load_config = [this, &slow] {
    while (slow) std::this_thread::sleep_for(milliseconds(1));
    return LoadedConfig{config_, config_status_};
  };
  Gatherer& gatherer = Start();
  Gather();
  slow = true;
  gatherer.StartPass(steady_clock::now());
  const auto end = steady_clock::now() + kLong;
  while (world_.had_config && steady_clock::now() < end) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_FALSE(world_.had_config);
  slow = false;
  EXPECT_TRUE(gatherer.WaitForAll(kLong));
  EXPECT_TRUE(world_.had_config);
}

TEST_F(GathererTest, WhoKeepsTheGateAsksForNothingElseFirst) {
  options_.probes.push_back(
      {"connect", "connect", Pace::kPass, kOnHost | kOnGate, seconds(30), ReadHost});
  Gatherer& gatherer = Start();
  gatherer.Start(kOnGate, steady_clock::now());
  EXPECT_TRUE(gatherer.WaitForAll(kLong));
  EXPECT_EQ(world_.host_runs, 1);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(gatherer.Collect(steady_clock::now()).runs_size(), 1);
}

TEST_F(GathererTest, WhatTheGateGoesByCanBeReadAlone) {
  options_.probes.push_back(
      {"connect", "connect", Pace::kPass, kOnHost | kOnGate, seconds(30), ReadHost});
  Gatherer& gatherer = Start();
  gatherer.StartForGate(steady_clock::now());
  EXPECT_TRUE(gatherer.WaitForQuick(kLong));
  EXPECT_EQ(world_.host_runs, 1);
  EXPECT_EQ(loads_, 1);
  EXPECT_EQ(gatherer.Collect(steady_clock::now()).runs_size(), 1);
}

TEST_F(GathererTest, ToBeQueuedIsNotToHangUnlessWhatItWaitsForHangs) {
  world_.hang = true;
  options_.probes = {
      {"connect_integrity", "connect", Pace::kVerify, kOnPackages, seconds(30), ReadStorage},
      {"license_status", "license", Pace::kVerify, kOnLicense, milliseconds(20), Verify}};
  Gatherer& gatherer = Start();
  const auto began = steady_clock::now();
  const uint64_t round = gatherer.StartAll(began);
  const auto is_running = [&gatherer] {
    const v1::Facts facts = gatherer.Collect(steady_clock::now());
    return facts.runs_size() > 0 && facts.runs(0).state() == v1::ProbeRun::RUNNING;
  };
  while (!is_running()) std::this_thread::sleep_for(milliseconds(1));
  gatherer.Changed(began + seconds(10));
  const v1::Facts early = gatherer.Collect(began + seconds(10));
  EXPECT_EQ(early.unobserved_size(), 0);
  ASSERT_EQ(early.runs_size(), 1);  // of what waits for a thread there is none yet
  EXPECT_EQ(early.runs(0).state(), v1::ProbeRun::RUNNING);
  EXPECT_FALSE(gatherer.Done(round, began + seconds(10)));
  EXPECT_GT(gatherer.NextDue(), began + seconds(10));

  host_.Advance(seconds(60));
  EXPECT_TRUE(gatherer.Changed(began + seconds(60)));
  const v1::Facts facts = gatherer.Collect(began + seconds(60));
  ASSERT_EQ(facts.unobserved_size(), 2);
  EXPECT_EQ(facts.unobserved(0).reason(),
            "probe connect_integrity has not come back since 2024-08-01T12:00:00Z");
  EXPECT_EQ(facts.unobserved(1).reason(),
            "probe license_status has been queued since 2024-08-01T12:00:00Z");
  EXPECT_TRUE(gatherer.Done(round, began + seconds(60)));
  ASSERT_EQ(facts.runs_size(), 2);
  for (const v1::ProbeRun& run : facts.runs()) {
    EXPECT_EQ(run.state(), v1::ProbeRun::HUNG);
    EXPECT_EQ(FormatUtc(FromProto(run.started_at())), "2024-08-01T12:00:00Z") << run.probe();
  }

  world_.hang = false;
  EXPECT_TRUE(gatherer.WaitForAll(kLong));
  while (!gatherer.Idle()) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(gatherer.Collect(steady_clock::now()).unobserved_size(), 0);
  EXPECT_EQ(world_.verified, 1);
}

TEST_F(GathererTest, AHungProbeIsNeitherWaitedForNorStartedTwiceAndRecovers) {
  world_.hang = true;
  Gatherer& gatherer = Start();
  gatherer.StartAll(steady_clock::now());
  while (!gatherer.WaitForAll(milliseconds(20))) gatherer.Changed(steady_clock::now());
  EXPECT_FALSE(gatherer.Idle());
  gatherer.Start(kOnMounts, steady_clock::now());
  world_.hang = false;
  while (!gatherer.Idle()) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_TRUE(gatherer.Changed(steady_clock::now()));
  const v1::Facts facts = gatherer.Collect(steady_clock::now());
  EXPECT_EQ(facts.storage().mounts_size(), 1);
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST_F(GathererTest, ATriggerStartsWhatNamesIt) {
  Start();
  Gather();
  gatherer_->Changed(steady_clock::now());
  const int runs = world_.host_runs;
  gatherer_->Start(kOnHost, steady_clock::now());
  EXPECT_TRUE(gatherer_->WaitForAll(kLong));
  EXPECT_EQ(world_.host_runs, runs + 1);
  EXPECT_EQ(world_.verified, 1);
  EXPECT_TRUE(gatherer_->Changed(steady_clock::now()));
  EXPECT_FALSE(gatherer_->Changed(steady_clock::now()));
}

TEST_F(GathererTest, RunsEachProbeAtItsOwnPace) {
  Start();
  const auto now = steady_clock::now();
  Gather();
  gatherer_->Start(0, now + seconds(1));
  EXPECT_TRUE(gatherer_->Idle());
  const int runs = world_.host_runs;
  gatherer_->Start(0, now + seconds(60));
  EXPECT_TRUE(gatherer_->WaitForAll(kLong));
  EXPECT_EQ(world_.host_runs, runs + 1);
  EXPECT_EQ(world_.verified, 1);
  gatherer_->Start(0, now + seconds(700));
  EXPECT_TRUE(gatherer_->WaitForAll(kLong));
  EXPECT_EQ(world_.verified, 2);
}

TEST_F(GathererTest, WhatIsUnsettledIsReadAgainSoonAndLessOftenTheLongerItLasts) {
  world_.unsettled = true;
  options_.probes = {
      {"host", "host", Pace::kPass, kOnHost, seconds(30), ReadHost, HostIsUnsettled}};
  Start();
  EXPECT_EQ(SevenWaits(), (std::vector<int64_t>{1, 2, 4, 8, 16, 30, 30}));

  gatherer_->Start(kOnHost, steady_clock::now());
  EXPECT_EQ(SecondsToNextRead(), 1);
  world_.unsettled = false;
  gatherer_->Start(0, gatherer_->NextDue());
  EXPECT_GE(SecondsToNextRead(), 30);
}

// A busy node is not to stay unknown for as long as a verification counts.
TEST_F(GathererTest,
       AVerificationThatWasCutShortRunsAgainAtThePaceOfPollsAndLessOftenTheLongerItLasts) {
  world_.cut_short = true;
  options_.verify = true;
  options_.probes = {
      {"runtimes_verification", "runtimes", Pace::kVerify, kOnRuntimes, seconds(30), Verify}};
  Start();
  EXPECT_EQ(SevenWaits(), (std::vector<int64_t>{30, 60, 120, 240, 480, 600, 600}));
  world_.cut_short = false;
  gatherer_->Start(kOnRuntimes, steady_clock::now());
  EXPECT_EQ(SecondsToNextRead(), 600);
}

TEST_F(GathererTest, NeverRunsAProbeTwiceAtOnce) {
  Start();
  for (int i = 0; i < 200; ++i) gatherer_->Start(kOnHost, steady_clock::now());
  EXPECT_TRUE(gatherer_->WaitForAll(kLong));
  EXPECT_EQ(world_.most_running, 1);
}

TEST_F(GathererTest, VerifiesOnlyWhenAskedWhereItIsTurnedOff) {
  options_.verify = false;
  Start();
  gatherer_->Start(0, steady_clock::now());
  EXPECT_TRUE(gatherer_->WaitForAll(kLong));
  EXPECT_EQ(world_.verified, 0);
}

TEST_F(GathererTest, TellsWhoeverWaitsOutsideThatAProbeCameBack) {
  std::atomic<int> told{0};
  options_.on_done = [&told] { ++told; };
  Start();
  gatherer_->Start(0, steady_clock::now());
  while (!gatherer_->Idle() || told == 0) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace connect_ha
