// Has the gate look: at once when the kernel or systemd tells that something changed, when a probe
// came back, and every few seconds while users may come. On a thread of its own, with its own
// events: the agent's loop waits for a coordinator for as long as a call may take.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "agent/gate/gate.h"
#include "agent/host/watcher.h"

namespace connect_ha {

struct GateKeeperOptions {
  std::string connect_unit;
  // How often Connect is asked whether it answers.
  std::chrono::milliseconds pace{5'000};
  // Of the looks that nothing but a probe's end asks for.
  std::chrono::milliseconds least_gap{200};
  std::string bus_address;  // "": the system bus
  bool with_bus = true;
};

class GateKeeper {
 public:
  explicit GateKeeper(GateKeeperOptions options);
  ~GateKeeper();

  // Until Stop. `gather` has the probes run that these (of Trigger) name. An error: events are not
  // heard, and it goes by its pace alone.
  absl::Status Start(Gate& gate, std::function<void(uint32_t triggers)> gather);
  void Stop();
  // Something was gathered, or the node is told something else. From any thread, at any time.
  void Wake();

 private:
  void Run(Gate& gate);

  const GateKeeperOptions options_;
  std::function<void(uint32_t triggers)> gather_;
  Watcher watcher_;
  const absl::Status opened_;  // so early that whoever wakes it finds it open
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace connect_ha
