// The coordinator asks for a backup, and learns how it ended.
#include "coordinator/cluster/backup.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "common/file.h"
#include "tests/coordinator/backup/backup_room.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

class BackupTest : public testing::Test {
 protected:
  BackupTest() : backup_(room_.options.room) {
    spec_.set_cluster("lab");
    spec_.mutable_connect()->set_version("2024.08.0");
    spec_.mutable_database()->mutable_backup_before_migration()->set_command("nightly");
    run_.set_generation(8);
    *run_.mutable_asked_at() = ToProto(room_.now);
  }
  void Ask() { backup_.Ask(run_, spec_, room_.now); }
  std::string RequestFile() { return BackupRequestFile(room_.options.room); }
  v1::BackupRequest Asked() {
    const auto asked = ReadBackupRequest(RequestFile());
    EXPECT_TRUE(asked.ok()) << asked.status();
    return asked.ok() ? *asked : v1::BackupRequest();
  }
  std::optional<v1::BackupRun> Latest() { return backup_.Latest(room_.now); }

  BackupRoom room_;
  v1::ClusterSpec spec_;
  v1::BackupRun run_;
  Backup backup_;
};

TEST_F(BackupTest, AsksForTheCommandOfTheSpecification) {
  Ask();
  const v1::BackupRequest asked = Asked();
  EXPECT_TRUE(IsSameRun(asked.run(), run_));
  EXPECT_EQ(asked.command(), "nightly");
  EXPECT_EQ(asked.cluster(), "lab");
  EXPECT_EQ(asked.version(), "2024.08.0");
  EXPECT_EQ(asked.deadline().seconds(), 30 * 60);
  EXPECT_FALSE(Latest().has_value());
}

TEST_F(BackupTest, LearnsHowItEnded) {
  room_.Put("nightly", "echo done\n");
  Ask();
  ASSERT_TRUE(RunBackup(room_.options).ok());
  const auto latest = Latest();
  ASSERT_TRUE(latest.has_value());
  EXPECT_TRUE(latest->went_well());
  EXPECT_TRUE(absl::EndsWith(latest->text(), "\ndone")) << latest->text();
  EXPECT_TRUE(IsSameRun(*latest, run_));
}

TEST_F(BackupTest, AnEarlierResultIsNoneOfThisRun) {
  room_.Put("nightly", "true\n");
  Ask();
  ASSERT_TRUE(RunBackup(room_.options).ok());
  room_.now += seconds(100);
  *run_.mutable_asked_at() = ToProto(room_.now);
  Ask();
  EXPECT_FALSE(Latest().has_value());
  ASSERT_TRUE(RunBackup(room_.options).ok());
  EXPECT_TRUE(Latest().has_value());
}

TEST_F(BackupTest, AsksAgainNowAndThenUntilThereIsAResult) {
  Ask();
  std::filesystem::remove(RequestFile());
  room_.now += seconds(10);
  Ask();
  EXPECT_FALSE(FileExists(RequestFile()));
  room_.now += seconds(11);
  Ask();
  EXPECT_TRUE(FileExists(RequestFile()));
  room_.Put("nightly", "true\n");
  ASSERT_TRUE(RunBackup(room_.options).ok());
  std::filesystem::remove(RequestFile());
  room_.now += seconds(30);
  Ask();
  EXPECT_FALSE(FileExists(RequestFile()));
}

TEST_F(BackupTest, ARequestThatCannotBeMadeIsMadeAsSoonAsItCan) {
  std::filesystem::remove(room_.directory / "request");
  Ask();
  std::filesystem::create_directory(room_.directory / "request");
  Ask();
  EXPECT_EQ(Asked().command(), "nightly");
}

TEST_F(BackupTest, ARunOfWhichNothingIsHeardHasFailedAndStaysSo) {
  spec_.mutable_database()->mutable_backup_before_migration()->mutable_deadline()->set_seconds(100);
  Ask();
  v1::BackupRequest began = Asked();
  *began.mutable_began_at() = ToProto(room_.now);
  ASSERT_TRUE(WriteBackupNote(BackupBeganFile(room_.options.room), began).ok());
  room_.now += seconds(160);
  EXPECT_FALSE(Latest().has_value());
  room_.now += seconds(1);
  const auto failed = Latest();
  ASSERT_TRUE(failed.has_value());
  EXPECT_FALSE(failed->went_well());
  EXPECT_EQ(failed->text(),
            "nothing was heard of it\nfix: systemctl status connect-ha-backup.path "
            "connect-ha-backup.service");
  // Who comes late finds nothing to run.
  EXPECT_FALSE(FileExists(RequestFile()));
  room_.now += seconds(60);
  Ask();
  EXPECT_FALSE(FileExists(RequestFile()));
  EXPECT_EQ(Latest()->SerializeAsString(), failed->SerializeAsString());

  *run_.mutable_asked_at() = ToProto(room_.now);
  Ask();
  EXPECT_TRUE(FileExists(RequestFile()));
  EXPECT_FALSE(Latest().has_value());
}

TEST_F(BackupTest, ARunThatNothingBeginsHasFailedAfterAMinute) {
  Ask();
  room_.now += seconds(60);
  EXPECT_FALSE(Latest().has_value());
  room_.now += seconds(1);
  const auto failed = Latest();
  ASSERT_TRUE(failed.has_value());
  EXPECT_FALSE(failed->went_well());
  EXPECT_EQ(failed->text(),
            "nothing has begun it within a minute\nfix: systemctl status connect-ha-backup.path "
            "connect-ha-backup.service");
  // Whoever comes late finds nothing to run.
  EXPECT_FALSE(FileExists(RequestFile()));
}

TEST_F(BackupTest, ARunThatWaitsForTheEndOfAnotherHasNotFailed) {
  v1::BackupRequest other = room_.Request("weekly");
  other.mutable_run()->set_generation(7);
  other.mutable_deadline()->set_seconds(10'000);
  *other.mutable_began_at() = ToProto(room_.now);
  ASSERT_TRUE(WriteBackupNote(BackupBeganFile(room_.options.room), other).ok());
  spec_.mutable_database()->mutable_backup_before_migration()->mutable_deadline()->set_seconds(100);
  Ask();
  room_.now += seconds(9'000);
  EXPECT_FALSE(Latest().has_value());
  // One that was ended without a word holds up no longer than it was to take.
  room_.now += seconds(1'500);
  ASSERT_TRUE(Latest().has_value());
  EXPECT_FALSE(Latest()->went_well());
}

TEST_F(BackupTest, ACoordinatorThatIsStartedAnewFindsTheResult) {
  room_.Put("nightly", "true\n");
  Ask();
  ASSERT_TRUE(RunBackup(room_.options).ok());
  Backup anew(room_.options.room);
  ASSERT_TRUE(anew.Latest(room_.now).has_value());
  anew.Ask(run_, spec_, room_.now);
  EXPECT_TRUE(anew.Latest(room_.now)->went_well());
}

TEST_F(BackupTest, WhatIsNoResultIsNone) {
  Ask();
  const std::string file = BackupResultFile(room_.options.room);
  room_.directory.Write("result/run", "\xff\xff");
  EXPECT_FALSE(Latest().has_value());
  v1::BackupRun unended = run_;
  ASSERT_TRUE(WriteBackupNote(file, unended).ok());
  EXPECT_FALSE(Latest().has_value());
  *unended.mutable_ended_at() = ToProto(room_.now);
  unended.set_text("a\x1b[2Jb\nfix: c" + std::string(10'000, 'd'));
  ASSERT_TRUE(WriteBackupNote(file, unended).ok());
  const auto latest = Latest();
  ASSERT_TRUE(latest.has_value());
  EXPECT_TRUE(absl::StartsWith(latest->text(), "a?[2Jb\nfix: c")) << latest->text().substr(0, 40);
  EXPECT_LE(latest->text().size(), 5'000u);
}

}  // namespace
}  // namespace connect_ha
