#include "coordinator/backup/timed_command.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

class TimedCommandTest : public testing::Test {
 protected:
  // Of a shell.
  absl::StatusOr<CommandEnd> Run(const std::string& script) {
    directory_.Write("program", "#!/bin/sh\n" + script);
    command_.path = directory_ / "program";
    EXPECT_EQ(chmod(command_.path.c_str(), 0755), 0);
    return RunTimed(command_);
  }
  const TemporaryDirectory directory_;
  TimedCommand command_ = {"", {"PATH=/usr/bin:/bin", "WHO=a test"}, std::chrono::minutes(1)};
};

TEST_F(TimedCommandTest, KeepsWhatItWroteAndHowItEnded) {
  const auto end = Run("cat; echo \"$WHO $#\"; echo oops >&2; exit 3\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->timed_out);
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->output, "a test 0\noops\n");
}

TEST_F(TimedCommandTest, KeepsTheLastOfWhatItWrote) {
  command_.keep_bytes = 6;
  const auto end = Run("i=0; while [ $i -lt 20000 ]; do echo line; i=$((i+1)); done; echo last\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->output, "\nlast\n");
}

TEST_F(TimedCommandTest, TellsTheSignalThatEndedIt) {
  const auto end = Run("kill -9 $$\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->exit_code, 128 + SIGKILL);
}

TEST_F(TimedCommandTest, AtTheDeadlineItsGroupIsKilled) {
  command_.deadline = std::chrono::seconds(2);
  // Its child has the pipe, too, and would hold up whoever waits for its end.
  const auto end = Run("echo begun; sleep 100 & echo $! >\"$0.child\"; wait\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->exit_code, 128 + SIGKILL);
  EXPECT_EQ(end->output, "begun\n");
  std::ifstream file(command_.path + ".child");
  pid_t child = 0;
  ASSERT_TRUE(file >> child);
  // It ends, or is gone already.
  const int watched = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (watched >= 0) {
    pollfd item = {watched, POLLIN, 0};
    EXPECT_EQ(poll(&item, 1, 10'000), 1);
    close(watched);
  }
}

TEST_F(TimedCommandTest, WhatItLeavesBehindIsNotWaitedFor) {
  const auto end = Run("sleep 100 & echo done\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->timed_out);
  EXPECT_EQ(end->output, "done\n");
}

TEST_F(TimedCommandTest, WhatIsNoProgramIsAnError) {
  command_.path = directory_ / "nothing";
  EXPECT_EQ(RunTimed(command_).status().message(),
            "cannot start " + command_.path + ": No such file or directory");
}

}  // namespace
}  // namespace connect_ha
