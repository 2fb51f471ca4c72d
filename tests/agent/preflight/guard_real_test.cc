// The guard under a real systemd. Runs in a container (tests/agent/host/in_container) and nowhere
// else: it changes the machine that it runs on.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/host/linux_host.h"
#include "agent/preflight/preflight_command.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "common/checklist/guard_lines.h"
#include "tests/agent/host/container.h"
#include "tests/fakes/no_progress.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

constexpr char kUnit[] = "rstudio-connect.service";
constexpr char kUnitFile[] = "/run/systemd/system/rstudio-connect.service";
constexpr char kMountFile[] = "/run/systemd/system/run-share.mount";
constexpr char kDropIns[] = "/etc/systemd/system/rstudio-connect.service.d";
constexpr char kMountPoint[] = "/run/share";
constexpr char kState[] = "/run/state";
constexpr milliseconds kLong{20'000};

class GuardReal : public testing::Test {
 protected:
  GuardReal() {
    spdlog::set_level(spdlog::level::off);
    Write(kUnitFile, "[Service]\nExecStart=/bin/sleep infinity\n");
    Write(kMountFile, absl::StrCat("[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=", kMountPoint, "\n"));
    Systemctl({"daemon-reload"});
    agent_config_.set_connect_unit(kUnit);
    desired_.mutable_spec()->set_enforcement(v1::ENFORCE);
    desired_.mutable_spec()->mutable_storage()->set_mount_point(kMountPoint);
    guard_ = MakeGuard(context_);
  }
  ~GuardReal() override {
    host_.StopUnit(kUnit, kLong).IgnoreError();
    host_.StopUnit("run-share.mount", kLong).IgnoreError();
    std::filesystem::remove_all(kDropIns);
    Systemctl({"daemon-reload"});
    Systemctl({"reset-failed"});
  }
  static void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  int Systemctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    return host_.Run(arguments, {})->exit_code;
  }
  std::string ActiveState() { return host_.ReadUnit(kUnit)->active_state(); }
  bool Becomes(const std::string& state) {
    for (int i = 0; i < 2'000; ++i) {
      if (ActiveState() == state) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }
  // Bound to its mount; the preflight's program is not in the container.
  void Bind() {
    Write(absl::StrCat(kDropIns, "/bound.conf"),
          absl::StrCat("[Unit]\n", absl::StrJoin(MountGuardLines({kMountPoint}), "\n"), "\n"));
    Systemctl({"daemon-reload"});
  }
  std::string Differs() {
    const auto change = guard_->Differs();
    if (!change.ok()) return std::string(change.status().message());
    return change->has_value() ? (*change)->from() : "";
  }

  LinuxHost host_;
  ProbeCache cache_;
  IntegrityLedger integrity_{host_, cache_};
  v1::Desired desired_;
  v1::AgentConfig agent_config_;
  const ResourceContext context_ = {host_,    cache_, integrity_,   desired_, agent_config_,
                                    "node-1", kState, "/run/cache", "",       ""};
  NoProgress progress_;
  std::unique_ptr<Resource> guard_;
};

TEST_F(GuardReal, AMountThatGoesStopsConnect) {
  Bind();
  ASSERT_EQ(Systemctl({"start", kUnit}), 0);
  EXPECT_TRUE(std::filesystem::exists(kMountPoint));
  EXPECT_EQ(host_.ReadUnit("run-share.mount")->active_state(), "active");
  ASSERT_EQ(host_.Run({"umount", "-l", kMountPoint}, {})->exit_code, 0);
  EXPECT_TRUE(Becomes("inactive"));
}

TEST_F(GuardReal, AMountThatFailsKeepsConnectFromStarting) {
  Bind();
  Write(kMountFile,
        absl::StrCat("[Mount]\nWhat=/no/such/device\nType=ext4\nWhere=", kMountPoint, "\n"));
  Systemctl({"daemon-reload"});
  EXPECT_NE(Systemctl({"start", kUnit}), 0);
  EXPECT_EQ(ActiveState(), "inactive");
}

TEST_F(GuardReal, ComesIntoEffectUnderAConnectThatRunsOn) {
  ASSERT_EQ(Systemctl({"start", "run-share.mount", kUnit}), 0);
  const auto started_at = host_.ReadUnit(kUnit)->started_at().DebugString();
  EXPECT_EQ(Differs(), "absent");
  const absl::Status applied = guard_->Apply(progress_);
  ASSERT_TRUE(applied.ok()) << applied;
  EXPECT_EQ(Differs(), "");
  const auto unit = host_.ReadUnit(kUnit);
  EXPECT_EQ(unit->active_state(), "active");
  EXPECT_EQ(unit->started_at().DebugString(), started_at);
  EXPECT_EQ(absl::StrJoin(unit->binds_to_mounts(), " "), "run-share.mount");
  EXPECT_EQ(absl::StrJoin(unit->exec_start_pre(), "; "), "/usr/bin/connect-ha-agent preflight");
  ASSERT_EQ(host_.Run({"umount", "-l", kMountPoint}, {})->exit_code, 0);
  EXPECT_TRUE(Becomes("inactive"));
}

TEST_F(GuardReal, AProgramThatIsNotThereKeepsConnectFromStarting) {
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  EXPECT_NE(Systemctl({"start", kUnit}), 0);
  EXPECT_EQ(ActiveState(), "failed");
}

TEST_F(GuardReal, IsSeenToBeGoneAfterARevertAndUnderAMaskItsFileCounts) {
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  EXPECT_EQ(Systemctl({"revert", kUnit}), 0);
  EXPECT_EQ(Differs(), "absent");
  ASSERT_TRUE(host_.MaskUnit(kUnit).ok());
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  EXPECT_EQ(Differs(), "");
  ASSERT_TRUE(host_.UnmaskUnit(kUnit).ok());
  EXPECT_EQ(Differs(), "");
}

// Of the log nothing is shown by then that is older than the wait for the next try.
TEST_F(GuardReal, ARefusalIsTheStatusOfTheUnitBetweenTwoTries) {
  Write(absl::StrCat(kState, "/assignment"), "");  // damaged
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  Write(absl::StrCat(kDropIns, "/zz.conf"),
        absl::StrCat("[Service]\nRestart=on-failure\nRestartSec=60\nExecStartPre=\nExecStartPre=",
                     std::filesystem::read_symlink("/proc/self/exe").string(), " preflight\n"));
  Systemctl({"daemon-reload"});
  EXPECT_EQ(host_.ReadUnit(kUnit)->notify_access(), "exec");
  EXPECT_NE(Systemctl({"start", kUnit}), 0);
  EXPECT_EQ(host_.ReadUnit(kUnit)->sub_state(), "auto-restart");
  const auto shown = host_.Run({"systemctl", "status", "--no-pager", kUnit}, {});
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_NE(
      shown->output.find("Status: \"Connect may not start on this node: /run/state/assignment"),
      std::string::npos)
      << shown->output;
  std::filesystem::remove_all(kState);
}

// A unit that runs stays loaded; another is read anew by who asks for it.
TEST_F(GuardReal, AFileThatSystemdHasNotReadIsNotInEffect) {
  ASSERT_EQ(Systemctl({"start", "run-share.mount", kUnit}), 0);
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  Write(absl::StrCat(kDropIns, "/zz.conf"), "[Service]\nExecStartPre=\n");
  EXPECT_EQ(Differs(), "not read by systemd");
  ASSERT_TRUE(guard_->Apply(progress_).ok());
  EXPECT_NE(Differs().find("no preflight is run"), std::string::npos) << Differs();
}

// In place of the agent's program, which is not in the container: as a part of Connect's unit.
int Preflight() {
  PreflightCall call;
  call.options.state_dir = kState;
  call.options.runtime_dir = "/run/connect-ha-agent";
  Terminal terminal = StandardTerminal();
  return RunPreflight(std::make_shared<LinuxHost>(), call, terminal).code;
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "preflight") return connect_ha::Preflight();
  connect_ha::RequireContainer(argv[0]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
