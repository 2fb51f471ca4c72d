#include "common/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <stdlib.h>

namespace connect_ha {
namespace {

TEST(LogTest, QuotesValuesThatAreNotOneWord) {
  EXPECT_EQ(LogValue("plain-1.2/3"), "plain-1.2/3");
  EXPECT_EQ(LogValue(""), "\"\"");
  EXPECT_EQ(LogValue("two words"), "\"two words\"");
  EXPECT_EQ(LogValue("a\"b\\c"), "\"a\\\"b\\\\c\"");
  EXPECT_EQ(LogValue("caf\xc3\xa9"), "caf\xc3\xa9");
}

// No value may begin a line of its own, nor reach a terminal's controls.
TEST(LogTest, AValueStaysOnItsLine) {
  EXPECT_EQ(LogValue("a\nlevel=error\x1b[2J\x7f"), "\"a\\nlevel=error?[2J?\"");
  EXPECT_EQ(LogValue("a\xc2\x9b\xff"), "\"a??\"");
}

class LogOutputTest : public testing::Test {
 protected:
  LogOutputTest() { unsetenv("JOURNAL_STREAM"); }
  ~LogOutputTest() override { unsetenv("JOURNAL_STREAM"); }

  // What the program prints to standard error at level info.
  std::string Logged() {
    testing::internal::CaptureStderr();
    SetUpLog("info");
    spdlog::debug("event=hidden");
    spdlog::info("event=started");
    spdlog::warn("event=slow");
    spdlog::error("event=failed");
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogOutputTest, JournaldGetsPriorities) {
  setenv("JOURNAL_STREAM", "8:1", 1);
  EXPECT_EQ(Logged(), "<6>event=started\n<4>event=slow\n<3>event=failed\n");
}

TEST_F(LogOutputTest, APersonGetsTimeAndLevel) {
  EXPECT_THAT(Logged(), testing::MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3} info event=started\n"
                                              "[^ ]+ warning event=slow\n"
                                              "[^ ]+ error event=failed\n"));
}

}  // namespace
}  // namespace connect_ha
