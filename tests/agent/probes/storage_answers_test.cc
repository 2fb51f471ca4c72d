#include "agent/probes/storage/storage_answers.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cerrno>
#include <set>
#include <thread>

#include "agent/host/errors.h"
#include "agent/host/processes/shared_reader.h"
#include "agent/probes/table.h"
#include "connect_ha/v1/options.pb.h"
#include "tests/agent/probes/probe_bench.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kMounts[] = R"(28 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
50 28 0:52 / /mnt/share rw,relatime - nfs4 fs-1.efs.us-east-1.amazonaws.com:/ rw,hard
51 28 0:53 / /mnt/other rw,relatime - nfs4 fs-2.efs.us-east-1.amazonaws.com:/ rw,hard
52 28 0:54 / /mnt/later rw,relatime - autofs systemd-1 rw
)";

void Arrange(ProbeBench& bench) {
  bench.host->SetFile("/proc/self/mountinfo", kMounts);
  bench.host->SetDirectory("/mnt/share");
  bench.Configure({{"Server.DataDir", "/mnt/share/connect"}, {"Metrics.DataPath", "/var/rrd"}});
}

v1::Facts Look(ProbeBench& bench) { return bench.Run(ReadStorageAnswers, "storage.answers"); }

class StorageAnswersTest : public testing::Test {
 protected:
  StorageAnswersTest() { Arrange(bench_); }
  v1::MountAnswer Answer() {
    const v1::Facts facts = Look(bench_);
    EXPECT_EQ(facts.unobserved_size(), 0);
    EXPECT_EQ(facts.storage().answers_size(), 1);
    return facts.storage().answers_size() == 1 ? facts.storage().answers(0) : v1::MountAnswer();
  }

  ProbeBench bench_;
};

TEST_F(StorageAnswersTest, AMountIsAskedOnceForAllItsDirectories) {
  bench_.host->SetError("/mnt/other", absl::InternalError("no data directory is on it"));
  const v1::MountAnswer answer = Answer();
  EXPECT_EQ(answer.mount_point(), "/mnt/share");
  EXPECT_TRUE(answer.answered());
  EXPECT_FALSE(answer.has_silent_since());
  EXPECT_TRUE(answer.has_latency_us());
}

TEST_F(StorageAnswersTest, NothingIsAskedWhereAllDataIsLocalOrNotMountedYet) {
  bench_.Configure({{"Server.DataDir", "/mnt/later/connect"}, {"Metrics.DataPath", "/var/rrd"}});
  const v1::Facts facts = Look(bench_);
  EXPECT_FALSE(facts.has_storage());
  EXPECT_EQ(facts.unobserved_size(), 0);
}

// Of a file system that answers, but slowly where much is read.
class BusyShare : public FakeHost {
 public:
  absl::StatusOr<FileStatus> LStat(const std::string& path) override {
    if (path.rfind("/mnt/share", 0) != 0) return FakeHost::LStat(path);
    return absl::DeadlineExceededError("waits behind a read");
  }
  absl::StatusOr<FileStatus> LookAlone(const std::string&) override {
    return absl::NotFoundError("no such file");
  }
};

TEST(BusyShareTest, IsAskedBesideWhatIsReadFromIt) {
  ProbeBench bench(std::make_unique<BusyShare>());
  Arrange(bench);
  const v1::Facts facts = Look(bench);
  ASSERT_EQ(facts.storage().answers_size(), 1) << Text(facts);
  EXPECT_TRUE(facts.storage().answers(0).answered());
}

TEST_F(StorageAnswersTest, ARefusalIsAnAnswer) {
  bench_.host->SetError("/mnt/share", absl::PermissionDeniedError("root is squashed"));
  EXPECT_TRUE(Answer().answered());
}

TEST_F(StorageAnswersTest, SilenceLastsFromTheFirstQuestionToTheNextAnswer) {
  const Time began = bench_.host->Now();
  bench_.host->SetError("/mnt/share", absl::DeadlineExceededError("has not answered"));
  v1::MountAnswer answer = Answer();
  EXPECT_FALSE(answer.answered());
  EXPECT_FALSE(answer.has_latency_us());
  bench_.host->Advance(seconds(60));
  EXPECT_EQ(FromProto(Answer().silent_since()), began);
  bench_.host->SetError("/mnt/share", absl::OkStatus());
  EXPECT_TRUE(Answer().answered());
  bench_.host->SetError("/mnt/share", absl::DeadlineExceededError("has not answered"));
  EXPECT_EQ(FromProto(Answer().silent_since()), began + seconds(60));
}

TEST_F(StorageAnswersTest, AMountThatWentAwayIsSilentAnewWhenItComesBack) {
  bench_.host->SetError("/mnt/share", absl::DeadlineExceededError("has not answered"));
  Answer();
  bench_.host->SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/root rw\n");
  bench_.host->SetError("/mnt/share", absl::OkStatus());
  EXPECT_FALSE(Look(bench_).has_storage());
  Arrange(bench_);
  bench_.host->SetError("/mnt/share", absl::DeadlineExceededError("has not answered"));
  bench_.host->Advance(seconds(60));
  EXPECT_EQ(FromProto(Answer().silent_since()), bench_.host->Now());
}

TEST_F(StorageAnswersTest, AServerThatDoesNotKnowTheMountAnyMoreSaysSo) {
  bench_.host->SetError("/mnt/share", ErrnoStatus(ESTALE, "cannot look at /mnt/share/x"));
  const v1::MountAnswer answer = Answer();
  EXPECT_TRUE(answer.answered());
  EXPECT_EQ(answer.error(), "stale file handle");
  bench_.host->SetError("/mnt/share", absl::OkStatus());
  EXPECT_FALSE(Answer().has_error());
}

TEST_F(StorageAnswersTest, AnotherErrorIsUnobservedInTheSameWordsEachTime) {
  bench_.host->SetError("/mnt/share", absl::UnavailableError("input/output error"));
  const v1::Facts facts = Look(bench_);
  EXPECT_FALSE(facts.has_storage());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "storage.answers");
  bench_.host->Advance(seconds(30));
  EXPECT_EQ(Text(Look(bench_)), Text(facts));
}

TEST_F(StorageAnswersTest, NothingButTheLatencyChangesFromLookToLook) {
  const auto* latency = v1::MountAnswer::descriptor()->FindFieldByName("latency_us");
  EXPECT_TRUE(latency->options().GetExtension(v1::volatile_));
  v1::MountAnswer answer = Answer();
  bench_.host->Advance(seconds(30));
  v1::MountAnswer next = Answer();
  answer.clear_latency_us();
  next.clear_latency_us();
  EXPECT_EQ(Text(next), Text(answer));
}

TEST(StorageAnswersProbe, IsNotAmongThoseThatAPassWaitsFor) {
  for (const Probe& probe : Probes()) {
    if (probe.read == ReadStorageAnswers) {
      EXPECT_EQ(probe.pace, Pace::kPoll);
    }
  }
}

// The share is read as LinuxHost reads it, by a process of its own.
class HostWithShare : public FakeHost {
 public:
  explicit HostWithShare(SharedReader& reader, std::string directory)
      : reader_(reader), directory_(std::move(directory)) {}
  absl::StatusOr<FileStatus> LStat(const std::string& path) override {
    const std::string mount_point = "/mnt/share";
    if (path.rfind(mount_point + "/", 0) != 0) return FakeHost::LStat(path);
    return reader_.Stat(directory_ + path.substr(mount_point.size()), false);
  }

 private:
  SharedReader& reader_;
  const std::string directory_;
};

bool Answers(const v1::Facts& facts) {
  return facts.storage().answers_size() == 1 && facts.storage().answers(0).answered();
}

SharedReaderOptions QuickReader() {
  SharedReaderOptions options;
  options.command = {CONNECT_HA_SHARED_READER_CHILD};
  options.name = "/mnt/share";
  options.deadline = milliseconds(200);
  options.kill_after = milliseconds(60'000);
  return options;
}

// A process that is stopped answers no more than one that waits for a dead server.
TEST(HungShare, HoldsOneProcessAndIsSeenToComeBack) {
  TemporaryDirectory directory;
  SharedReader reader(QuickReader());
  ProbeBench bench(std::make_unique<HostWithShare>(reader, directory.path()));
  Arrange(bench);
  while (!Answers(Look(bench))) {
    std::this_thread::sleep_for(milliseconds(10));  // a loaded machine starts it slowly
  }
  const pid_t process = reader.pid();
  ASSERT_GT(process, 0);
  kill(process, SIGSTOP);

  std::set<int64_t> since;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    bench.host->Advance(seconds(30));
    const v1::Facts facts = Look(bench);
    ASSERT_TRUE(StorageIsSilent(facts));
    since.insert(facts.storage().answers(0).silent_since().seconds());
    EXPECT_EQ(reader.pid(), process);
  }
  // Only the first look waited.
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(10));
  EXPECT_EQ(since.size(), 1u);

  kill(process, SIGCONT);
  bool back = false;
  for (int i = 0; i < 500 && !back; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    back = Answers(Look(bench));
  }
  EXPECT_TRUE(back);
  EXPECT_EQ(reader.pid(), process);
}

}  // namespace
}  // namespace connect_ha
