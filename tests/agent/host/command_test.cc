#include "agent/host/processes/command.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "agent/host/processes/strays.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

CommandResult MustRun(const std::vector<std::string>& arguments, CommandOptions options = {}) {
  const auto result = RunCommand(arguments, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.value_or(CommandResult());
}

// To whom is not root: no other account's program runs, so none can leave anything.
void ExpectRefused(const CommandOptions& options) {
  EXPECT_EQ(RunCommand({"true"}, options).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(Command, GivesOutputAndExitCode) {
  const CommandResult result = MustRun({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(Command, PassesArgumentsAsTheyAre) {
  EXPECT_EQ(MustRun({"echo", "a b", "$HOME", "*"}).output, "a b $HOME *\n");
}

TEST(Command, SeesOnlyTheEnvironmentThatIsGiven) {
  CommandOptions options;
  options.environment = {"MARK=1"};
  setenv("CONNECT_HA_TEST_SECRET", "x", 1);
  const CommandResult result = MustRun({"env"}, options);
  EXPECT_EQ(result.output,
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
            "HOME=/root\nLANG=C.UTF-8\nMARK=1\n");
}

TEST(Command, InheritsNoOpenFile) {
  const int open_file = dup(0);  // without close-on-exec
  const CommandResult result = MustRun({"ls", "/proc/self/fd"});
  close(open_file);
  EXPECT_EQ(result.output, "0\n1\n2\n3\n");  // 3 is the listing itself
}

TEST(Command, ABrokenPipeEndsItThoughTheAgentIgnoresIt) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  const CommandResult result = MustRun({"sh", "-c", "kill -PIPE $$; echo it was ignored"});
  signal(SIGPIPE, before);
  EXPECT_EQ(result.exit_code, 128 + SIGPIPE) << result.output;
}

TEST(Command, AProgramThatIsNotThereIsNotFound) {
  const auto result = RunCommand({"/no/such/program"}, {});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(result.status().message(), "cannot run /no/such/program: no such file or directory");
}

TEST(Command, KillsTheWholeGroupAtTheDeadline) {
  CommandOptions options;
  options.deadline = milliseconds(200);
  const auto begin = std::chrono::steady_clock::now();
  const CommandResult result = MustRun({"sh", "-c", "sleep 60 & echo $!; wait"}, options);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  const pid_t left = std::stoi(result.output);
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    std::ifstream stat("/proc/" + std::to_string(left) + "/stat");
    std::string pid, name, state;
    gone = !(stat >> pid >> name >> state) || state == "Z";
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(gone);
}

TEST(Command, DoesNotWaitForWhatItLeavesBehind) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(MustRun({"sh", "-c", "sleep 60 & echo started"}).output, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

// Into that of a person who runs check, what another account runs could type (TIOCSTI).
TEST(Command, HasNoTerminalOfThisProcess) {
  const CommandResult result = MustRun({"sh", "-c", "echo $$; cut -d ' ' -f 6 /proc/$$/stat"});
  const std::string pid = std::to_string(std::stoi(result.output));
  EXPECT_EQ(result.output, pid + "\n" + pid + "\n");  // the leader of its session
}

// While another account's program runs, orphans of root's become children of the agent.
TEST(Command, WhatRootsCommandsLeftMeanwhileStaysNoZombie) {
  constexpr uint32_t kNobodysId = 4'000'000'000;
  pid_t left = -1;
  {
    const Strays strays(kNobodysId);
    left = std::stoi(MustRun({"sh", "-c", "sleep 60 & echo $!"}).output);
  }
  bool gone = false;
  for (int i = 0; i < 500 && !gone; ++i) {
    const Strays next(kNobodysId);
    gone = kill(left, 0) != 0;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_TRUE(gone);
}

TEST(Command, CutsTheOutputAtTheLimitAndReadsOn) {
  CommandOptions options;
  options.output_limit_bytes = 10;
  const CommandResult result =
      MustRun({"sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x"}, options);
  EXPECT_EQ(result.output, "xxxxxxxxxx");
  EXPECT_EQ(result.exit_code, 0);
}

TEST(Command, KeepsTheEndWhereThatIsAskedFor) {
  CommandOptions options;
  options.output_limit_bytes = 8;
  options.keep_end = true;
  EXPECT_EQ(
      MustRun({"sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo the end"}, options).output,
      "the end\n");
  EXPECT_EQ(MustRun({"echo", "short"}, options).output, "short\n");
}

TEST(Command, AFloodOfOutputDoesNotOutlastTheDeadline) {
  CommandOptions options;
  options.deadline = milliseconds(300);
  const auto begin = std::chrono::steady_clock::now();
  const CommandResult result =
      MustRun({"sh", "-c", "for i in 1 2 3 4; do cat /dev/zero & done; wait"}, options);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_TRUE(result.timed_out);
}

TEST(Command, AnEmptyHomeIsMadeForItAndRemoved) {
  CommandOptions options;
  options.empty_home = true;
  const CommandResult result =
      MustRun({"sh", "-c",
               "ls -A $HOME; mkdir -p $HOME/.local/lib; touch $TMPDIR/x; ln -s / $HOME/root; "
               "echo $HOME"},
              options);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ASSERT_EQ(result.output.rfind("/tmp/connect-ha-home-", 0), 0u) << result.output;
  const std::string home = result.output.substr(0, result.output.size() - 1);
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(home).parent_path()));
  EXPECT_TRUE(std::filesystem::exists("/proc"));  // it went through no link
}

TEST(Command, WhatLeavesTheGroupOfAnotherAccountsProgramIsEndedWithIt) {
  CommandOptions options;
  options.account = "nobody";
  options.empty_home = true;
  if (geteuid() != 0) return ExpectRefused(options);
  const CommandResult result =
      MustRun({"sh", "-c", "setsid --wait sh -c 'sleep 600 >/dev/null & echo $!'"}, options);
  const pid_t left = std::stoi(result.output);
  EXPECT_EQ(kill(left, 0), -1) << result.output;
}

TEST(Command, ARunOfAnAccountLeavesAloneWhatTidiesUpAfterTheOneBefore) {
  CommandOptions options;
  options.account = "nobody";
  options.empty_home = true;
  if (geteuid() != 0) return ExpectRefused(options);
  std::vector<std::string> homes(6);
  std::vector<std::thread> runs;
  for (std::string& home : homes) {
    runs.emplace_back([&home, options] {
      home = MustRun({"sh", "-c", "cd; seq 3000 | xargs touch; echo $HOME"}, options).output;
    });
  }
  for (std::thread& run : runs) run.join();
  for (const std::string& home : homes) {
    const std::filesystem::path path = home.substr(0, home.find('\n'));
    EXPECT_EQ(path.filename().string(), "home") << home;
    EXPECT_FALSE(std::filesystem::exists(path.parent_path())) << home;
  }
}

TEST(Command, RunsAsAnotherAccountOrNotAtAll) {
  CommandOptions options;
  options.account = "nobody";
  const auto result = RunCommand({"sh", "-c", "id -un; echo $HOME"}, options);
  if (geteuid() == 0) {
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->output, "nobody\n/nonexistent\n");
  } else {
    EXPECT_EQ(result.status().code(), absl::StatusCode::kPermissionDenied);
  }
}

TEST(Command, AnAccountThatIsNotThereIsNotFound) {
  CommandOptions options;
  options.account = "no-such-account";
  const auto result = RunCommand({"true"}, options);
  EXPECT_EQ(result.status().message(), "no such user: no-such-account");
}

}  // namespace
}  // namespace connect_ha
