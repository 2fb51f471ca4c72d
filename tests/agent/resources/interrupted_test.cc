// An installation goes on without the agent, and ends without its machine.
#include <gtest/gtest.h>

#include "agent/resources/install/installer.h"
#include "tests/agent/resources/failures.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

TEST_F(FailuresTest, AnAgentThatIsKilledFindsTheInstallerThatRuns) {
  deb_.reads = 5;
  Publish();
  watch_.StopAfterWaits(1);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().step().phase(), v1::Step::INSTALLING);
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  ExpectConverged();
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
  EXPECT_EQ(Fetches(), 1);
}

// PID 1 stops to answer for a service while its end is waited for.
class SlowSystemd : public TestWatch {
 public:
  SlowSystemd(FakeHost& host, std::string service)
      : TestWatch(host), host_(host), service_(std::move(service)) {}
  bool Wait(milliseconds span) override {
    if (span.count() > 0) ++waits_;  // a download only asks whether to go on
    if (waits_ == 1) host_.SetError(service_, absl::UnavailableError("PID 1 does not answer"));
    if (waits_ == 20) host_.SetError(service_, absl::OkStatus());
    return TestWatch::Wait(span);
  }
  int waits() const { return waits_; }

 private:
  FakeHost& host_;
  const std::string service_;
  int waits_ = 0;
};

TEST_F(FailuresTest, AnInstallerOfWhichSystemdDoesNotTellForAWhileIsWaitedFor) {
  deb_.reads = 5;
  Publish();
  SlowSystemd watch(node_.host, InstallerService("install", artifact().sha256()));
  agent_->converge.Turn(assignment_, watch);
  EXPECT_EQ(Describe(watch.last()), "CONVERGED");
  EXPECT_GE(watch.waits(), 20);
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
  EXPECT_EQ(agent_->journal.Pending(10).back().change().from(), "absent");
}

TEST_F(FailuresTest, AnInstallerThatFailedWhileTheAgentWasAwayIsNotRunAgain) {
  deb_.reads = 5;
  deb_.exit_code = 1;
  deb_.log = "it failed\n";
  Publish();
  watch_.StopAfterWaits(1);
  Turn();
  for (int i = 0; i < 10; ++i) {
    (void)node_.host.ReadService(InstallerService("install", artifact().sha256()));
  }
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().log(), "it failed");
  EXPECT_EQ(node_.InstallsOf(artifact().sha256()), 1);
}

TEST_F(FailuresTest, APowerCutDuringTheInstallationIsMended) {
  deb_.reads = 5;
  Publish();
  watch_.StopAfterWaits(1);
  Turn();
  node_.host.Reboot();
  node_.SetInstalled(deb_, "install reinstreq half-installed");
  node_.host.SetFile("/opt/rstudio-connect/bin/connect", "");
  agent_ = std::make_unique<Agent>(node_);
  watch_.StopAfterWaits(0);
  ExpectConverged();
  EXPECT_EQ(*node_.host.ReadFile("/opt/rstudio-connect/bin/connect"), "connect");
}

}  // namespace
}  // namespace connect_ha
