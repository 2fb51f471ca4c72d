// Tells when systemd's view of some units changed.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/host/systemd/systemd_bus.h"

namespace connect_ha {

// For one thread. Has its own connection, so that signals never wait behind a call.
class SystemdEvents {
 public:
  // `units`: whose PropertiesChanged count. `address`: see OpenBus.
  explicit SystemdEvents(std::vector<std::string> units, std::string address = "");

  // Connects and subscribes.
  absl::Status Open();
  // The same on a connection that is there.
  absl::Status Use(BusHandle bus);
  bool open() const { return bus_ != nullptr; }

  // To wait on, for the epoll events that Events() names; -1 while closed.
  int fd() const;
  uint32_t Events() const;
  // When Process must be called even if nothing is readable; max() for never.
  std::chrono::steady_clock::time_point Deadline() const;

  // Takes in what has arrived. True when a unit changed, unit files changed or systemd reloaded.
  // After the connection broke: true once, and closed.
  bool Process();

 private:
  absl::Status Subscribe();

  const std::vector<std::string> units_;
  const std::string address_;
  BusHandle bus_;
  bool changed_ = false;
};

}  // namespace connect_ha
