#include "agent/host/processes/shared_reader.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <thread>

#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

SharedReaderOptions Options() {
  SharedReaderOptions options;
  options.command = {CONNECT_HA_SHARED_READER_CHILD};
  options.name = "/mnt/connect";
  options.deadline = milliseconds(5'000);
  return options;
}

// A process that is stopped answers no more than one that waits for a dead server.
class HungReader : public testing::Test {
 protected:
  HungReader() {
    directory_.Write("key", "secret");
    SharedReaderOptions options = Options();
    options.deadline = milliseconds(100);
    options.kill_after = milliseconds(400);
    reader_ = std::make_unique<SharedReader>(options);
    while (!reader_->ReadFile(directory_ / "key").ok()) {
      std::this_thread::sleep_for(milliseconds(10));  // a loaded machine starts it slowly
    }
    first_ = reader_->pid();
    kill(first_, SIGSTOP);
  }

  bool Recovers() {
    for (int i = 0; i < 500; ++i) {
      if (reader_->ReadFile(directory_ / "key").ok()) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<SharedReader> reader_;
  pid_t first_ = -1;
};

TEST(SharedReader, AnswersAsAReadOfOurOwn) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  std::filesystem::create_symlink("a", directory / "link");
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadFile(directory / "a"), "content");
  EXPECT_EQ(*reader.ReadLink(directory / "link"), "a");
  EXPECT_EQ(*reader.ListDirectory(directory.path()), (std::vector<std::string>{"a", "link"}));
  EXPECT_EQ(reader.Stat(directory / "link", true)->size_bytes, 7u);
  EXPECT_EQ(reader.Stat(directory / "link", false)->kind, FileStatus::Kind::kLink);
  EXPECT_EQ(*reader.HashFile(directory / "a", "md5"), "9a0364b9e99bb480dd25e1f0284c8555");
}

TEST(SharedReader, PassesErrorsOn) {
  SharedReader reader(Options());
  const auto result = reader.ReadFile("/no/such/file");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(result.status().message(), "cannot read /no/such/file: no such file or directory");
}

TEST(SharedReader, CarriesLargeFiles) {
  TemporaryDirectory directory;
  const std::string content(3'000'000, 'x');
  directory.Write("large", content);
  SharedReader reader(Options());
  EXPECT_EQ(*reader.ReadFile(directory / "large"), content);
}

TEST(SharedReader, StartsAnotherProcessWhenItsOwnIsKilled) {
  TemporaryDirectory directory;
  directory.Write("a", "content");
  SharedReader reader(Options());
  ASSERT_TRUE(reader.ReadFile(directory / "a").ok());
  kill(reader.pid(), SIGKILL);
  bool back = false;
  for (int i = 0; i < 100 && !back; ++i) back = reader.ReadFile(directory / "a").ok();
  EXPECT_TRUE(back);
}

TEST_F(HungReader, IsReportedWithTheTimeSinceWhen) {
  const auto result = reader_->ReadFile(directory_ / "key");
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(result.status().message().substr(0, 53),
            "the file system at /mnt/connect has not answered sinc");
}

TEST_F(HungReader, FailsFurtherCallsAtOnce) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  const auto begin = std::chrono::steady_clock::now();
  const auto result = reader_->Stat(directory_ / "key", true);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(50));
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(HungReader, GoesOnWithTheSameProcessWhenItComesBack) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  kill(first_, SIGCONT);
  EXPECT_TRUE(Recovers());
  EXPECT_EQ(reader_->pid(), first_);
}

TEST_F(HungReader, IsKilledAfterABoundAndReplacedOnceGone) {
  ASSERT_FALSE(reader_->ReadFile(directory_ / "key").ok());
  std::this_thread::sleep_for(milliseconds(450));
  EXPECT_TRUE(Recovers());
  EXPECT_NE(reader_->pid(), first_);
}

}  // namespace
}  // namespace connect_ha
