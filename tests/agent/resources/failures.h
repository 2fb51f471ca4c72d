// A node on which Connect's package alone is to be installed, and what may go wrong with it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {

constexpr char kUrl[] = "https://example.com/connect.deb";

class FailuresTest : public testing::Test {
 protected:
  FailuresTest() : agent_(std::make_unique<Agent>(node_)) {
    deb_ = {"rstudio-connect", "2024.08.0~ubuntu22"};
    deb_.files = {{"/opt/rstudio-connect/bin/connect", "connect"}};
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_enforcement(v1::ENFORCE);
    spec().mutable_connect()->set_version("2024.08.0");
    Publish();
  }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  v1::Artifact& artifact() { return *spec().mutable_connect()->mutable_package(); }
  void Publish() { artifact() = node_.Publish("connect.deb", deb_); }
  std::optional<std::chrono::milliseconds> Turn() {
    return agent_->converge.Turn(assignment_, watch_);
  }
  v1::Convergence::State state() const { return watch_.last().state(); }
  std::string said() const { return Describe(watch_.last()); }
  v1::Trouble trouble() const {
    return watch_.last().troubles_size() > 0 ? watch_.last().troubles(0) : v1::Trouble();
  }
  // The service itself is held back before anything else is looked at: its note, and its mask.
  void ExpectNothingChangedButTheService() {
    for (const std::string& change : node_.host.changes()) {
      EXPECT_TRUE(absl::StartsWith(change, "Run ") || change == absl::StrCat("MaskUnit ", kUnit) ||
                  change == absl::StrCat("WriteFile ", kStateDir, "/service") ||
                  change == absl::StrCat("WriteFile ", kStateDir, "/changes"))
          << change;
    }
  }
  int Fetches() const {
    int count = 0;
    for (const std::string& change : node_.host.changes()) {
      if (absl::StartsWith(change, "Fetch")) ++count;
    }
    return count;
  }
  std::string Commands(size_t service) const {
    const auto services = node_.host.services_started();
    if (service >= services.size()) return "";
    std::vector<std::string> lines;
    for (const auto& command : services[service].commands) {
      lines.push_back(absl::StrJoin(command, " "));
    }
    return absl::StrJoin(lines, "\n");
  }
  std::string CachedFile() { return absl::StrCat(kCacheDir, "/", artifact().sha256(), ".deb"); }
  std::string InstallLine(const std::string& flags) {
    return absl::StrCat("/usr/bin/apt-get install -y -q --no-remove --no-install-recommends ",
                        flags, "-o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold ",
                        CachedFile());
  }
  std::string Simulation() {
    return absl::StrCat(
        "/usr/bin/apt-get install -s -y -q --no-install-recommends "
        "--allow-change-held-packages --allow-downgrades --allow-remove-essential ",
        CachedFile());
  }
  // Somebody says stop while apt says what it would do.
  void StopAtSimulation() {
    node_.host.SetCommand(Simulation(), {0, false, ""}, [this](FakeHost&) {
      watch_.StopAfterWaits(1);
      watch_.Wait(std::chrono::milliseconds(1));
    });
  }
  void ExpectStuck(const std::string& error) {
    EXPECT_EQ(Turn(), std::nullopt);
    EXPECT_EQ(state(), v1::Convergence::STUCK) << said();
    EXPECT_TRUE(absl::StrContains(trouble().error(), error)) << said();
    EXPECT_FALSE(trouble().has_retry_at());
    EXPECT_FALSE(trouble().fix().empty()) << said();
  }
  void ExpectConverged() {
    Turn();
    EXPECT_EQ(said(), "CONVERGED");
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.08.0~ubuntu22, hold ok installed");
    EXPECT_EQ(node_.host.ReadUnit(kUnit)->active_state(), "inactive");
  }

  // Hands off.
  void Release() {
    assignment_.set_state(v1::OBSERVED);
    assignment_.set_release(true);
    Turn();
  }
  void TakeBack() {
    assignment_.set_state(v1::PREPARING);
    assignment_.set_release(false);
  }
  // An upgrade of what somebody put on hold, up to where it is on hold no more.
  void CutPowerWhileTheHoldIsOff() {
    FakeDeb older{"rstudio-connect", "2024.06.0~ubuntu22"};
    node_.SetInstalled(older, "hold ok installed");
    deb_.reads = 5;
    Publish();
    watch_.StopAfterWaits(4);
    Turn();
    ASSERT_EQ(node_.DpkgStatus("rstudio-connect"), "2024.06.0~ubuntu22, install ok installed");
    node_.host.Reboot();
    Restart();
    watch_.StopAfterWaits(0);
  }
  void Restart() { agent_ = std::make_unique<Agent>(node_); }

  BareNode node_;
  FakeDeb deb_;
  v1::Assignment assignment_;
  std::unique_ptr<Agent> agent_;
  TestWatch watch_{node_.host};
};

}  // namespace connect_ha
