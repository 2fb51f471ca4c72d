#include "agent/host/watcher.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "agent/host/errors.h"
#include "tests/agent/host/fake_systemd.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr uint32_t kFile = 1;
constexpr uint32_t kAny = 2;
constexpr uint32_t kUnit = 4;
constexpr milliseconds kLong{10'000};
constexpr milliseconds kShort{50};

class WatcherTest : public testing::Test {
 protected:
  void Watch(const std::string& directory, const std::string& name, uint32_t triggers) {
    options_.paths.push_back({directory, name, triggers});
  }
  Watcher& Start() {
    options_.with_bus = !options_.bus_address.empty();
    watcher_ = std::make_unique<Watcher>(options_);
    EXPECT_TRUE(watcher_->Open().ok());
    return *watcher_;
  }
  // Wait may return for nothing, say when the bus had something of no interest.
  static uint32_t NextTriggers(Watcher& watcher) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    uint32_t triggers = 0;
    while (triggers == 0 && std::chrono::steady_clock::now() < end) {
      triggers = watcher.Wait(kLong).triggers;
    }
    return triggers;
  }
  TemporaryDirectory directory_;
  WatcherOptions options_;
  std::unique_ptr<Watcher> watcher_;
};

TEST_F(WatcherTest, SleepsWhileNothingHappens) {
  Watch(directory_.path(), "config", kFile);
  EXPECT_EQ(Start().Wait(kShort).triggers, 0u);
}

TEST_F(WatcherTest, HearsAFileWritten) {
  Watch(directory_.path(), "config", kFile);
  Watcher& watcher = Start();
  directory_.Write("config", "x");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
}

TEST_F(WatcherTest, HearsAFileRenamedOverAnother) {
  directory_.Write("status", "old");
  Watch(directory_.path(), "status", kFile);
  Watcher& watcher = Start();
  directory_.Write("status-new", "new");
  std::filesystem::rename(directory_ / "status-new", directory_ / "status");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
}

TEST_F(WatcherTest, HearsAChangedMode) {
  directory_.Write("config", "x");
  Watch(directory_.path(), "config", kFile);
  Watcher& watcher = Start();
  std::filesystem::permissions(directory_ / "config", std::filesystem::perms::owner_all);
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
}

TEST_F(WatcherTest, IgnoresOtherFiles) {
  Watch(directory_.path(), "*.lic", kFile);
  Watcher& watcher = Start();
  directory_.Write("other", "x");
  EXPECT_EQ(watcher.Wait(kShort).triggers, 0u);
  directory_.Write("connect.lic", "x");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
}

TEST_F(WatcherTest, TakesABurstAsOne) {
  Watch(directory_.path(), "", kAny);
  Watcher& watcher = Start();
  for (int i = 0; i < 100; ++i) directory_.Write(std::to_string(i), "x");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kAny);
  EXPECT_EQ(watcher.Wait(kShort).triggers, 0u);
}

TEST_F(WatcherTest, HearsADirectoryComeIntoBeingAndWhatHappensInItThen) {
  Watch(directory_ / "opt/R", "", kAny);
  Watcher& watcher = Start();
  std::filesystem::create_directories(directory_ / "opt/R");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kAny);
  while (watcher.Wait(kShort).triggers != 0) {
  }
  std::filesystem::create_directory(directory_ / "opt/R/4.3.3");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kAny);
}

TEST_F(WatcherTest, HearsADirectoryGoAndComeBack) {
  std::filesystem::create_directory(directory_ / "a");
  Watch(directory_ / "a", "config", kFile);
  Watcher& watcher = Start();
  std::filesystem::remove_all(directory_ / "a");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
  while (watcher.Wait(kShort).triggers != 0) {
  }
  std::filesystem::create_directory(directory_ / "a");
  directory_.Write("a/config", "x");
  EXPECT_EQ(watcher.Wait(kLong).triggers, kFile);
}

// Until it is set back, no file can be opened.
class NoRoomForFiles {
 public:
  NoRoomForFiles() {
    // A sanitizer looks at an object's class when it first meets it, and takes a file for that.
    EXPECT_FALSE(ErrnoStatus(EMFILE, "before").ok());
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoRoomForFiles() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(WatcherTest, WatchesAgainOnceThereIsRoomForFiles) {
  options_.retry = milliseconds(20);
  std::filesystem::create_directory(directory_ / "a");
  Watch(directory_ / "a", "config", kFile);
  Watcher& watcher = Start();
  {
    const NoRoomForFiles none;
    std::filesystem::remove(directory_ / "a");
    EXPECT_EQ(watcher.Wait(kShort).triggers, 0u);
  }
  EXPECT_EQ(NextTriggers(watcher), kFile);  // what was missed may be anything
  std::filesystem::create_directory(directory_ / "a");
  EXPECT_EQ(NextTriggers(watcher), kFile);
}

// What an account may do all day.
TEST_F(WatcherTest, DirectoriesThatComeAndGoHaveNotEverythingReadEachTime) {
  Watch(directory_ / "a", "config", kFile);
  Watch(directory_.path(), "other", kAny);
  Watcher& watcher = Start();
  int everything = 0;
  for (int i = 0; i < 30; ++i) {
    std::filesystem::create_directory(directory_ / "a");
    if ((watcher.Wait(kShort).triggers & kAny) != 0) ++everything;
    std::filesystem::remove(directory_ / "a");
    if ((watcher.Wait(kShort).triggers & kAny) != 0) ++everything;
  }
  EXPECT_GT(everything, 0);
  EXPECT_LE(everything, 15);  // of 60; a slow machine may have one more every ten seconds
}

std::atomic<bool> full{false};
int AddUnlessFull(int inotify, const char* path, uint32_t mask) {
  errno = ENOSPC;
  return full ? -1 : inotify_add_watch(inotify, path, mask);
}

TEST_F(WatcherTest, WatchesAgainOnceTheKernelHasRoomForWatches) {
  options_.retry = milliseconds(20);
  options_.add_watch = AddUnlessFull;
  Watch(directory_.path(), "config", kFile);
  full = true;
  Watcher& watcher = Start();
  EXPECT_EQ(watcher.Wait(kShort).triggers, 0u);
  full = false;
  EXPECT_EQ(NextTriggers(watcher), kFile);
  directory_.Write("config", "x");
  EXPECT_EQ(NextTriggers(watcher), kFile);
}

TEST_F(WatcherTest, DoesNotWatchANetworkFileSystem) {
  Watch(directory_.path(), "config", kFile);
  options_.is_on_network = [](const std::string&) { return true; };
  Watcher& watcher = Start();
  directory_.Write("config", "x");
  EXPECT_EQ(watcher.Wait(kShort).triggers, 0u);
}

TEST_F(WatcherTest, IsWokenFromAnotherThread) {
  Watcher& watcher = Start();
  std::thread waker([&watcher] { watcher.Wake(); });
  const auto begin = std::chrono::steady_clock::now();
  const Wakeup wakeup = watcher.Wait(kLong);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kLong);
  EXPECT_EQ(wakeup.triggers, 0u);
  EXPECT_FALSE(wakeup.stop);
  waker.join();
}

TEST_F(WatcherTest, HearsTheSignalToStop) {
  BlockStopSignals();
  Watcher& watcher = Start();
  kill(getpid(), SIGTERM);
  EXPECT_TRUE(watcher.Wait(kLong).stop);
}

// A second one in the process takes no signal away from the first.
TEST_F(WatcherTest, HearsNoSignalWhereItIsNotMeantTo) {
  BlockStopSignals();
  WatcherOptions deaf;
  deaf.with_bus = false;
  deaf.with_signals = false;
  Watcher second(deaf);
  ASSERT_TRUE(second.Open().ok());
  Watcher& first = Start();
  kill(getpid(), SIGTERM);
  EXPECT_FALSE(second.Wait(kShort).stop);
  EXPECT_TRUE(first.Wait(kLong).stop);
}

TEST_F(WatcherTest, HearsSystemd) {
  FakeSystemd systemd;
  options_.bus_address = systemd.address();
  options_.units = {"rstudio-connect.service"};
  options_.unit_triggers = kUnit;
  Watcher& watcher = Start();
  systemd.EmitUnitChanged();
  EXPECT_EQ(NextTriggers(watcher), kUnit);
}

TEST_F(WatcherTest, HearsSystemdAgainAfterTheBusWasRestarted) {
  FakeSystemd systemd;
  options_.bus_address = systemd.address();
  options_.units = {"rstudio-connect.service"};
  options_.unit_triggers = kUnit;
  Watcher& watcher = Start();
  systemd.RestartBus();
  EXPECT_EQ(NextTriggers(watcher), kUnit);  // the connection broke
  EXPECT_EQ(NextTriggers(watcher), kUnit);  // and is back
  systemd.EmitUnitChanged();
  EXPECT_EQ(NextTriggers(watcher), kUnit);
}

}  // namespace
}  // namespace connect_ha
