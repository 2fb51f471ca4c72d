// The times in which what stops Connect may be done without asking (rollout.maintenance_window):
// "Sun 02:00-04:00 UTC", "Sat,Sun 22:00-01:30 Europe/Berlin", "02:00-04:00 UTC" for every day. The
// days are those on which it opens; one that closes no later than it opens closes on the next day.
//
// Zones are those of the machine's tzdata (/usr/share/zoneinfo). Where clocks are changed, a time
// that does not exist is the next one that does, and one that comes twice opens the window at the
// first and closes it at the last; a window of which nothing is left is left out that day.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/time.h"
#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

class MaintenanceWindow {
 public:
  // InvalidArgument goes on from the key's name, as a Checker has it: "must be ... as Sun
  // 02:00-04:00 UTC, not ...".
  static absl::StatusOr<MaintenanceWindow> Parse(const std::string& text);

  // The window that `now` is in, else the next one. `opens` belongs to it, `closes` does not.
  // Unset: none in the three weeks to come, in a zone that leaves all of them out.
  std::optional<v1::Window> At(Time now) const;

 private:
  struct TimeOfDay {
    int hour = 0;
    int minute = 0;
  };

  MaintenanceWindow() = default;
  static bool ParseDays(const std::string& text, MaintenanceWindow& window);
  static bool ParseTime(const std::string& text, TimeOfDay& time);
  bool ClosesNextDay() const;

  std::string text_;
  std::array<bool, 7> days_{};  // by absl::Weekday, Monday first
  TimeOfDay opens_;
  TimeOfDay closes_;
  absl::TimeZone zone_;
};

}  // namespace connect_ha
