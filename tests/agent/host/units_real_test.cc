// Units and transient services of a real systemd. Runs in a container (in_container) and nowhere
// else: it changes the machine that it runs on.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "agent/host/linux_host.h"
#include "tests/agent/host/container.h"

namespace connect_ha {
namespace {

using State = ServiceResult::State;
using std::chrono::milliseconds;

constexpr char kUnits[] = "/run/systemd/system/";
constexpr char kName[] = "connect-ha-test.service";
constexpr char kLog[] = "/run/service.log";
constexpr milliseconds kLong{20'000};
// A pipe: who reads it waits until it is opened.
constexpr char kGate[] = "/run/gate";

class Units : public testing::Test {
 protected:
  Units() { mkfifo(kGate, 0600); }
  ~Units() override {
    host_.StopUnit(kName, kLong).IgnoreError();
    host_.ClearService(kName).IgnoreError();
    std::filesystem::remove(kLog);
  }
  int Systemctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    return host_.Run(arguments, {})->exit_code;
  }
  void PutUnit(const std::string& path, const std::string& service) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "[Service]\n" << service;
    Systemctl({"daemon-reload"});
  }
  // Waits for the reader.
  void OpenGate() { std::ofstream gate(kGate); }
  std::string ActiveState(const std::string& unit) { return host_.ReadUnit(unit)->active_state(); }
  static TransientService Shell(std::vector<std::string> scripts) {
    TransientService service;
    service.name = kName;
    service.description = "a test";
    for (std::string& script : scripts) {
      service.commands.push_back({"/bin/sh", "-c", std::move(script)});
    }
    service.log_path = kLog;
    service.time_limit = kLong;
    return service;
  }
  ServiceResult End() {
    for (int i = 0; i < 2'000; ++i) {
      const auto result = host_.ReadService(kName);
      EXPECT_TRUE(result.ok()) << result.status();
      if (!result.ok() || result->state != State::kRunning) return *result;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return {};
  }
  LinuxHost host_;
};

TEST_F(Units, AMaskedUnitCannotBeStarted) {
  PutUnit(absl::StrCat(kUnits, "victim.service"), "ExecStart=/bin/sleep 1000\n");
  ASSERT_TRUE(host_.MaskUnit("victim.service").ok());
  ASSERT_TRUE(host_.MaskUnit("victim.service").ok());
  EXPECT_EQ(host_.ReadUnit("victim.service")->load_state(), "masked");
  EXPECT_EQ(host_.ReadUnit("victim.service")->unit_file_state(), "masked");
  EXPECT_NE(Systemctl({"start", "victim.service"}), 0);
  ASSERT_TRUE(host_.UnmaskUnit("victim.service").ok());
  EXPECT_EQ(Systemctl({"start", "victim.service"}), 0);
  EXPECT_TRUE(host_.StopUnit("victim.service", kLong).ok());
}

TEST_F(Units, AUnitIsMaskedBeforeItIsThereAndWhileItRuns) {
  ASSERT_TRUE(host_.MaskUnit("late.service").ok());
  PutUnit(absl::StrCat(kUnits, "late.service"), "ExecStart=/bin/sleep 1000\n");
  EXPECT_NE(Systemctl({"start", "late.service"}), 0);
  ASSERT_TRUE(host_.UnmaskUnit("late.service").ok());
  ASSERT_EQ(Systemctl({"start", "late.service"}), 0);
  ASSERT_TRUE(host_.MaskUnit("late.service").ok());
  EXPECT_EQ(ActiveState("late.service"), "active");
  EXPECT_TRUE(host_.StopUnit("late.service", kLong).ok());
  EXPECT_EQ(ActiveState("late.service"), "inactive");
  EXPECT_TRUE(host_.UnmaskUnit("late.service").ok());
}

TEST_F(Units, UnmaskingTakesTheMaskUntilTheNextBootTooAndWhatIsNotMaskedIsDone) {
  ASSERT_EQ(Systemctl({"mask", "--runtime", "away.service"}), 0);
  EXPECT_TRUE(host_.UnmaskUnit("away.service").ok());
  EXPECT_TRUE(host_.UnmaskUnit("away.service").ok());
  EXPECT_EQ(host_.ReadUnit("away.service").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(Units, AUnitFileInTheWayOfTheMaskIsNamedWithWhatToDo) {
  PutUnit("/etc/systemd/system/own.service", "ExecStart=/bin/true\n");
  EXPECT_EQ(host_.MaskUnit("own.service"),
            absl::FailedPreconditionError(
                "cannot mask own.service: /etc/systemd/system/own.service is in the way\n"
                "fix: move it away: mv /etc/systemd/system/own.service /root/"));
}

TEST_F(Units, WhatIsForTheEndRunsAfterAFailureToo) {
  for (const int code : {0, 3}) {
    TransientService service = Shell({absl::StrCat("exit ", code)});
    service.at_end = {{"-/bin/false"}, {"/usr/bin/touch", "/run/at-end"}};
    ASSERT_TRUE(host_.StartService(service).ok());
    const ServiceResult result = End();
    EXPECT_EQ(result.state, code == 0 ? State::kSucceeded : State::kFailed);
    EXPECT_EQ(result.exit_code, code);
    EXPECT_EQ(std::filesystem::exists("/run/at-end"), code != 0);
    ASSERT_TRUE(host_.ClearService(kName).ok());
    EXPECT_TRUE(std::filesystem::remove("/run/at-end"));
  }
}

TEST_F(Units, WhatIsNoUnitNameIsRefused) {
  EXPECT_EQ(host_.MaskUnit("no unit").code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(Units, StoppingWaitsUntilItIsInactive) {
  PutUnit(absl::StrCat(kUnits, "slow.service"),
          "ExecStart=/bin/sleep 1000\nExecStop=/bin/cat /run/gate\n");
  ASSERT_EQ(Systemctl({"start", "slow.service"}), 0);
  const absl::Status early = host_.StopUnit("slow.service", milliseconds(100));
  EXPECT_EQ(early.code(), absl::StatusCode::kDeadlineExceeded) << early;
  EXPECT_EQ(ActiveState("slow.service"), "deactivating");
  OpenGate();
  EXPECT_TRUE(host_.StopUnit("slow.service", kLong).ok());
  EXPECT_EQ(ActiveState("slow.service"), "inactive");
  EXPECT_TRUE(host_.StopUnit("slow.service", kLong).ok());
  EXPECT_TRUE(host_.StopUnit("none.service", kLong).ok());
}

TEST_F(Units, StartingWaitsUntilItIsActiveAndIsFoundAgain) {
  PutUnit(absl::StrCat(kUnits, "slow-start.service"),
          "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/cat /run/gate\n");
  const absl::Status early = host_.StartUnit("slow-start.service", milliseconds(100));
  EXPECT_EQ(early.code(), absl::StatusCode::kDeadlineExceeded) << early;
  EXPECT_EQ(ActiveState("slow-start.service"), "activating");
  OpenGate();
  EXPECT_TRUE(host_.StartUnit("slow-start.service", kLong).ok());
  EXPECT_EQ(ActiveState("slow-start.service"), "active");
  EXPECT_TRUE(host_.StartUnit("slow-start.service", kLong).ok());
  EXPECT_TRUE(host_.StopUnit("slow-start.service", kLong).ok());
  EXPECT_EQ(host_.StartUnit("none.service", kLong).code(), absl::StatusCode::kNotFound);
}

TEST_F(Units, AReloadIsWaitedForAndOnlyWhereTheUnitSaysHow) {
  PutUnit(absl::StrCat(kUnits, "reloads.service"),
          "ExecStart=/bin/sleep 1000\nExecReload=/bin/touch /run/reloaded\n");
  ASSERT_TRUE(host_.StartUnit("reloads.service", kLong).ok());
  EXPECT_TRUE(host_.ReadUnit("reloads.service")->can_reload());
  const auto started_at = host_.ReadUnit("reloads.service")->started_at();
  ASSERT_TRUE(host_.ReloadUnit("reloads.service", kLong).ok());
  EXPECT_TRUE(std::filesystem::exists("/run/reloaded"));
  EXPECT_EQ(host_.ReadUnit("reloads.service")->started_at().nanos(), started_at.nanos());
  EXPECT_TRUE(host_.StopUnit("reloads.service", kLong).ok());
  EXPECT_FALSE(host_.ReloadUnit("reloads.service", kLong).ok());
  PutUnit(absl::StrCat(kUnits, "reloads.service"), "ExecStart=/bin/sleep 1000\n");
  EXPECT_FALSE(host_.ReadUnit("reloads.service")->can_reload());
}

TEST_F(Units, AMountUnitIsEnabledAndMountsAndAFailureIsTold) {
  constexpr char kMount[] = "run-shared.mount";
  const std::string file = absl::StrCat("/etc/systemd/system/", kMount);
  const auto write = [&](const char* type) {
    std::ofstream(file) << "[Mount]\nWhat=tmpfs\nWhere=/run/shared\nType=" << type
                        << "\n[Install]\nWantedBy=multi-user.target\n";
  };
  write("tmpfs");
  for (int time = 0; time < 2; ++time) {
    const absl::Status enabled = host_.EnableUnit(kMount);
    ASSERT_TRUE(enabled.ok()) << enabled;
  }
  EXPECT_EQ(host_.ReadUnit(kMount)->unit_file_state(), "enabled");
  EXPECT_FALSE(host_.ReadUnit(kMount)->need_daemon_reload());
  ASSERT_TRUE(host_.StartUnit(kMount, kLong).ok());
  EXPECT_EQ(ActiveState(kMount), "active");
  ASSERT_TRUE(host_.StopUnit(kMount, kLong).ok());
  write("nosuchtype");
  ASSERT_TRUE(host_.EnableUnit(kMount).ok());
  EXPECT_EQ(host_.StartUnit(kMount, kLong).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(host_.ReadUnit(kMount)->result(), "exit-code");
  EXPECT_EQ(Systemctl({"disable", kMount}), 0);
  std::filesystem::remove(file);
  EXPECT_EQ(Systemctl({"daemon-reload"}), 0);
}

TEST_F(Units, AServiceSucceedsAndIsKnownUntilItIsCleared) {
  TransientService service = Shell({"cat /run/gate && printenv A B", "echo two >&2"});
  service.environment = {"A=1", "B=two words"};
  ASSERT_TRUE(host_.StartService(service).ok());
  EXPECT_EQ(host_.ReadService(kName)->state, State::kRunning);
  EXPECT_EQ(host_.ClearService(kName).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(host_.StartService(service).code(), absl::StatusCode::kAlreadyExists);
  OpenGate();
  EXPECT_EQ(End().state, State::kSucceeded);
  EXPECT_EQ(host_.StartService(service).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(*host_.ReadFile(kLog), "1\ntwo words\ntwo\n");
  EXPECT_TRUE(host_.ClearService(kName).ok());
  EXPECT_EQ(host_.ReadService(kName)->state, State::kAbsent);
  EXPECT_TRUE(host_.ClearService(kName).ok());
}

TEST_F(Units, ACommandThatFailsIsTheLast) {
  ASSERT_TRUE(host_.StartService(Shell({"echo 1", "echo 2 && exit 7", "echo 3"})).ok());
  const ServiceResult result = End();
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.reason, "exit-code");
  EXPECT_EQ(*host_.ReadFile(kLog), "1\n2\n");
  EXPECT_EQ(host_.StartService(Shell({"true"})).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(host_.ClearService(kName).ok());
  EXPECT_EQ(host_.ReadService(kName)->state, State::kAbsent);
}

TEST_F(Units, TheNextOneFollowsACommandThatMayFailEvenIfSystemdReloadsMeanwhile) {
  TransientService service = Shell({"cat /run/gate && exit 7", "exit 7", "echo 3"});
  service.commands[0][0].insert(0, "-");
  service.commands[1][0].insert(0, "-");
  ASSERT_TRUE(host_.StartService(service).ok());
  ASSERT_EQ(Systemctl({"daemon-reload"}), 0);
  OpenGate();
  EXPECT_EQ(End().state, State::kSucceeded);
  EXPECT_EQ(*host_.ReadFile(kLog), "3\n");
}

TEST_F(Units, AServiceIsNeverAbsentBetweenItsStartAndItsClearingAndThenCanBeStartedAgain) {
  for (int round = 0; round < 20; ++round) {
    const bool fails = round % 2 == 1;
    const absl::Status started = host_.StartService(Shell({fails ? "false" : "true"}));
    ASSERT_TRUE(started.ok()) << started;
    ASSERT_EQ(End().state, fails ? State::kFailed : State::kSucceeded);
    ASSERT_TRUE(host_.ClearService(kName).ok());
  }
}

TEST_F(Units, AServiceBeyondItsTimeIsEnded) {
  TransientService service = Shell({"sleep 1000"});
  service.time_limit = milliseconds(300);
  ASSERT_TRUE(host_.StartService(service).ok());
  const ServiceResult result = End();
  EXPECT_EQ(result.state, State::kFailed);
  EXPECT_EQ(result.reason, "timeout");
  EXPECT_EQ(result.exit_code, 128 + SIGTERM);
}

TEST_F(Units, TellsASignalAndAProgramThatIsNotThere) {
  ASSERT_TRUE(host_.StartService(Shell({"kill -9 0"})).ok());
  ServiceResult result = End();
  EXPECT_EQ(result.reason, "signal");
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  ASSERT_TRUE(host_.ClearService(kName).ok());
  TransientService service = Shell({});
  service.commands = {{"/no/such/program"}};
  ASSERT_TRUE(host_.StartService(service).ok());
  result = End();
  EXPECT_EQ(result.reason, "exit-code");
  EXPECT_EQ(result.exit_code, 203);
}

TEST_F(Units, ArgumentsArriveAsTheyAreEvenIfSystemdReloadsMeanwhile) {
  const std::string odd = "a ~b %n %% 'r' & | > * ? # = {x} \xc3\xa9";
  TransientService service = Shell({"cat /run/gate"});
  service.commands.push_back({"/bin/echo", "", odd});
  service.commands.push_back({"/bin/echo", "2", odd});
  ASSERT_TRUE(host_.StartService(service).ok());
  ASSERT_EQ(Systemctl({"daemon-reload"}), 0);
  OpenGate();
  EXPECT_EQ(End().state, State::kSucceeded);
  EXPECT_EQ(*host_.ReadFile(kLog), absl::StrCat(" ", odd, "\n2 ", odd, "\n"));
}

TEST_F(Units, AServiceOutlivesWhoStartedIt) {
  TransientService agent;
  agent.name = "killed-agent.service";
  agent.commands = {{std::filesystem::read_symlink("/proc/self/exe"), "start-and-die"}};
  agent.environment = {"CONNECT_HA_CONTAINER=yes"};
  ASSERT_TRUE(host_.StartService(agent).ok());
  while (host_.ReadService(agent.name)->state == State::kRunning) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(host_.ReadService(agent.name)->exit_code, 128 + SIGKILL);
  EXPECT_EQ(host_.ReadService(kName)->state, State::kRunning);
  OpenGate();
  EXPECT_EQ(End().state, State::kSucceeded);
  EXPECT_EQ(*host_.ReadFile(kLog), "done\n");
  EXPECT_TRUE(host_.ClearService(agent.name).ok());
}

TEST_F(Units, WhatIsNotOursIsNotReadAsAService) {
  EXPECT_EQ(host_.ReadService("systemd-journald.service").status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(host_.ClearService("systemd-journald.service").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(host_.ReadService("none.service")->state, State::kAbsent);
}

TEST_F(Units, AllOfItWorksWhileTheBusDaemonIsAway) {
  ASSERT_EQ(Systemctl({"stop", "dbus.socket", "dbus.service"}), 0);
  ASSERT_TRUE(host_.StartService(Shell({"true"})).ok());
  EXPECT_EQ(End().state, State::kSucceeded);
  EXPECT_TRUE(host_.ClearService(kName).ok());
  EXPECT_TRUE(host_.MaskUnit("away.service").ok());
  EXPECT_TRUE(host_.UnmaskUnit("away.service").ok());
  EXPECT_EQ(Systemctl({"start", "dbus.socket"}), 0);
}

// A mounted unit's options do not say noauto; who starts it does.
TEST_F(Units, AMountThatNoBootMakesIsStartedByNone) {
  std::ofstream("/etc/fstab") << "tmpfs /run/auto tmpfs size=1m 0 0\n"
                                 "tmpfs /run/never tmpfs size=1m,noauto 0 0\n";
  ASSERT_EQ(Systemctl({"daemon-reload"}), 0);
  ASSERT_EQ(Systemctl({"start", "run-auto.mount", "run-never.mount"}), 0);
  const auto made = host_.ReadUnit("run-auto.mount");
  const auto not_made = host_.ReadUnit("run-never.mount");
  ASSERT_TRUE(made.ok()) << made.status();
  ASSERT_TRUE(not_made.ok()) << not_made.status();
  EXPECT_EQ(made->unit_file_state(), "generated");
  ASSERT_EQ(made->started_by_size(), 1);
  EXPECT_EQ(made->started_by(0), "local-fs.target");
  EXPECT_EQ(not_made->unit_file_state(), "generated");
  EXPECT_EQ(not_made->started_by_size(), 0);
  EXPECT_EQ(not_made->mount_options().find("noauto"), std::string::npos);
  EXPECT_EQ(Systemctl({"stop", "run-auto.mount", "run-never.mount"}), 0);
  std::ofstream("/etc/fstab") << "";
  EXPECT_EQ(Systemctl({"daemon-reload"}), 0);
}

TEST_F(Units, RemovesNoTreeWithAMountInIt) {
  std::filesystem::create_directories("/run/tree/same");
  std::ofstream("/run/tree/same/a") << "";
  std::filesystem::create_directories("/run/tree/inner");
  ASSERT_EQ(host_.Run({"mount", "--bind", "/run/tree/same", "/run/tree/inner"}, {})->exit_code, 0);
  EXPECT_EQ(host_.Remove("/run/tree").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(host_.Stat("/run/tree/same/a").ok());
  ASSERT_EQ(host_.Run({"umount", "/run/tree/inner"}, {})->exit_code, 0);
  EXPECT_TRUE(host_.Remove("/run/tree").ok());
  EXPECT_EQ(host_.Stat("/run/tree").status().code(), absl::StatusCode::kNotFound);
}

[[noreturn]] void StartAndDie() {
  LinuxHost host;
  TransientService service;
  service.name = kName;
  service.commands = {{"/bin/sh", "-c", "cat /run/gate && echo done"}};
  service.log_path = kLog;
  const absl::Status started = host.StartService(service);
  if (!started.ok()) _exit(1);
  kill(getpid(), SIGKILL);
  _exit(1);
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  connect_ha::RequireContainer(argv[0]);
  if (argc > 1 && argv[1] == std::string("start-and-die")) connect_ha::StartAndDie();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
