#include "agent/loop/report_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace connect_ha {
namespace {

constexpr size_t kLimit = 4 * 1024 * 1024;

TEST(ReportLimit, LeavesAReportThatIsNotTooLarge) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  EXPECT_EQ(LimitReport(facts, kLimit).host().hostname(), "node-1");
}

TEST(ReportLimit, AReportThatIsTooLargeSaysSoInstead) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  for (int i = 0; i < 6; ++i) {
    facts.mutable_storage()->add_mounts()->set_mount_point(std::string(1024 * 1024, 'm'));
  }
  EXPECT_EQ(LimitReport(facts, kLimit).ShortDebugString(),
            "unobserved { reason: \"the report is too large (6.0 MiB, the limit is 4.0 "
            "MiB), most of it storage: see connect-ha-agent facts on this node\" }");
}

}  // namespace
}  // namespace connect_ha
