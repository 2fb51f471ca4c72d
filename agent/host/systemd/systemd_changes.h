// Changes of systemd's units, over its bus.
#pragma once

#include <chrono>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

// As the calls of WritableHost with these names. Each opens a connection of its own: changes are
// rare, and a signal that is waited for must not reach another call. From any thread.
class SystemdChanges {
 public:
  // `address`: see OpenBus.
  explicit SystemdChanges(std::string address = "") : address_(std::move(address)) {}

  absl::Status ReloadUnits();
  absl::Status MaskUnit(const std::string& name);
  absl::Status UnmaskUnit(const std::string& name);
  absl::Status EnableUnit(const std::string& name);
  absl::Status StartUnit(const std::string& name, std::chrono::milliseconds deadline);
  absl::Status ReloadUnit(const std::string& name, std::chrono::milliseconds deadline);
  absl::Status StopUnit(const std::string& name, std::chrono::milliseconds deadline);

  absl::Status StartService(const TransientService& service);
  absl::StatusOr<ServiceResult> ReadService(const std::string& name);
  absl::Status ClearService(const std::string& name);

 private:
  const std::string address_;
};

}  // namespace connect_ha
