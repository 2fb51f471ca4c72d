#include "coordinator/cli/text/facts_text.h"

#include <google/protobuf/text_format.h>

#include "connect_ha/v1/facts.pb.h"
#include "coordinator/cli/text/duration.h"
#include "gtest/gtest.h"

namespace connect_ha {
namespace {

std::string Lines(const std::string& textproto) {
  v1::Facts facts;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(textproto, &facts));
  std::string text;
  for (const FactLine& line : Flatten(facts)) text += line.path + "=" + line.value + "\n";
  return text;
}

TEST(Flatten, GivesEveryKindOfValueItsWords) {
  EXPECT_EQ(Lines(R"(
                  clock { synchronized: false }
                  connect { unit { name: "u" started_at { seconds: 0 } requires_mounts_for: "/a" } }
                  configuration { mode: 384 uid: 0 }
                  license { days_left: -3 }
                  runtimes { runtimes { kind: R executable: "/opt/R" } }
                  memory { total_bytes: 8000000000 }
                  )"),
            "clock.synchronized=false\n"
            "connect.unit.name=u\n"
            "connect.unit.started_at=1970-01-01T00:00:00Z\n"
            "connect.unit.requires_mounts_for[0]=/a\n"
            "runtimes.runtimes[R./opt/R].kind=R\n"
            "runtimes.runtimes[R./opt/R].executable=/opt/R\n"
            "configuration.mode=0600\n"
            "configuration.uid=0\n"
            "license.days_left=-3\n"
            "memory.total_bytes=8000000000\n");
}

TEST(ParseDuration, TakesSumsOfUnits) {
  EXPECT_EQ(ParseDuration("90s")->count(), 90);
  EXPECT_EQ(ParseDuration("1h30m")->count(), 5400);
  EXPECT_EQ(ParseDuration("2d")->count(), 172800);
}

TEST(ParseDuration, RefusesWhatIsNone) {
  for (const char* text : {"", "0s", "5", "h", "-1h", "1y", "1h ", "99999999999999999999d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

}  // namespace
}  // namespace connect_ha
