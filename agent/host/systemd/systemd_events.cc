#include "agent/host/systemd/systemd_events.h"

#include <poll.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "agent/host/systemd/bus_property.h"

namespace connect_ha {
namespace {

constexpr char kUnitPrefix[] = "/org/freedesktop/systemd1/unit";

int MarkChanged(sd_bus_message*, void* changed, sd_bus_error*) {
  *static_cast<bool*>(changed) = true;
  return 0;
}

// Reloading(b active): what was reloaded can be read once it is over.
int MarkReloaded(sd_bus_message* message, void* changed, sd_bus_error*) {
  int active = 1;
  if (sd_bus_message_read_basic(message, 'b', &active) >= 0 && active == 0) {
    *static_cast<bool*>(changed) = true;
  }
  return 0;
}

std::string UnitPath(const std::string& unit) {
  char* encoded = nullptr;
  if (sd_bus_path_encode(kUnitPrefix, unit.c_str(), &encoded) < 0) return "";
  std::string path = encoded;
  std::free(encoded);
  return path;
}

}  // namespace

SystemdEvents::SystemdEvents(std::vector<std::string> units, std::string address)
    : units_(std::move(units)), address_(std::move(address)) {}

absl::Status SystemdEvents::Open() {
  absl::StatusOr<BusHandle> opened = OpenBus(address_);
  if (!opened.ok()) return opened.status();
  return Use(*std::move(opened));
}

absl::Status SystemdEvents::Use(BusHandle bus) {
  bus_ = std::move(bus);
  absl::Status status = Subscribe();
  if (!status.ok()) bus_.reset();
  return status;
}

// The matches are in place before Subscribe, so that no signal falls between.
absl::Status SystemdEvents::Subscribe() {
  const char* sender = SystemdSender(bus_.get());
  int result = 0;
  for (const std::string& unit : units_) {
    if (result >= 0) {
      result = sd_bus_match_signal(bus_.get(), nullptr, sender, UnitPath(unit).c_str(),
                                   "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                   MarkChanged, &changed_);
    }
  }
  if (result >= 0) {
    result = sd_bus_match_signal(bus_.get(), nullptr, sender, kManagerPath, kManagerInterface,
                                 "UnitFilesChanged", MarkChanged, &changed_);
  }
  if (result >= 0) {
    result = sd_bus_match_signal(bus_.get(), nullptr, sender, kManagerPath, kManagerInterface,
                                 "Reloading", MarkReloaded, &changed_);
  }
  if (result >= 0) {
    result = sd_bus_call_method(bus_.get(), kSystemdName, kManagerPath, kManagerInterface,
                                "Subscribe", nullptr, nullptr, nullptr);
  }
  return result < 0 ? BusStatus(result, "subscribe to systemd's changes") : absl::OkStatus();
}

int SystemdEvents::fd() const { return bus_ == nullptr ? -1 : sd_bus_get_fd(bus_.get()); }

uint32_t SystemdEvents::Events() const {
  const int events = bus_ == nullptr ? 0 : sd_bus_get_events(bus_.get());
  uint32_t wanted = 0;
  if (events > 0 && (events & POLLIN) != 0) wanted |= EPOLLIN;
  if (events > 0 && (events & POLLOUT) != 0) wanted |= EPOLLOUT;
  return wanted;
}

std::chrono::steady_clock::time_point SystemdEvents::Deadline() const {
  uint64_t due_us = 0;  // CLOCK_MONOTONIC, which is what steady_clock is on Linux
  if (bus_ == nullptr || sd_bus_get_timeout(bus_.get(), &due_us) <= 0 || due_us == UINT64_MAX) {
    return std::chrono::steady_clock::time_point::max();
  }
  return std::chrono::steady_clock::time_point(std::chrono::microseconds(due_us));
}

bool SystemdEvents::Process() {
  if (bus_ == nullptr) return false;
  int result = 0;
  do {
    result = sd_bus_process(bus_.get(), nullptr);
  } while (result > 0);
  if (result < 0) {
    bus_.reset();
    changed_ = true;
  }
  return std::exchange(changed_, false);
}

}  // namespace connect_ha
