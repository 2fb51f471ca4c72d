#include "agent/probes/installed/runtimes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "agent/probes/installed/manifest.h"
#include "agent/probes/installed/runtime_trial.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kQuarto[] = "/opt/quarto/1.5.57/bin/quarto";

// Programs take a moment; how many ran at once is counted.
class BusyHost : public FakeHost {
 public:
  absl::StatusOr<CommandResult> Run(const std::vector<std::string>&,
                                    const CommandOptions&) override {
    const int now = ++running_;
    for (int most = most_.load(); most < now && !most_.compare_exchange_weak(most, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    --running_;
    return CommandResult();
  }
  int most() const { return most_.load(); }

 private:
  std::atomic<int> running_{0};
  std::atomic<int> most_{0};
};

class RuntimesTest : public testing::Test {
 protected:
  RuntimesTest() {
    bench_.host->SetFile("/var/lib/dpkg/status", "");
    bench_.host->SetDirectory("/var/lib/dpkg/info");
    bench_.host->SetFile(kQuarto, "quarto");
    UserEntry user;
    user.name = "rstudio-connect";
    user.uid = 999;
    bench_.host->SetUser(user);
  }
  v1::Facts Verified() {
    bench_.Run(VerifyRuntimes, "runtimes");
    return bench_.Run(ReadRuntimes, "runtimes");
  }
  void SetQuartoAnswer(int exit_code, bool timed_out, const std::string& output) {
    CommandResult result;
    result.exit_code = exit_code;
    result.timed_out = timed_out;
    result.output = output;
    bench_.host->SetCommand(std::string(kQuarto) + " check --quiet", result);
  }
  void SetVersionAnswer(const std::string& output) {
    CommandResult result;
    result.exit_code = 0;
    result.output = output;
    bench_.host->SetCommand(std::string(kQuarto) + " --version", result);
  }
  // "path: reason" of every entry.
  static std::string Unobserved(const v1::Facts& facts) {
    std::string text;
    for (const v1::Unobserved& entry : facts.unobserved()) {
      text += entry.path() + ": " + entry.reason() + "\n";
    }
    return text;
  }

  ProbeBench bench_;
};

TEST_F(RuntimesTest, WhatWasNotVerifiedYetIsUnobserved) {
  EXPECT_EQ(Unobserved(bench_.Run(ReadRuntimes, "runtimes")),
            "runtimes.runtimes.integrity: /opt/quarto/1.5.57/bin/quarto: not verified yet\n"
            "runtimes.runtimes.smoke: /opt/quarto/1.5.57/bin/quarto: not verified yet\n"
            "runtimes.runtimes.package: /opt/quarto/1.5.57/bin/quarto: not verified yet\n");
}

TEST_F(RuntimesTest, AReplacedExecutableMustBeVerifiedAgain) {
  SetQuartoAnswer(0, false, "");
  EXPECT_TRUE(Verified().runtimes().runtimes(0).smoke().passed());
  bench_.host->SetFile(kQuarto, "another quarto");
  EXPECT_FALSE(bench_.Run(ReadRuntimes, "runtimes").runtimes().runtimes(0).has_smoke());
}

TEST_F(RuntimesTest, AnArchivesFilesAreComparedWithTheManifestBesideIt) {
  const Manifest manifest = {
      "a", {{"bin/quarto", *bench_.host->HashFile(kQuarto, "sha256"), ""}, {"latest", "", "bin"}}};
  bench_.host->SetFile("/opt/quarto/.1.5.57.sha256", *FormatManifest(manifest));
  bench_.host->SetLink("/opt/quarto/1.5.57/latest", "bin");
  SetQuartoAnswer(0, false, "");
  const v1::Integrity intact = Verified().runtimes().runtimes(0).integrity();
  EXPECT_EQ(intact.files_checked(), 2u);
  EXPECT_EQ(intact.examples_size(), 0);
  bench_.host->Erase("/opt/quarto/1.5.57/latest");
  const v1::Integrity faulty = Verified().runtimes().runtimes(0).integrity();
  EXPECT_EQ(faulty.files_missing(), 1u);
  EXPECT_EQ(faulty.examples(0), "missing /opt/quarto/1.5.57/latest");
}

TEST_F(RuntimesTest, ADamagedManifestIsNoProofOfAnything) {
  bench_.host->SetFile("/opt/quarto/.1.5.57.sha256", "nonsense\n");
  SetQuartoAnswer(0, false, "");
  const v1::Facts facts = Verified();
  EXPECT_FALSE(facts.runtimes().runtimes(0).has_integrity());
  EXPECT_NE(Unobserved(facts).find("line 1 is no checksum"), std::string::npos);
}

TEST_F(RuntimesTest, AFailedSmokeRunShowsTheEndOfItsOutput) {
  std::string output;
  for (int i = 1; i <= 30; ++i) output += "line " + std::to_string(i) + "\n";
  SetQuartoAnswer(1, false, output);
  const v1::Facts facts = Verified();
  const v1::SmokeRun& smoke = facts.runtimes().runtimes(0).smoke();
  EXPECT_FALSE(smoke.passed());
  EXPECT_EQ(smoke.output().find("line 21\nline 22\n"), 0u);
  EXPECT_NE(smoke.output().find("line 30\nexit code 1"), std::string::npos);
}

TEST(RuntimeTrial, OneIsMadeAtATimeWhoeverAsksForIt) {
  auto machine = std::make_unique<BusyHost>();
  const BusyHost& host = *machine;
  ProbeBench bench(std::move(machine));
  UserEntry user;
  user.name = "rstudio-connect";
  user.uid = 999;
  bench.host->SetUser(user);
  const ProbeInput input = bench.Input();
  std::vector<std::thread> askers;
  for (int i = 0; i < 3; ++i) {
    askers.emplace_back([&] { EXPECT_TRUE(TryRuntime(input, v1::QUARTO, kQuarto).ok()); });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(host.most(), 1);
}

TEST_F(RuntimesTest, ASmokeRunThatDoesNotEndIsUnobserved) {
  SetQuartoAnswer(137, true, "");
  const v1::Facts facts = Verified();
  EXPECT_FALSE(facts.runtimes().runtimes(0).has_smoke());
  ASSERT_EQ(facts.unobserved_size(), 1) << facts.DebugString();
  EXPECT_EQ(facts.unobserved(0).path(), "runtimes.runtimes.smoke");
  EXPECT_EQ(facts.unobserved(0).reason(),
            std::string(kQuarto) + ": the smoke run did not end within 180 s");
}

TEST_F(RuntimesTest, TheVersionIsWhatTheInterpreterSays) {
  SetQuartoAnswer(0, false, "");
  EXPECT_EQ(bench_.Run(ReadRuntimes, "runtimes").runtimes().runtimes(0).version(), "1.5.57");
  SetVersionAnswer("line 3: a warning of 2 words\n1.6.1\n");
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.6.1");
}

TEST_F(RuntimesTest, TheVersionIsNotAskedForAgainWhileTheTrialHolds) {
  SetQuartoAnswer(0, false, "");
  SetVersionAnswer("1.6.1\n");
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.6.1");
  SetVersionAnswer("1.7.0\n");
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.6.1");
  bench_.host->SetFile(kQuarto, "another");
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.7.0");
}

TEST_F(RuntimesTest, TheDirectorysNameHoldsWhereTheInterpreterDoesNotAnswer) {
  SetQuartoAnswer(0, false, "");
  SetVersionAnswer("no number here");
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.5.57");
}

TEST_F(RuntimesTest, WhereNoNameSaysTheVersionItIsUnobserved) {
  bench_.host->Erase("/opt/quarto");
  bench_.host->SetFile("/opt/quarto/bin/quarto", "quarto");
  const v1::Facts unverified = bench_.Run(ReadRuntimes, "runtimes");
  EXPECT_FALSE(unverified.runtimes().runtimes(0).has_version());
  EXPECT_NE(Unobserved(unverified)
                .find("runtimes.runtimes.version: /opt/quarto/bin/quarto: not verified yet"),
            std::string::npos);
  CommandResult result;
  result.exit_code = 0;
  result.output = "1.3.340\n";
  bench_.host->SetCommand("/opt/quarto/bin/quarto --version", result);
  EXPECT_EQ(Verified().runtimes().runtimes(0).version(), "1.3.340");
}

TEST_F(RuntimesTest, NothingRunsAsRoot) {
  bench_.Configure({{"Applications.RunAs", "root"}});
  UserEntry root;
  root.name = "root";
  bench_.host->SetUser(root);
  EXPECT_EQ(Unobserved(Verified()),
            "runtimes.runtimes.smoke: /opt/quarto/1.5.57/bin/quarto: not run: Applications.RunAs "
            "is root, which would endanger it\n");
  EXPECT_TRUE(bench_.host->commands_run().empty());
}

TEST_F(RuntimesTest, WithoutTheAccountNothingRuns) {
  bench_.Configure({{"Applications.RunAs", "nobody-here"}});
  EXPECT_EQ(Unobserved(Verified()),
            "runtimes.runtimes.smoke: /opt/quarto/1.5.57/bin/quarto: not run: there is no account "
            "nobody-here to run it as\n");
  EXPECT_TRUE(bench_.host->commands_run().empty());
}

TEST_F(RuntimesTest, AnUnreadableConfigurationLeavesTheListUnobserved) {
  bench_.config_status = absl::PermissionDeniedError("permission denied");
  const v1::Facts facts = Verified();
  EXPECT_FALSE(facts.has_runtimes());
  EXPECT_EQ(Unobserved(facts), "runtimes: permission denied\n");
}

TEST_F(RuntimesTest, APackageOfThatNameThatDoesNotOwnTheFileIsNotItsPackage) {
  bench_.host->SetFile("/opt/R/4.3.3/bin/R", "built by hand");
  bench_.host->SetFile("/var/lib/dpkg/status",
                       "Package: r-4.3.3\nStatus: install ok installed\nVersion: 1\n");
  bench_.host->SetFile("/var/lib/dpkg/info/r-4.3.3.list", "/.\n/usr/share/doc/r-4.3.3\n");
  const v1::Facts facts = Verified();
  EXPECT_EQ(facts.runtimes().runtimes(0).executable(), "/opt/R/4.3.3/bin/R");
  EXPECT_FALSE(facts.runtimes().runtimes(0).has_package());
}

}  // namespace
}  // namespace connect_ha
