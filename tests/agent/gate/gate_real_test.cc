// The gate and Connect's unit under a real systemd. Runs in a container
// (tests/agent/host/in_container) and nowhere else: it changes the machine that it runs on.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/gate/node_gate.h"
#include "agent/host/linux_host.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "agent/resources/service/service_notes.h"
#include "agent/resources/service/start_connect.h"
#include "common/checklist/guard_lines.h"
#include "common/time.h"
#include "tests/agent/gate/listening.h"
#include "tests/agent/host/container.h"
#include "tests/fakes/no_progress.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr char kUnit[] = "rstudio-connect.service";
constexpr char kUnits[] = "/run/systemd/system/";
constexpr char kDropIns[] = "/etc/systemd/system/rstudio-connect.service.d";
constexpr char kMountPoint[] = "/run/share";
constexpr char kState[] = "/run/state";
// The container has a network of its own.
constexpr uint16_t kPort = 3938;
constexpr milliseconds kLong{20'000};
constexpr milliseconds kAim{1'000};

class RealGate : public testing::Test {
 protected:
  RealGate() {
    std::signal(SIGPIPE, SIG_IGN);
    spdlog::set_level(spdlog::level::off);
    std::filesystem::create_directories(kState);
    WriteUnit("ExecStart=/bin/sleep infinity\n");
    Write(absl::StrCat(kUnits, "run-share.mount"),
          absl::StrCat("[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=", kMountPoint, "\n"));
    Systemctl({"daemon-reload"});
    config_.set_connect_unit(kUnit);
  }
  ~RealGate() override {
    host_.UnmaskUnit(kUnit).IgnoreError();
    host_.StopUnit(kUnit, kLong).IgnoreError();
    host_.StopUnit("run-share.mount", kLong).IgnoreError();
    Systemctl({"disable", kUnit});
    std::filesystem::remove_all(kDropIns);
    std::filesystem::remove_all(kState);
    Systemctl({"daemon-reload"});
    Systemctl({"reset-failed"});
  }
  static void Write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
  }
  void WriteUnit(const std::string& service) {
    Write(absl::StrCat(kUnits, kUnit),
          absl::StrCat("[Service]\n", service, "[Install]\nWantedBy=multi-user.target\n"));
  }
  int Systemctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "systemctl");
    return host_.Run(arguments, {})->exit_code;
  }

  LinuxHost host_;
  v1::AgentConfig config_;
};

class ClosingGate : public RealGate {
 protected:
  ClosingGate() : gate_(kUnit) {
    GateOptions options;
    options.node = "node-1";
    options.agent_config = config_;
    options.orders = [] { return std::make_shared<const v1::Assignment>(); };
    options.memory = [] { return v1::ServiceMemory(); };
    // Connect answers as long as it runs.
    options.facts = [this] {
      v1::Facts facts;
      const auto unit = host_.ReadUnit(kUnit);
      if (unit.ok()) *facts.mutable_connect()->mutable_unit() = *unit;
      v1::Ping& ping = *facts.mutable_connect()->mutable_ping();
      ping.set_http_status(200);
      *ping.mutable_asked_at() = ToProto(host_.Now());
      return facts;
    };
    options_ = std::move(options);
  }
  ~ClosingGate() override { gate_.Close(); }
  void Open() {
    sockets_.push_back(std::move(listening_.socket));
    gate_.Open(
        std::move(options_), host_, [](uint32_t) {}, sockets_);
    ASSERT_TRUE(Becomes("HTTP/1.1 200 "));
  }
  bool Becomes(const std::string& beginning) {
    const auto end = steady_clock::now() + kLong;
    while (!absl::StartsWith(Ask(listening_.port, "/healthz"), beginning)) {
      if (steady_clock::now() > end) return false;
    }
    return true;
  }
  // From now on.
  void ExpectClosedInTime() {
    const auto begin = steady_clock::now();
    ASSERT_TRUE(Becomes("HTTP/1.1 503 "));
    EXPECT_LT(steady_clock::now() - begin, kAim);
  }

  Listening listening_;
  std::vector<Fd> sockets_;
  GateOptions options_;
  NodeGate gate_;
};

TEST_F(ClosingGate, ClosesInTimeWhenConnectIsKilled) {
  ASSERT_EQ(Systemctl({"start", kUnit}), 0);
  Open();
  ASSERT_EQ(Systemctl({"kill", "--signal=KILL", kUnit}), 0);
  ExpectClosedInTime();
}

TEST_F(ClosingGate, ClosesInTimeWhenTheMountGoes) {
  Write(absl::StrCat(kDropIns, "/bound.conf"),
        absl::StrCat("[Unit]\n", absl::StrJoin(MountGuardLines({kMountPoint}), "\n"), "\n"));
  Systemctl({"daemon-reload"});
  ASSERT_EQ(Systemctl({"start", kUnit}), 0);
  Open();
  ASSERT_EQ(host_.Run({"umount", "-l", kMountPoint}, {})->exit_code, 0);
  ExpectClosedInTime();
}

class RealUnit : public RealGate {
 protected:
  RealUnit() {
    order_.order.set_lineage("L");
    order_.order.set_serial(1);
  }
  std::string Differs() {
    const ResourceContext context = Context();
    const auto change = MakeConnectUnit(context)->Differs();
    if (!change.ok()) return std::string(change.status().message());
    return change->has_value() ? (*change)->from() : "";
  }
  absl::Status Apply(UnitWanted unit) {
    order_.unit = unit;
    order_.may_stop = true;
    const ResourceContext context = Context();
    return MakeConnectUnit(context)->Apply(progress_);
  }
  ResourceContext Context() {
    ResourceContext context = {host_,  cache_,       integrity_, desired_, config_, "node-1",
                               kState, "/run/cache", "",         "",       &notes_};
    context.service = order_;
    return context;
  }
  // What stands for the agent's program, which the container does not have.
  void WriteGuard(const std::string& script) {
    constexpr char kAgent[] = "/run/bin/connect-ha-agent";
    Write(kAgent, absl::StrCat("#!/bin/sh\n", script, "\n"));
    std::filesystem::permissions(kAgent, std::filesystem::perms(0755));
    Write(absl::StrCat(kDropIns, "/guard.conf"),
          absl::StrCat("[Service]\nExecStartPre=", kAgent, " preflight\n"));
    Systemctl({"daemon-reload"});
  }

  ProbeCache cache_;
  IntegrityLedger integrity_{host_, cache_};
  v1::Desired desired_;
  ServiceNotes notes_{host_, absl::StrCat(kState, "/service")};
  ServiceOrder order_;
  NoProgress progress_;
};

TEST_F(RealUnit, GoesBothWays) {
  WriteGuard("exit 0");
  ASSERT_EQ(Systemctl({"start", kUnit}), 0);
  const absl::Status held = Apply(UnitWanted::kHeld);
  ASSERT_TRUE(held.ok()) << held;
  EXPECT_EQ(Differs(), "");
  EXPECT_EQ(host_.ReadUnit(kUnit)->active_state(), "inactive");
  EXPECT_NE(Systemctl({"start", kUnit}), 0);
  const absl::Status running = Apply(UnitWanted::kRunning);
  ASSERT_TRUE(running.ok()) << running;
  EXPECT_EQ(Differs(), "");
  EXPECT_EQ(host_.ReadUnit(kUnit)->active_state(), "active");
  EXPECT_EQ(host_.ReadUnit(kUnit)->unit_file_state(), "enabled");
}

TEST_F(RealUnit, IsTakenOverAsItRuns) {
  WriteGuard("exit 0");
  ASSERT_EQ(Systemctl({"start", kUnit}), 0);
  const std::string started_at = host_.ReadUnit(kUnit)->started_at().DebugString();
  const absl::Status running = Apply(UnitWanted::kRunning);
  ASSERT_TRUE(running.ok()) << running;
  EXPECT_EQ(host_.ReadUnit(kUnit)->started_at().DebugString(), started_at);
}

// One that its preflight refuses is no try; a program that ends without a word of its own is one.
TEST_F(RealUnit, AStartThatFailsIsTriedThriceAndToldFromTheJournal) {
  WriteGuard("echo no-mount-here; exit 1");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Apply(UnitWanted::kRunning).code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(Apply(UnitWanted::kRunning).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(notes_.Get().start_failed(), "no-mount-here"))
      << notes_.Get().start_failed();
  EXPECT_NE(host_.ReadUnit(kUnit)->active_state(), "active");
}

// Each start goes well by itself, and systemd makes the next.
TEST_F(RealUnit, AStartThatDoesNotLastIsToldFromTheJournal) {
  WriteUnit(
      "ExecStart=/bin/sh -c 'echo the-licence-has-expired; sleep 1; exit 1'\n"
      "Restart=on-failure\nRestartSec=500ms\n");
  WriteGuard("exit 0");
  const absl::Status started = Apply(UnitWanted::kRunning);
  ASSERT_TRUE(started.ok()) << started;
  std::optional<uint32_t> seen;
  const auto end = steady_clock::now() + kLong;
  while (notes_.Get().start_failed().empty() && steady_clock::now() < end) {
    const absl::StatusOr<v1::Unit> unit = host_.ReadUnit(kUnit);
    ASSERT_TRUE(unit.ok()) << unit.status();
    const absl::Status noted = NoteTries(Context(), *unit, v1::SERVING, seen);
    ASSERT_TRUE(noted.ok()) << noted;
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_EQ(notes_.Get().starts(), 3u);
  EXPECT_TRUE(absl::StrContains(notes_.Get().start_failed(), "the-licence-has-expired"))
      << notes_.Get().start_failed();
  EXPECT_EQ(host_.ReadUnit(kUnit)->restarts(), 2u);
}

// The socket is systemd's: whoever asks while the service is started again is answered.
TEST_F(RealGate, ARestartRefusesNobody) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  Write(absl::StrCat(kUnits, "gate.socket"),
        absl::StrCat("[Socket]\nListenStream=127.0.0.1:", kPort, "\nService=gate.service\n"));
  Write(absl::StrCat(kUnits, "gate.service"),
        absl::StrCat("[Service]\nEnvironment=CONNECT_HA_CONTAINER=yes\nExecStart=", program,
                     " serve\nStartLimitIntervalSec=0\n"));
  Systemctl({"daemon-reload"});
  ASSERT_EQ(Systemctl({"start", "gate.socket"}), 0);
  std::atomic<bool> done{false};
  std::atomic<int> answered{0};
  std::atomic<int> refused{0};
  std::thread asker([&] {
    while (!done) {
      ++(absl::StartsWith(Ask(kPort, "/healthz"), "HTTP/1.1 200 ") ? answered : refused);
    }
  });
  for (int i = 0; i < 3; ++i) {
    const int before = answered;
    EXPECT_EQ(Systemctl({"restart", "gate.service"}), 0);
    const auto end = steady_clock::now() + kLong;
    while (answered < before + 2 && steady_clock::now() < end) std::this_thread::yield();
  }
  done = true;
  asker.join();
  EXPECT_GE(answered, 6);
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(Systemctl({"stop", "gate.socket", "gate.service"}), 0);
}

// Until SIGTERM.
int Serve() {
  const std::vector<Fd> sockets = TakeListeningSockets();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  GateServerOptions options;
  options.node = "node-1";
  options.health = [] { return GateAnswer{200, "open\n"}; };
  options.page = [] { return std::string(); };
  const GateServer server(sockets, std::move(options));
  int signal = 0;
  sigwait(&stop, &signal);
  return sockets.size() == 1 ? 0 : 1;
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  connect_ha::RequireContainer(argv[0]);
  if (argc > 1 && argv[1] == std::string("serve")) return connect_ha::Serve();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
