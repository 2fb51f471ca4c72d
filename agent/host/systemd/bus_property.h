// Properties of systemd's objects, read one by one over sd-bus. For agent/host only.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

struct sd_bus;
struct sd_bus_message;

namespace connect_ha {

inline constexpr char kSystemdName[] = "org.freedesktop.systemd1";
inline constexpr char kManagerPath[] = "/org/freedesktop/systemd1";
inline constexpr char kManagerInterface[] = "org.freedesktop.systemd1.Manager";
inline constexpr char kUnitInterface[] = "org.freedesktop.systemd1.Unit";

// Whom to expect signals of systemd's from: null on systemd's own socket, where messages have no
// sender, since no bus daemon is between.
const char* SystemdSender(sd_bus* bus);

// A negative return of sd-bus as a status: "cannot ask systemd for ...: reason".
absl::Status BusStatus(int error, const std::string& what);

// Reads properties of one object and remembers the first error, so that a caller may read many
// and look once.
class BusObject {
 public:
  BusObject(sd_bus* bus, std::string path) : bus_(bus), path_(std::move(path)) {}

  std::string Text(const char* interface, const char* name);
  uint64_t Number64(const char* interface, const char* name);
  uint32_t Number32(const char* interface, const char* name);
  int32_t Signed32(const char* interface, const char* name);
  bool Flag(const char* interface, const char* name);
  std::vector<std::string> Texts(const char* interface, const char* name);
  // (uo), Job: whether the unit has one, queued or under way.
  bool HasJob();
  // a(sasbttttuii), ExecStartPre= and its like: the argument lists of those that must not fail.
  std::vector<std::vector<std::string>> Commands(const char* interface, const char* name);
  // a(sb), EnvironmentFile=.
  std::vector<std::pair<std::string, bool>> Flagged(const char* interface, const char* name);

  const absl::Status& status() const { return status_; }

 private:
  // The property's value, opened for reading at its contents; null after an error.
  sd_bus_message* Get(const char* interface, const char* name, const char* type);
  void Keep(int error, const char* name);

  sd_bus* bus_;
  std::string path_;
  absl::Status status_;
};

}  // namespace connect_ha
