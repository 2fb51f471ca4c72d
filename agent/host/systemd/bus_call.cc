#include "agent/host/systemd/bus_call.h"

#include <systemd/sd-bus.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/systemd/bus_property.h"

namespace connect_ha {
namespace {

constexpr struct {
  const char* name;
  absl::StatusCode code;
} kErrors[] = {
    {"org.freedesktop.systemd1.NoSuchUnit", absl::StatusCode::kNotFound},
    {"org.freedesktop.systemd1.UnitExists", absl::StatusCode::kAlreadyExists},
    {"org.freedesktop.DBus.Error.FileExists", absl::StatusCode::kAlreadyExists},
    {"org.freedesktop.DBus.Error.AccessDenied", absl::StatusCode::kPermissionDenied},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
     absl::StatusCode::kPermissionDenied},
    {"org.freedesktop.DBus.Error.InvalidArgs", absl::StatusCode::kInvalidArgument},
    // Another job, or the machine going down: later it may go.
    {"org.freedesktop.systemd1.TransactionIsDestructive", absl::StatusCode::kUnavailable},
    {"org.freedesktop.systemd1.ShuttingDown", absl::StatusCode::kUnavailable},
};

absl::Status ErrorStatus(const sd_bus_error& error, int result, const std::string& what) {
  const std::string name = error.name == nullptr ? "" : error.name;
  const std::string message =
      absl::StrCat("cannot ", what, ": ", error.message == nullptr ? name : error.message);
  for (const auto& known : kErrors) {
    if (name == known.name) return {known.code, message};
  }
  if (absl::StartsWith(name, kSystemdName)) return absl::FailedPreconditionError(message);
  return BusStatus(result, what);
}

}  // namespace

void BusMessageDeleter::operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }

ManagerCall::ManagerCall(sd_bus* bus, const char* method, std::string what)
    : bus_(bus), what_(std::move(what)) {
  sd_bus_message* made = nullptr;
  Keep(sd_bus_message_new_method_call(bus, &made, kSystemdName, kManagerPath, kManagerInterface,
                                      method));
  message_.reset(made);
}

ManagerCall& ManagerCall::Keep(int result) {
  if (result_ >= 0 && result < 0) result_ = result;
  return *this;
}

absl::StatusOr<BusMessage> ManagerCall::Send() {
  if (result_ < 0) return BusStatus(result_, what_);
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message* reply = nullptr;
  const int result = sd_bus_call(bus_, message_.get(), 0, &error, &reply);
  if (result >= 0) return BusMessage(reply);
  absl::Status status = ErrorStatus(error, result, what_);
  sd_bus_error_free(&error);
  return status;
}

absl::StatusOr<std::string> ManagerCall::SendForPath() {
  const absl::StatusOr<BusMessage> reply = Send();
  if (!reply.ok()) return reply.status();
  const char* path = "";
  const int result = sd_bus_message_read_basic(reply->get(), 'o', &path);
  if (result < 0) return BusStatus(result, what_);
  return std::string(path);
}

}  // namespace connect_ha
