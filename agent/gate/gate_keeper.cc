#include "agent/gate/gate_keeper.h"

#include <algorithm>
#include <utility>

#include "agent/probes/probe.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

WatcherOptions Events(const GateKeeperOptions& options) {
  WatcherOptions events;
  events.mount_triggers = kOnMounts;
  events.units = {options.connect_unit};
  events.unit_triggers = kOnUnits;
  events.bus_address = options.bus_address;
  events.with_bus = options.with_bus;
  events.with_signals = false;  // they are the loop's
  return events;
}

}  // namespace

GateKeeper::GateKeeper(GateKeeperOptions options)
    : options_(std::move(options)), watcher_(Events(options_)), opened_(watcher_.Open()) {}

GateKeeper::~GateKeeper() { Stop(); }

absl::Status GateKeeper::Start(Gate& gate, std::function<void(uint32_t)> gather) {
  gather_ = std::move(gather);
  thread_ = std::thread([this, &gate] { Run(gate); });
  return opened_;
}

void GateKeeper::Stop() {
  stop_ = true;
  watcher_.Wake();
  if (thread_.joinable()) thread_.join();
}

void GateKeeper::Wake() { watcher_.Wake(); }

void GateKeeper::Run(Gate& gate) {
  gate.Look();
  auto looked = steady_clock::now();
  auto next_ask = looked;
  while (!stop_) {
    const auto now = steady_clock::now();
    if (now >= next_ask) {
      if (gate.ConnectRuns()) gather_(kOnGate);
      next_ask = now + options_.pace;
    }
    const auto until_ask = std::chrono::ceil<milliseconds>(next_ask - now);
    const Wakeup wakeup = watcher_.Wait(std::max(until_ask, milliseconds(1)));
    if (stop_) return;
    if (wakeup.triggers != 0) {
      gather_(wakeup.triggers);
    } else if (steady_clock::now() - looked < options_.least_gap) {
      std::this_thread::sleep_for(options_.least_gap - (steady_clock::now() - looked));
    }
    gate.Look();
    looked = steady_clock::now();
  }
}

}  // namespace connect_ha
