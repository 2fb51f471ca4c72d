// Calls of systemd's manager over sd-bus, with its errors as statuses. For agent/host only.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sd_bus;
struct sd_bus_message;

namespace connect_ha {

struct BusMessageDeleter {
  void operator()(sd_bus_message* message) const;
};
using BusMessage = std::unique_ptr<sd_bus_message, BusMessageDeleter>;

// A call of a method of org.freedesktop.systemd1.Manager. Append its arguments, then send it.
//
// Appending remembers the first error, which Send returns.
class ManagerCall {
 public:
  // `what`: for messages, "mask unit x".
  ManagerCall(sd_bus* bus, const char* method, std::string what);

  sd_bus_message* message() { return message_.get(); }
  // Keeps a negative return of sd-bus.
  ManagerCall& Keep(int result);

  // NotFound: no such unit; AlreadyExists: such a unit or file; InvalidArgument: systemd does not
  // take the arguments; Unavailable: it passes by itself.
  absl::StatusOr<BusMessage> Send();
  // Send, where the reply is one object: a unit or a job.
  absl::StatusOr<std::string> SendForPath();

 private:
  sd_bus* bus_;
  const std::string what_;
  BusMessage message_;
  int result_ = 0;
};

}  // namespace connect_ha
