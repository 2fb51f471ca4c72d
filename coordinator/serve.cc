#include "coordinator/serve.h"

#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>

#include "common/log.h"
#include "common/tls/grpc_log.h"
#include "coordinator/coordinator.h"
#include "coordinator/watchdog.h"

namespace connect_ha {
namespace {

constexpr int kClean = 0;
constexpr int kCannotStart = 2;
constexpr int kSuperseded = 3;  // the unit starts it no more then
constexpr std::chrono::milliseconds kTick{200};
constexpr int kRestPerWork = 9;
constexpr std::chrono::milliseconds kLongestRest{10'000};
// It looks into the store's file.
constexpr std::chrono::seconds kSupersededCheck{1};

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

// Blocked here, before there is another thread, the signals wait for NextSignal.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// The signal that came within `wait`; 0 for none.
int NextSignal(const sigset_t& signals, std::chrono::milliseconds wait) {
  timespec timeout{};
  timeout.tv_sec = wait.count() / 1000;
  timeout.tv_nsec = wait.count() % 1000 * 1'000'000;
  const int signal = sigtimedwait(&signals, nullptr, &timeout);
  return signal < 0 ? 0 : signal;
}

// What this thread has worked, waiting for the disk left out.
std::chrono::milliseconds Worked() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
}

void Reload(Coordinator& coordinator) {
  const absl::Status reloaded = coordinator.Reload(Now());
  if (reloaded.ok()) {
    spdlog::info("event=RELOADED");
  } else {
    spdlog::error("event=NOT_RELOADED text={}", LogValue(std::string(reloaded.message())));
  }
}

// Until it is asked to stop, or another coordinator has its store. Returns the exit code.
int Loop(Coordinator& coordinator, const sigset_t& signals) {
  Watchdog watchdog([&coordinator] { return coordinator.store().writing_since(); });
  auto checked = std::chrono::steady_clock::now();
  while (true) {
    const auto before = Worked();
    coordinator.Tick(Now());
    watchdog.Turned();
    const int signal = NextSignal(signals, RestAfter(Worked() - before));
    watchdog.Turned();
    if (signal == SIGHUP) Reload(coordinator);
    if (signal == SIGTERM || signal == SIGINT) return kClean;
    if (std::chrono::steady_clock::now() - checked < kSupersededCheck) continue;
    checked = std::chrono::steady_clock::now();
    if (coordinator.store().superseded()) return kSuperseded;
  }
}

int CannotStart(const absl::Status& status) {
  spdlog::critical("cannot start: {}", std::string(status.message()));
  return kCannotStart;
}

}  // namespace

std::chrono::milliseconds RestAfter(std::chrono::milliseconds work) {
  return std::clamp<std::chrono::milliseconds>(work * kRestPerWork, kTick, kLongestRest);
}

int Serve(const ServeOptions& options) {
  SetUpLog(options.log_level);
  RouteGrpcLog(GrpcSide::kServer);
  const sigset_t signals = BlockSignals();
  const auto coordinator = Coordinator::Open(options.dir, options.spec, Now());
  if (!coordinator.ok()) return CannotStart(coordinator.status());
  const absl::Status started = (*coordinator)->Start(options.listen, options.enrol_listen);
  if (!started.ok()) return CannotStart(started);
  spdlog::info("event=SERVING cluster={} port={} enrolment_port={} version={}",
               (*coordinator)->cluster(), (*coordinator)->port(), (*coordinator)->enrolment_port(),
               CONNECT_HA_VERSION);
  sd_notify(0, "READY=1");
  const int code = Loop(**coordinator, signals);
  sd_notify(0, "STOPPING=1");
  if (code == kSuperseded) {
    spdlog::critical(
        "event=SUPERSEDED text=\"another coordinator has opened this store since, or its file was "
        "replaced\" fix=\"leave one coordinator running: systemctl start connect-ha-coordinator\"");
  }
  (*coordinator)->Stop(Now());
  spdlog::info("event=STOPPED");
  return code;
}

}  // namespace connect_ha
