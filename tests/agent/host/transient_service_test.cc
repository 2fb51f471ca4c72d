#include "agent/host/systemd/transient_service.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

TransientService Service(std::vector<std::vector<std::string>> commands) {
  TransientService service;
  service.name = "x.service";
  service.commands = std::move(commands);
  return service;
}

TEST(TransientService, TakesWhatSystemdKeeps) {
  EXPECT_TRUE(CheckTransientService(Service({{"/bin/a", "", "b c", "~%'& \xc3\xa9"}})).ok());
  EXPECT_TRUE(CheckTransientService(Service({{"-/bin/a"}})).ok());
}

TEST(TransientService, RefusesWhatSystemdWouldChangeOrLose) {
  for (const char* argument : {"$HOME", "a\"b", "a\\b", "`a`", ";", "a\nb", "a\tb", "\x7f"}) {
    EXPECT_EQ(
        CheckTransientService(Service({{"/bin/a", argument}})),
        absl::InvalidArgumentError("cannot start service \"x.service\": an argument of /bin/a "
                                   "has a character that systemd does not keep"));
  }
  TransientService ends = Service({{"/bin/a"}});
  ends.at_end = {{"/bin/a", "$HOME"}};
  EXPECT_EQ(CheckTransientService(ends).code(), absl::StatusCode::kInvalidArgument);
  TransientService service = Service({{"/bin/a"}});
  service.environment = {"A=$B"};
  EXPECT_EQ(CheckTransientService(service).code(), absl::StatusCode::kInvalidArgument);
}

TEST(TransientService, RefusesWhatIsNoService) {
  EXPECT_EQ(CheckTransientService(Service({})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckTransientService(Service({{}})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckTransientService(Service({{"sh"}})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckTransientService(Service({{"-sh"}})).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CheckTransientService(Service({{""}})).code(), absl::StatusCode::kInvalidArgument);
  TransientService timer = Service({{"/bin/a"}});
  timer.name = "x.timer";
  EXPECT_EQ(CheckTransientService(timer).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace connect_ha
