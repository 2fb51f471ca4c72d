#include "common/maintenance_window.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

// "2026-03-29T01:30:00Z"
Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return Time(std::chrono::microseconds(absl::ToUnixMicros(time)));
}

// "2026-03-29T01:30:00Z to 2026-03-29T03:00:00Z"
std::string Next(const std::string& window, const std::string& now) {
  const auto parsed = MaintenanceWindow::Parse(window);
  if (!parsed.ok()) return std::string(parsed.status().message());
  const auto next = parsed->At(At(now));
  if (!next) return "none";
  EXPECT_EQ(next->text(), window);
  return absl::StrCat(FormatUtc(FromProto(next->opens())), " to ",
                      FormatUtc(FromProto(next->closes())));
}

std::string WhyNot(const std::string& window) {
  const auto parsed = MaintenanceWindow::Parse(window);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

TEST(MaintenanceWindow, IsTheOneThatIsOpenElseTheNext) {
  const std::string window = "Sun 02:00-04:00 UTC";
  const std::string first = "2026-11-29T02:00:00Z to 2026-11-29T04:00:00Z";
  EXPECT_EQ(Next(window, "2026-11-28T12:00:00Z"), first);  // a Saturday
  EXPECT_EQ(Next(window, "2026-11-29T02:00:00Z"), first);
  EXPECT_EQ(Next(window, "2026-11-29T03:59:59Z"), first);
  EXPECT_EQ(Next(window, "2026-11-29T04:00:00Z"), "2026-12-06T02:00:00Z to 2026-12-06T04:00:00Z");
}

TEST(MaintenanceWindow, WithoutDaysIsEveryDays) {
  EXPECT_EQ(Next("02:00-04:00 UTC", "2026-11-30T05:00:00Z"),
            "2026-12-01T02:00:00Z to 2026-12-01T04:00:00Z");
}

TEST(MaintenanceWindow, OverMidnightBelongsToTheDayOnWhichItOpens) {
  const std::string window = "Sat,Sun 22:00-01:30 Europe/Berlin";
  // Sunday's, on Monday at 01:00 of its zone.
  EXPECT_EQ(Next(window, "2026-11-30T00:00:00Z"), "2026-11-29T21:00:00Z to 2026-11-30T00:30:00Z");
  EXPECT_EQ(Next(window, "2026-11-30T00:30:00Z"), "2026-12-05T21:00:00Z to 2026-12-06T00:30:00Z");
  // On Saturday at 01:00 no window of Friday's is open.
  EXPECT_EQ(Next(window, "2026-12-05T00:00:00Z"), "2026-12-05T21:00:00Z to 2026-12-06T00:30:00Z");
}

TEST(MaintenanceWindow, TheDayIsTheZonesAndNotUtcs) {
  EXPECT_EQ(Next("Mon 01:00-02:00 Asia/Tokyo", "2026-11-29T12:00:00Z"),
            "2026-11-29T16:00:00Z to 2026-11-29T17:00:00Z");
  EXPECT_EQ(Next("Sun 23:00-23:30 America/Los_Angeles", "2026-11-30T06:00:00Z"),
            "2026-11-30T07:00:00Z to 2026-11-30T07:30:00Z");
}

TEST(MaintenanceWindow, FollowsSummerTime) {
  EXPECT_EQ(Next("Sun 05:00-06:00 Europe/Berlin", "2026-07-04T12:00:00Z"),
            "2026-07-05T03:00:00Z to 2026-07-05T04:00:00Z");
  EXPECT_EQ(Next("Sun 05:00-06:00 Europe/Berlin", "2026-12-05T12:00:00Z"),
            "2026-12-06T04:00:00Z to 2026-12-06T05:00:00Z");
}

// In Berlin it is 03:00 after 01:59:59 on 2026-03-29.
TEST(MaintenanceWindow, ATimeThatDoesNotExistIsTheNextThatDoes) {
  const std::string before = "2026-03-28T12:00:00Z";
  EXPECT_EQ(Next("Sun 02:30-04:00 Europe/Berlin", before),
            "2026-03-29T01:00:00Z to 2026-03-29T02:00:00Z");
  EXPECT_EQ(Next("Sun 01:00-02:30 Europe/Berlin", before),
            "2026-03-29T00:00:00Z to 2026-03-29T01:00:00Z");
  // Nothing is left of it that day.
  EXPECT_EQ(Next("Sun 02:15-02:45 Europe/Berlin", before),
            "2026-04-05T00:15:00Z to 2026-04-05T00:45:00Z");
}

// In Berlin it is 02:00 again after 02:59:59 on 2026-10-25.
TEST(MaintenanceWindow, WhatComesTwiceOpensAtTheFirstAndClosesAtTheLast) {
  const std::string before = "2026-10-24T12:00:00Z";
  EXPECT_EQ(Next("Sun 02:30-04:00 Europe/Berlin", before),
            "2026-10-25T00:30:00Z to 2026-10-25T03:00:00Z");
  EXPECT_EQ(Next("Sun 01:00-02:30 Europe/Berlin", before),
            "2026-10-24T23:00:00Z to 2026-10-25T01:30:00Z");
  EXPECT_EQ(Next("Sun 02:15-02:45 Europe/Berlin", before),
            "2026-10-25T00:15:00Z to 2026-10-25T01:45:00Z");
  // It stays the same one between the two.
  EXPECT_EQ(Next("Sun 02:15-02:45 Europe/Berlin", "2026-10-25T01:00:00Z"),
            "2026-10-25T00:15:00Z to 2026-10-25T01:45:00Z");
}

// Samoa left 2011-12-30 out.
TEST(MaintenanceWindow, ADayThatDoesNotExistHasNone) {
  EXPECT_EQ(Next("Fri 10:00-11:00 Pacific/Apia", "2011-12-29T12:00:00Z"),
            "2012-01-05T20:00:00Z to 2012-01-05T21:00:00Z");
}

TEST(MaintenanceWindow, WhatIsNoneSaysHowOneIsWritten) {
  for (const char* text :
       {"", "Sun", "Sunday 02:00-04:00 UTC", "Sun, Mon 02:00-04:00 UTC", "Sun,,Mon 02:00-04:00 UTC",
        "sun 02:00-04:00 UTC", "Mon-Fri 02:00-04:00 UTC", "Sun 2:00-4:00 UTC",
        "Sun 02:00-24:00 UTC", "Sun 02:00-04:60 UTC", "Sun 02:00 UTC", "Sun 02:00-04:00-05:00 UTC",
        "Sun  02:00-04:00 UTC", " Sun 02:00-04:00 UTC", "02:00-04:00", "Sun +2:00-04:00 UTC",
        "Sun 02:00-04:00 Europe/Berlin x"}) {
    EXPECT_TRUE(absl::StrContains(WhyNot(text),
                                  "must be days, times and a time zone as Sun "
                                  "02:00-04:00 UTC"))
        << text << ": " << WhyNot(text);
  }
  EXPECT_EQ(WhyNot("Sun 02:00-02:00 UTC"),
            "opens and closes at 02:00; for a day without a minute write 00:00-23:59");
}

TEST(MaintenanceWindow, AZoneThatIsNotKnownSaysWhichIsNear) {
  EXPECT_EQ(WhyNot("Sun 02:00-04:00 Europe/Berln"),
            "names the time zone \"Europe/Berln\", which is not known here; did you mean "
            "\"Europe/Berlin\"?");
  EXPECT_EQ(WhyNot("Sun 02:00-04:00 Nowhere/AtAll"),
            "names the time zone \"Nowhere/AtAll\", which is not known here; to see them: "
            "timedatectl list-timezones; they are of the package tzdata");
  // Files of this machine are no zones, and its own has no name that says which it is.
  for (const char* zone :
       {"/etc/localtime", "../../../etc/localtime", "localtime", "Europe/../UTC", "UTC\n"}) {
    EXPECT_TRUE(absl::StrContains(WhyNot(absl::StrCat("Sun 02:00-04:00 ", zone)), "is not known"))
        << zone;
  }
}

}  // namespace
}  // namespace connect_ha
