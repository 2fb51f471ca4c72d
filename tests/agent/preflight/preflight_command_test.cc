#include "agent/preflight/preflight_command.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/fd.h"
#include "agent/preflight/preflight_files.h"
#include "common/text/short_text.h"
#include "tests/agent/preflight/guarded_node.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using absl::StrContains;

// A local disk that does not come back before it is told to.
class StuckHost : public FakeHost {
 public:
  absl::StatusOr<std::string> ReadFile(const std::string& path) override {
    if (path == kNodeConfig) {
      std::unique_lock<std::mutex> lock(mutex_);
      reading_ = true;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !stuck_; });
      left_ = true;
      changed_.notify_all();
      return absl::UnavailableError("too late");
    }
    return FakeHost::ReadFile(path);
  }
  void Stick() { stuck_ = true; }
  void Release() {
    std::unique_lock<std::mutex> lock(mutex_);
    stuck_ = false;
    changed_.notify_all();
    if (reading_) changed_.wait(lock, [this] { return left_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stuck_ = false;
  bool reading_ = false;
  bool left_ = false;
};

// The disk of the agent's state takes nothing before it is told to.
class FullHost : public FakeHost {
 public:
  absl::Status WriteFile(const std::string& path, const std::string& content,
                         const FileAttributes& attributes) override {
    if (path == std::string(kNodeState) + "/" + kOverriddenName) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return released_; });
      left_ = true;
      changed_.notify_all();
      return absl::UnavailableError("too late");
    }
    return FakeHost::WriteFile(path, content, attributes);
  }
  void Release() {
    std::unique_lock<std::mutex> lock(mutex_);
    released_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return left_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  bool left_ = false;
};

// Where sd_notify(3) goes while this is there.
class NotifyInbox {
 public:
  NotifyInbox() : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const std::string path = directory_ / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  ~NotifyInbox() { unsetenv("NOTIFY_SOCKET"); }
  NotifyInbox(const NotifyInbox&) = delete;
  NotifyInbox& operator=(const NotifyInbox&) = delete;

  // What came since the last time.
  std::vector<std::string> Take() {
    std::vector<std::string> messages;
    char message[4096];
    while (true) {
      const ssize_t size = recv(socket_.get(), message, sizeof message, 0);
      if (size < 0) return messages;
      messages.emplace_back(message, static_cast<size_t>(size));
    }
  }

 private:
  TemporaryDirectory directory_;
  Fd socket_;
};

class PreflightCommandTest : public testing::Test {
 protected:
  // The tests may run as a service themselves.
  PreflightCommandTest() { unsetenv("NOTIFY_SOCKET"); }
  PreflightAnswer Run(const std::string& invocation = "start-1") {
    error_.str("");
    PreflightCall call;
    call.options = node_.options;
    call.invocation = invocation;
    return RunPreflight(node_.host, call, terminal_);
  }
  v1::PreflightResult Result() {
    const auto result = ReadPreflightResult(*node_.host);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : v1::PreflightResult();
  }
  int Lines() const {
    const std::string said = error_.str();
    return static_cast<int>(std::count(said.begin(), said.end(), '\n'));
  }

  GuardedNode node_;
  std::ostringstream out_;
  std::ostringstream error_;
  Terminal terminal_{out_, error_, false, 100};
};

TEST_F(PreflightCommandTest, ARefusalIsOneLineAndIsKeptForTheAgent) {
  node_.SetMounts("");
  EXPECT_EQ(Run().code, kFails);
  EXPECT_EQ(error_.str(),
            "Connect may not start on this node: nothing is mounted at /mnt/connect: Connect would "
            "write to the local disk; fix: systemctl start mnt-connect.mount; systemctl status "
            "mnt-connect.mount\n");
  EXPECT_FALSE(Result().may_start());
  EXPECT_FALSE(Result().only_warned());
  EXPECT_TRUE(absl::StartsWith(Result().reason(), "nothing is mounted at /mnt/connect"));
  EXPECT_EQ(node_.host->LStat(kRuntimeDirectory)->mode, 0700u);
  EXPECT_EQ(node_.host->LStat(kPreflightFile)->mode, 0600u);
}

TEST_F(PreflightCommandTest, ARightNodeStarts) {
  EXPECT_EQ(Run().code, kHolds);
  EXPECT_EQ(error_.str(), "Connect may start on this node\n");
  EXPECT_TRUE(Result().may_start());
  EXPECT_EQ(Result().reason(), "");
}

// Nobody reads it meanwhile: the answer comes all the same.
TEST_F(PreflightCommandTest, ARefusalIsTheStatusOfTheUnit) {
  NotifyInbox inbox;
  node_.SetMounts("");
  const PreflightAnswer answer = Run();
  EXPECT_EQ(answer.code, kFails);
  EXPECT_FALSE(answer.stuck);
  const std::string line = error_.str();
  EXPECT_EQ(Lines(), 1);
  EXPECT_EQ(inbox.Take(),
            (std::vector<std::string>{"STATUS=" + line.substr(0, line.size() - 1), "BARRIER=1"}));
  EXPECT_NE(std::getenv("NOTIFY_SOCKET"), nullptr);
}

TEST_F(PreflightCommandTest, TheStatusIsOneLineThatIsNotLong) {
  NotifyInbox inbox;
  std::string reason = "agent.yaml is\nno\x1b[1m good: ";
  for (int i = 0; i < 2'000; ++i) absl::StrAppend(&reason, "\xc3\xa9");
  node_.options.config_status = absl::InvalidArgumentError(reason);
  EXPECT_EQ(Run().code, kFails);
  const std::vector<std::string> messages = inbox.Take();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_TRUE(absl::StartsWith(messages[0],
                               "STATUS=Connect may not start on this node: agent.yaml is; no?[1m"))
      << messages[0];
  EXPECT_TRUE(absl::EndsWith(messages[0], "\xc3\xa9...")) << messages[0];
  EXPECT_LE(messages[0].size(), std::string("STATUS=").size() + kTextBytes);
}

TEST_F(PreflightCommandTest, WhatStartsOrIsExplainedIsNoStatus) {
  NotifyInbox inbox;
  EXPECT_EQ(Run().code, kHolds);
  node_.SetMounts("");
  PreflightCall call;
  call.options = node_.options;
  EXPECT_EQ(ExplainPreflight(node_.host, call, terminal_).code, kFails);
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  EXPECT_EQ(Run("start-2").code, kHolds);
  node_.spec().set_enforcement(v1::OBSERVE);
  node_.Hold();
  EXPECT_EQ(Run("start-3").code, kHolds);
  EXPECT_EQ(inbox.Take(), std::vector<std::string>());
}

TEST_F(PreflightCommandTest, WhereSystemdDoesNotListenThereIsNoStatus) {
  node_.SetMounts("");
  setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
  const PreflightAnswer answer = Run();
  unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(answer.code, kFails);
  EXPECT_FALSE(answer.stuck);
  EXPECT_EQ(Lines(), 1);
}

TEST_F(PreflightCommandTest, WhereNothingIsEnforcedItWarnsAndStarts) {
  node_.SetMounts("");
  node_.spec().set_enforcement(v1::OBSERVE);
  node_.Hold();
  EXPECT_EQ(Run().code, kHolds);
  EXPECT_TRUE(absl::StartsWith(error_.str(), "warning: nothing is enforced here")) << error_.str();
  EXPECT_EQ(Lines(), 1);
  EXPECT_TRUE(Result().only_warned());
  EXPECT_TRUE(Result().may_start());
}

TEST_F(PreflightCommandTest, AnOverrideLetsOneStartThroughAndIsToldOf) {
  node_.SetMounts("");
  EXPECT_EQ(OverridePreflight(*node_.host, " restored ", "alice", terminal_), kHolds);
  EXPECT_EQ(ReadPreflightOverride(*node_.host)->reason(), "restored");
  EXPECT_EQ(Run("start-1").code, kHolds);
  EXPECT_TRUE(StrContains(error_.str(), "by the override of alice (restored)")) << error_.str();
  EXPECT_EQ(Result().override().by(), "alice");
  EXPECT_TRUE(StrContains(Result().reason(), "nothing is mounted"));
  EXPECT_TRUE(absl::IsNotFound(ReadPreflightOverride(*node_.host).status()));
  // A unit that asks twice for it, in one start; then the next.
  EXPECT_EQ(Run("start-1").code, kHolds);
  EXPECT_EQ(Run("start-2").code, kFails);
  EXPECT_EQ(Run("start-1").code, kHolds);
  EXPECT_EQ(Run("").code, kFails);
}

TEST_F(PreflightCommandTest, AnOverrideThatWasUsedIsKnownAfterTheNextStartAndABoot) {
  node_.SetMounts("");
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  EXPECT_EQ(Run("start-1").code, kHolds);
  const v1::PreflightResult first = Result();
  node_.host->Advance(std::chrono::seconds(1));
  EXPECT_EQ(Run("start-1").code, kHolds);  // of a unit that asks twice
  EXPECT_EQ(Run("start-2").code, kFails);
  EXPECT_FALSE(Result().has_override());
  node_.host->Erase(kRuntimeDirectory);
  EXPECT_EQ(Run("start-3").code, kFails);
  const auto kept = ReadOverridden(*node_.host, kNodeState);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(kept->override().by(), "alice");
  EXPECT_TRUE(StrContains(kept->reason(), "nothing is mounted"));
  const std::string path = std::string(kNodeState) + "/" + kOverriddenName;
  EXPECT_EQ(node_.host->LStat(path)->mode, 0600u);
  ASSERT_EQ(OverridePreflight(*node_.host, "once more", "bob", terminal_), kHolds);
  EXPECT_EQ(Run("start-4").code, kHolds);
  EXPECT_EQ(ReadOverridden(*node_.host, kNodeState)->override().by(), "bob");
}

TEST_F(PreflightCommandTest, AStateDirectoryThatDoesNotTakeItKeepsNothingFromStarting) {
  node_.SetMounts("");
  const std::string path = std::string(kNodeState) + "/" + kOverriddenName;
  node_.host->SetFile(path, "damaged");
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  EXPECT_EQ(Run("start-1").code, kHolds);
  EXPECT_EQ(Lines(), 1);
  EXPECT_EQ(ReadOverridden(*node_.host, kNodeState)->override().by(), "alice");

  node_.host->SetError(path, absl::UnavailableError("read-only file system"));
  ASSERT_EQ(OverridePreflight(*node_.host, "again", "alice", terminal_), kHolds);
  EXPECT_EQ(Run("start-2").code, kHolds);
  EXPECT_TRUE(StrContains(error_.str(), "will not know of the override: read-only file system"))
      << error_.str();
  EXPECT_EQ(Result().override().reason(), "again");
}

// With the unit masked, or bound to a mount that is not there, nobody asks the preflight.
TEST_F(PreflightCommandTest, AnOverrideSaysWhereItIsNoHelp) {
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  for (const char* part : {"is masked, or bound", "to take it back: rm ", kOverrideFile}) {
    EXPECT_TRUE(StrContains(out_.str(), part)) << out_.str();
  }
}

TEST_F(PreflightCommandTest, AnOverrideIsUsedUpByAStartThatNeedsNone) {
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  EXPECT_EQ(Run("start-1").code, kHolds);
  node_.SetMounts("");
  EXPECT_EQ(Run("start-2").code, kFails);
}

TEST_F(PreflightCommandTest, AnOverrideThatCannotBeUsedUpDoesNotHold) {
  node_.SetMounts("");
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  node_.host->SetError("/run/connect-ha-agent/preflight-override-used",
                       absl::UnavailableError("read-only file system"));
  EXPECT_EQ(Run().code, kFails);
  EXPECT_TRUE(StrContains(error_.str(), "an override does not hold: read-only file system"))
      << error_.str();
}

TEST_F(PreflightCommandTest, KilledAnywhereAnOverrideLetsNoTwoStartsThrough) {
  for (int call = 1; call < 6; ++call) {
    node_.host->SetFile(std::string(kNodeState) + "/assignment", node_.held.SerializeAsString());
    node_.SetMounts("");
    ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
    node_.host->DieAtCall(call);
    Run("start-1");
    node_.host->Revive();
    const int second = Run("start-2").code;
    const int third = Run("start-3").code;
    EXPECT_EQ(third, kFails) << call;
    EXPECT_TRUE(second == kHolds || second == kFails);
  }
}

TEST_F(PreflightCommandTest, AnOverrideNeedsAReason) {
  EXPECT_EQ(OverridePreflight(*node_.host, " ", "alice", terminal_), kUsage);
  EXPECT_TRUE(absl::IsNotFound(ReadPreflightOverride(*node_.host).status()));
}

TEST_F(PreflightCommandTest, ExplainingUsesNothingUpAndKeepsNothing) {
  node_.mark.reset();
  ASSERT_EQ(OverridePreflight(*node_.host, "restored", "alice", terminal_), kHolds);
  out_.str("");
  PreflightCall call;
  call.options = node_.options;
  EXPECT_EQ(ExplainPreflight(node_.host, call, terminal_).code, kFails);
  EXPECT_TRUE(StrContains(out_.str(), "pass  mount ")) << out_.str();
  EXPECT_TRUE(StrContains(out_.str(), "FAIL  mark")) << out_.str();
  EXPECT_TRUE(StrContains(out_.str(), "an override of alice waits for the next start: restored"))
      << out_.str();
  EXPECT_TRUE(ReadPreflightOverride(*node_.host).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadPreflightResult(*node_.host).status()));
}

TEST_F(PreflightCommandTest, AResultThatCannotBeKeptIsNoReasonNotToStart) {
  node_.host->SetError(kPreflightFile, absl::UnavailableError("read-only file system"));
  EXPECT_EQ(Run().code, kHolds);
  EXPECT_TRUE(StrContains(error_.str(), "the agent will not know of it")) << error_.str();
}

TEST(PreflightInTime, AnAnswerComesWhateverHangs) {
  GuardedNodeOf<StuckHost> node;
  node.host->Stick();
  std::ostringstream out;
  std::ostringstream error;
  Terminal terminal{out, error, false, 100};
  PreflightCall call;
  call.options = node.options;
  call.within = std::chrono::milliseconds(50);
  const PreflightAnswer answer = RunPreflight(node.host, call, terminal);
  EXPECT_TRUE(answer.stuck);
  EXPECT_EQ(answer.code, kFails);
  EXPECT_TRUE(StrContains(error.str(), " has not come to an end in ")) << error.str();
  EXPECT_FALSE(ReadPreflightResult(*node.host)->may_start());
  node.host->Release();
}

TEST(PreflightInTime, AnOverrideDoesNotWaitForTheDiskOfTheState) {
  GuardedNodeOf<FullHost> node;
  std::ostringstream out;
  std::ostringstream error;
  Terminal terminal{out, error, false, 100};
  ASSERT_EQ(OverridePreflight(*node.host, "restored", "alice", terminal), kHolds);
  PreflightCall call;
  call.options = node.options;
  call.within = std::chrono::seconds(1);
  const PreflightAnswer answer = RunPreflight(node.host, call, terminal);
  EXPECT_TRUE(answer.stuck);
  EXPECT_EQ(answer.code, kHolds);
  EXPECT_TRUE(StrContains(error.str(), "will not know of the override: ")) << error.str();
  EXPECT_EQ(ReadPreflightResult(*node.host)->override().by(), "alice");
  node.host->Release();
}

}  // namespace
}  // namespace connect_ha
