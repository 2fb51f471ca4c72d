// A bus of its own with something on it that speaks like systemd's manager.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "agent/host/processes/spawn.h"
#include "agent/host/systemd/systemd_bus.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {

// Knows rstudio-connect.service, mnt-connect.mount and, as not found, every other unit.
class FakeSystemd {
 public:
  FakeSystemd();
  ~FakeSystemd();

  const std::string& address() const { return address_; }

  // Takes systemd off the bus, and puts it back.
  void Stop();
  void Start();
  // Ends the bus daemon itself, and starts another at the same address.
  void RestartBus();

  void SetMainProcess(uint32_t process) { main_process_ = process; }
  uint32_t main_process() const { return main_process_; }
  void SetActiveState(const std::string& state);
  // Of rstudio-connect.service; 0: none.
  void SetJob(uint32_t job) { job_ = job; }
  uint32_t job() const { return job_; }
  void EmitUnitChanged();
  void EmitReloaded();
  int subscriptions() const { return subscriptions_; }

  // For the object's callbacks.
  std::string active_state();
  void CountSubscription() { ++subscriptions_; }

 private:
  void StartBus();
  void Serve();

  TemporaryDirectory directory_;
  std::string address_;
  Child daemon_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<int> subscriptions_{0};
  std::atomic<uint32_t> main_process_{3};
  std::atomic<uint32_t> job_{0};
  std::mutex mutex_;
  std::string active_state_ = "active";
  std::atomic<int> unit_changes_{0};
  std::atomic<int> reloads_{0};
  std::atomic<bool> serving_{false};
};

}  // namespace connect_ha
