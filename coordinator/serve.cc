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

namespace connect_ha {
namespace {

constexpr int kClean = 0;
constexpr int kCannotStart = 2;
constexpr std::chrono::milliseconds kTick{200};
// Evaluating a large cluster may take a tenth of the loop's time, no more.
constexpr int kRestPerWork = 9;

using Steady = std::chrono::steady_clock;

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

// Feeds systemd's watchdog twice as often as it asks for.
class Watchdog {
 public:
  Watchdog() {
    uint64_t interval_us = 0;
    if (sd_watchdog_enabled(0, &interval_us) > 0) {
      pace_ = std::chrono::microseconds(interval_us / 2);
    }
  }
  void Feed() {
    if (pace_.count() == 0 || Steady::now() - fed_ < pace_) return;
    fed_ = Steady::now();
    sd_notify(0, "WATCHDOG=1");
  }

 private:
  std::chrono::microseconds pace_{0};
  Steady::time_point fed_{};
};

void Reload(Coordinator& coordinator) {
  const absl::Status reloaded = coordinator.Reload(Now());
  if (reloaded.ok()) {
    spdlog::info("event=RELOADED");
  } else {
    spdlog::error("event=NOT_RELOADED text={}", LogValue(std::string(reloaded.message())));
  }
}

// Until asked to stop.
void Loop(Coordinator& coordinator, const sigset_t& signals) {
  Watchdog watchdog;
  while (true) {
    const auto begun = Steady::now();
    coordinator.Tick(Now());
    watchdog.Feed();
    const auto worked =
        std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun);
    const int signal = NextSignal(signals, std::max(kTick, worked * kRestPerWork));
    if (signal == SIGHUP) Reload(coordinator);
    if (signal == SIGTERM || signal == SIGINT) return;
  }
}

int CannotStart(const absl::Status& status) {
  spdlog::critical("cannot start: {}", std::string(status.message()));
  return kCannotStart;
}

}  // namespace

int Serve(const ServeOptions& options) {
  SetUpLog(options.log_level);
  RouteGrpcLog(GrpcSide::kServer);
  const sigset_t signals = BlockSignals();
  const auto coordinator = Coordinator::Open(options.dir, options.spec, Now());
  if (!coordinator.ok()) return CannotStart(coordinator.status());
  const absl::Status started = (*coordinator)->Start(options.listen);
  if (!started.ok()) return CannotStart(started);
  spdlog::info("event=SERVING cluster={} port={} version={}", (*coordinator)->cluster(),
               (*coordinator)->port(), CONNECT_HA_VERSION);
  sd_notify(0, "READY=1");
  Loop(**coordinator, signals);
  sd_notify(0, "STOPPING=1");
  (*coordinator)->Stop(Now());
  spdlog::info("event=STOPPED");
  return kClean;
}

}  // namespace connect_ha
