#include "common/maintenance_window.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "common/file.h"
#include "common/nearest.h"
#include "common/text/printable.h"

namespace connect_ha {
namespace {

constexpr const char* kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr char kZones[] = "/usr/share/zoneinfo/zone.tab";
// One week and its neighbours, and one more where a window is left out.
constexpr int kDaysBefore = 2;
constexpr int kDaysAfter = 21;

absl::Status Invalid(const std::string& why) { return absl::InvalidArgumentError(why); }

// What tzdata names a zone by, and nothing that leads out of its folder; the machine's own zone has
// no name that says which it is.
bool IsZoneName(const std::string& name) {
  const auto is_of_name = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '_' || c == '-' ||
           c == '+';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name != "localtime" &&
         std::all_of(name.begin(), name.end(), is_of_name);
}

// Of the zones that have a country; none where this machine has no tzdata.
std::vector<std::string> ZoneNames() {
  std::vector<std::string> names = {"UTC"};
  const absl::StatusOr<std::string> table = ReadSmallFile(kZones);
  if (!table.ok()) return names;
  for (const absl::string_view line : absl::StrSplit(*table, '\n')) {
    if (absl::StartsWith(line, "#")) continue;
    const std::vector<absl::string_view> columns = absl::StrSplit(line, '\t');
    if (columns.size() >= 3) names.push_back(std::string(columns[2]));
  }
  return names;
}

absl::Status UnknownZone(const std::string& name) {
  const std::string nearest = Nearest(name, ZoneNames());
  const std::string hint =
      nearest.empty()
          ? std::string("to see them: timedatectl list-timezones; they are of the package tzdata")
          : absl::StrCat("did you mean \"", nearest, "\"?");
  return Invalid(absl::StrCat("names the time zone \"", Printable(name),
                              "\", which is not known here; ", hint));
}

// A time that does not exist is the moment after the gap.
absl::Time Opens(const absl::TimeZone& zone, const absl::CivilSecond& at) {
  const absl::TimeZone::TimeInfo info = zone.At(at);
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

absl::Time Closes(const absl::TimeZone& zone, const absl::CivilSecond& at) {
  const absl::TimeZone::TimeInfo info = zone.At(at);
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.post;
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  return ToProto(Time(std::chrono::microseconds(absl::ToUnixMicros(time))));
}

}  // namespace

bool MaintenanceWindow::ParseDays(const std::string& text, MaintenanceWindow& window) {
  for (const absl::string_view name : absl::StrSplit(text, ',')) {
    const auto* const day = std::find(std::begin(kDays), std::end(kDays), name);
    if (day == std::end(kDays)) return false;
    window.days_[static_cast<size_t>(day - std::begin(kDays))] = true;
  }
  return true;
}

bool MaintenanceWindow::ParseTime(const std::string& text, TimeOfDay& time) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) ||
      !is_digit(text[3]) || !is_digit(text[4])) {
    return false;
  }
  time.hour = (text[0] - '0') * 10 + (text[1] - '0');
  time.minute = (text[3] - '0') * 10 + (text[4] - '0');
  return time.hour < 24 && time.minute < 60;
}

bool MaintenanceWindow::ClosesNextDay() const {
  return closes_.hour * 60 + closes_.minute <= opens_.hour * 60 + opens_.minute;
}

absl::StatusOr<MaintenanceWindow> MaintenanceWindow::Parse(const std::string& text) {
  const auto malformed = [&text] {
    return Invalid(absl::StrCat(
        "must be days, times and a time zone as Sun 02:00-04:00 UTC or Sat,Sun 22:00-01:30 "
        "Europe/Berlin, or without days for every day, not \"",
        Printable(text), "\""));
  };
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  MaintenanceWindow window;
  window.text_ = text;
  if (words.size() == 2) {
    window.days_.fill(true);
  } else if (words.size() != 3 || !ParseDays(words.front(), window)) {
    return malformed();
  }
  const std::vector<std::string> times = absl::StrSplit(words[words.size() - 2], '-');
  if (times.size() != 2 || !ParseTime(times[0], window.opens_) ||
      !ParseTime(times[1], window.closes_)) {
    return malformed();
  }
  if (times[0] == times[1]) {
    return Invalid(absl::StrCat("opens and closes at ", times[0],
                                "; for a day without a minute write 00:00-23:59"));
  }
  const std::string& zone = words.back();
  if (!IsZoneName(zone) || !absl::LoadTimeZone(zone, &window.zone_)) return UnknownZone(zone);
  return window;
}

std::optional<v1::Window> MaintenanceWindow::At(Time now) const {
  const absl::Time at = absl::FromUnixMicros(now.time_since_epoch().count());
  const absl::CivilDay today = absl::ToCivilDay(at, zone_);
  for (int ahead = -kDaysBefore; ahead <= kDaysAfter; ++ahead) {
    const absl::CivilDay day = today + ahead;
    if (!days_[static_cast<size_t>(absl::GetWeekday(day))]) continue;
    const absl::CivilDay last = day + (ClosesNextDay() ? 1 : 0);
    const absl::Time opens = Opens(
        zone_, absl::CivilSecond(day.year(), day.month(), day.day(), opens_.hour, opens_.minute));
    const absl::Time closes = Closes(zone_, absl::CivilSecond(last.year(), last.month(), last.day(),
                                                              closes_.hour, closes_.minute));
    if (closes <= at || closes <= opens) continue;
    v1::Window window;
    *window.mutable_opens() = ToTimestamp(opens);
    *window.mutable_closes() = ToTimestamp(closes);
    window.set_text(text_);
    return window;
  }
  return std::nullopt;
}

}  // namespace connect_ha
