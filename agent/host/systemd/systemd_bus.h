// systemd over the system bus (org.freedesktop.systemd1): reads units.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "connect_ha/v1/facts.pb.h"

struct sd_bus;
struct sd_bus_message;

namespace connect_ha {

struct BusCloser {
  void operator()(sd_bus* bus) const;
};
using BusHandle = std::unique_ptr<sd_bus, BusCloser>;

// A private connection to the bus at `address`; "": systemd's own socket, or, for others than root
// and where it is not there, the system bus. A call on it takes no longer than 5 s.
absl::StatusOr<BusHandle> OpenBus(const std::string& address);

// One warm connection, opened at the first call and again after it broke. Calls may come from any
// thread and are made one at a time.
class SystemdBus {
 public:
  // `address`: of another bus than the system's, for tests.
  explicit SystemdBus(std::string address = "") : address_(std::move(address)) {}

  // NotFound: no such unit. Unavailable: systemd cannot be asked; DeadlineExceeded: it does not
  // answer.
  absl::StatusOr<v1::Unit> ReadUnit(const std::string& name);

  // A service's Environment= and EnvironmentFile=, as systemd has them.
  struct Environment {
    std::vector<std::string> assignments;  // NAME=value
    struct File {
      std::string path;
      bool optional = false;  // written with a '-': it may be missing
    };
    std::vector<File> files;
    std::vector<std::string> unit_files;  // the unit's file and its drop-ins, in effect order
    std::vector<std::string> of_systemd;  // what systemd gives every service, NAME=value
  };
  absl::StatusOr<Environment> ReadEnvironment(const std::string& name);

  // A service's main process. NotFound: it has none.
  absl::StatusOr<uint32_t> ReadMainProcess(const std::string& name);

 private:
  // The unit's object; NotFound when systemd has no such unit.
  absl::StatusOr<std::string> FindUnit(const std::string& name);
  // Runs `call`, once more on a new connection when the old one is broken.
  template <typename Result, typename Call>
  absl::StatusOr<Result> WithConnection(Call call);
  absl::StatusOr<v1::Unit> ReadUnitOnce(const std::string& name);
  absl::StatusOr<Environment> ReadEnvironmentOnce(const std::string& name);
  absl::StatusOr<uint32_t> ReadMainProcessOnce(const std::string& name);

  const std::string address_;
  std::mutex mutex_;
  BusHandle bus_;
};

}  // namespace connect_ha
