// What `connect-ha backup-run` does with what it is asked for.
#include "coordinator/backup/backup_runner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <fstream>

#include "absl/strings/match.h"
#include "common/file.h"
#include "tests/coordinator/backup/backup_room.h"

namespace connect_ha {
namespace {

class BackupRunnerTest : public testing::Test {
 protected:
  // Of the run that was asked for; it must have ended.
  v1::BackupRun Run() {
    const auto run = RunBackup(room_.options);
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok() || !run->has_value()) return v1::BackupRun();
    EXPECT_EQ(Left().SerializeAsString(), (*run)->SerializeAsString());
    return **run;
  }
  v1::BackupRun Left() {
    const auto left = ReadBackupRun(BackupResultFile(room_.options.room));
    EXPECT_TRUE(left.ok()) << left.status();
    return left.ok() ? *left : v1::BackupRun();
  }
  bool HasNothingToDo() {
    const auto run = RunBackup(room_.options);
    return run.ok() && !run->has_value();
  }
  std::string Written(const std::string& name) {
    return ReadSmallFile(room_.directory / name).value_or("");
  }
  std::string WhyNotFound(const std::string& name) {
    return std::string(FindBackupCommand(room_.options, name).status().message());
  }

  BackupRoom room_;
};

TEST_F(BackupRunnerTest, RunsTheCommandAndLeavesItsResult) {
  room_.Put("nightly",
            "echo \"$CONNECT_HA_CLUSTER $CONNECT_HA_GENERATION $CONNECT_HA_VERSION $#\"\n");
  room_.Ask(room_.Request("nightly"));

  const v1::BackupRun run = Run();

  EXPECT_TRUE(run.went_well());
  EXPECT_EQ(run.generation(), 8u);
  EXPECT_EQ(FromProto(run.asked_at()), room_.now);
  EXPECT_EQ(FromProto(run.ended_at()), room_.now);
  EXPECT_TRUE(absl::StartsWith(run.text(), "nightly took ")) << run.text();
  EXPECT_TRUE(absl::EndsWith(run.text(), "s\nlab 8 2024.08.0 0")) << run.text();
  EXPECT_FALSE(FileExists(BackupBeganFile(room_.options.room)));
}

TEST_F(BackupRunnerTest, RunsNothingTwiceForOneRequest) {
  room_.Put("nightly", "echo run >>\"$0.log\"\n");
  room_.Ask(room_.Request("nightly"));
  EXPECT_TRUE(Run().went_well());
  EXPECT_TRUE(HasNothingToDo());
  EXPECT_EQ(Written("commands/nightly.log"), "run\n");

  room_.now += std::chrono::seconds(1);
  room_.Ask(room_.Request("nightly"));
  EXPECT_TRUE(Run().went_well());
  EXPECT_EQ(Written("commands/nightly.log"), "run\nrun\n");
}

TEST_F(BackupRunnerTest, HasNothingToDoWhereNothingIsAskedFor) { EXPECT_TRUE(HasNothingToDo()); }

TEST_F(BackupRunnerTest, ACommandThatFailsSaysWhatItWroteLast) {
  room_.Put("nightly",
            "echo 'pg_dump: postgres://connect:hunter2@db/connect'; echo no room >&2; exit 4\n");
  room_.Ask(room_.Request("nightly"));
  const v1::BackupRun run = Run();
  EXPECT_FALSE(run.went_well());
  EXPECT_TRUE(absl::StartsWith(run.text(), "nightly ended with status 4 after ")) << run.text();
  EXPECT_TRUE(absl::EndsWith(run.text(), "\nno room")) << run.text();
  EXPECT_FALSE(absl::StrContains(run.text(), "hunter2")) << run.text();
}

TEST_F(BackupRunnerTest, NothingIsLeftOfALineThatWasCutOff) {
  room_.Put("nightly",
            "i=0; while [ $i -lt 600 ]; do echo 'all is well'; i=$((i+1)); done\n"
            "printf 'bell\\a\\n'\n");
  room_.Ask(room_.Request("nightly"));
  const std::string text = Run().text();
  EXPECT_LE(text.size(), 4096u + 64);
  EXPECT_TRUE(absl::StrContains(text, "s\nall is well\nall is well\n")) << text.substr(0, 80);
  EXPECT_TRUE(absl::EndsWith(text, "all is well\nbell?")) << text;
}

TEST_F(BackupRunnerTest, NorOfOneWithoutAnEnd) {
  room_.Put("nightly", "i=0; while [ $i -lt 600 ]; do printf 'hunter2'; i=$((i+1)); done\n");
  room_.Ask(room_.Request("nightly"));
  EXPECT_FALSE(absl::StrContains(Run().text(), "hunter2"));
}

TEST_F(BackupRunnerTest, OneThatTakesTooLongIsKilledAndHasFailed) {
  room_.Put("nightly", "exec sleep 100\n");
  v1::BackupRequest request = room_.Request("nightly");
  request.mutable_deadline()->set_seconds(1);
  room_.Ask(request);
  const v1::BackupRun run = Run();
  EXPECT_FALSE(run.went_well());
  EXPECT_EQ(run.text(),
            "nightly was killed: it had not ended after 1s "
            "(database.backup_before_migration.deadline)");
}

TEST_F(BackupRunnerTest, OneThatWasEndedWithoutAResultHasFailed) {
  room_.Put("nightly", "echo run >>\"$0.log\"\n");
  const v1::BackupRequest request = room_.Request("nightly");
  room_.Ask(request);
  // As one leaves it that is killed in the middle.
  ASSERT_TRUE(WriteBackupNote(BackupBeganFile(room_.options.room), request).ok());
  const v1::BackupRun run = Run();
  EXPECT_FALSE(run.went_well());
  EXPECT_TRUE(absl::StartsWith(run.text(), "nightly was ended before it had come to an end\nfix: "))
      << run.text();
  EXPECT_EQ(Written("commands/nightly.log"), "");
}

TEST_F(BackupRunnerTest, WhatAnotherRunLeftHoldsUpNothing) {
  room_.Put("nightly", "true\n");
  v1::BackupRequest before = room_.Request("nightly");
  before.mutable_run()->set_generation(7);
  ASSERT_TRUE(WriteBackupNote(BackupBeganFile(room_.options.room), before).ok());
  room_.Ask(room_.Request("nightly"));
  EXPECT_TRUE(Run().went_well());
}

TEST_F(BackupRunnerTest, WhatIsAskedForMeanwhileIsRunNext) {
  v1::BackupRequest next = room_.Request("second");
  next.mutable_run()->set_generation(9);
  ASSERT_TRUE(WriteBackupNote(room_.directory / "next", next).ok());
  room_.Put("first", "mv \"" + room_.directory.path() + "/next\" \"" +
                         BackupRequestFile(room_.options.room) + "\"\n");
  room_.Put("second", "true\n");
  room_.Ask(room_.Request("first"));
  const v1::BackupRun run = Run();
  EXPECT_EQ(run.generation(), 9u);
  EXPECT_TRUE(run.went_well());
}

TEST_F(BackupRunnerTest, WhileAnotherOneIsAtItThereIsNothingToDo) {
  room_.Put("nightly", "true\n");
  room_.Ask(room_.Request("nightly"));
  const int lock =
      open((room_.directory / "result/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_EQ(flock(lock, LOCK_EX), 0);
  EXPECT_TRUE(HasNothingToDo());
  close(lock);
  EXPECT_TRUE(Run().went_well());
}

TEST_F(BackupRunnerTest, RefusesWhatIsNoRequest) {
  room_.Put("nightly", "true\n");
  const auto refuses = [this](const v1::BackupRequest& request) {
    room_.Ask(request);
    return absl::IsInvalidArgument(RunBackup(room_.options).status());
  };
  v1::BackupRequest request = room_.Request("nightly");
  request.mutable_run()->clear_asked_at();
  EXPECT_TRUE(refuses(request));
  request = room_.Request("nightly");
  request.set_cluster("a\nPATH=/tmp");
  EXPECT_TRUE(refuses(request));
  request = room_.Request("nightly");
  request.set_version("$(reboot)");
  EXPECT_TRUE(refuses(request));
  const std::string file = BackupRequestFile(room_.options.room);
  std::ofstream(file) << "\xff\xff";
  EXPECT_TRUE(absl::IsDataLoss(RunBackup(room_.options).status()));
  std::ofstream(file) << std::string(70'000, 'x');
  EXPECT_TRUE(absl::IsDataLoss(RunBackup(room_.options).status()));
  std::filesystem::remove(file);
  std::filesystem::create_symlink("/etc/passwd", file);
  EXPECT_FALSE(RunBackup(room_.options).ok());
  EXPECT_FALSE(FileExists(BackupResultFile(room_.options.room)));
}

TEST_F(BackupRunnerTest, WhatRootHasNotPutThereIsNotRunAndSaysWhy) {
  room_.Put("nightly", "touch \"$0.ran\"\n", 0775);
  room_.Ask(room_.Request("nightly"));
  const v1::BackupRun run = Run();
  EXPECT_FALSE(run.went_well());
  EXPECT_TRUE(absl::StrContains(run.text(), "is not root's alone to write\nfix: chown root "))
      << run.text();
  EXPECT_EQ(Written("commands/nightly.ran"), "");
  EXPECT_FALSE(FileExists(room_.directory / "commands/nightly.ran"));
}

TEST_F(BackupRunnerTest, FindsPlainNamesOfPrograms) {
  room_.Put("nightly.sh", "true\n");
  EXPECT_EQ(WhyNotFound("nightly.sh"), "");
  for (const char* name : {"", ".", "..", ".hidden", "../nightly.sh", "a/b", "-x", "night ly",
                           "nightly.sh\n", "/bin/sh"}) {
    EXPECT_TRUE(absl::StrContains(WhyNotFound(name), "is no file's name")) << name;
  }
  EXPECT_TRUE(absl::StrContains(WhyNotFound("weekly"), "No such file"));
  std::filesystem::create_symlink("/bin/true", room_.directory / "commands/link");
  EXPECT_TRUE(absl::StrContains(WhyNotFound("link"), "is no regular file"));
  room_.Put("data", "true\n", 0644);
  EXPECT_TRUE(absl::StrContains(WhyNotFound("data"), "fix: chmod 0755"));
}

TEST_F(BackupRunnerTest, WhereOthersMayWriteNothingIsFound) {
  room_.Put("nightly", "true\n");
  const std::string commands = room_.directory / "commands";
  ASSERT_EQ(chmod(commands.c_str(), 0775), 0);
  EXPECT_TRUE(absl::StrContains(WhyNotFound("nightly"), commands + " is not root's alone"));
  ASSERT_EQ(chmod(commands.c_str(), 0755), 0);
  ASSERT_EQ(chmod(room_.directory.path().c_str(), 0777), 0);
  EXPECT_TRUE(absl::StrContains(WhyNotFound("nightly"), "is not root's alone"));
  ASSERT_EQ(chmod(room_.directory.path().c_str(), 01777), 0);
  EXPECT_EQ(WhyNotFound("nightly"), "");
  room_.options.owner = geteuid() + 1;
  if (geteuid() != 0) {
    EXPECT_TRUE(absl::StrContains(WhyNotFound("nightly"), "is not root's alone"));
  }
}

}  // namespace
}  // namespace connect_ha
