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

TEST(ReportLimit, WhatIsTooLargeIsLeftOutAndTheRestIsThere) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  for (int i = 0; i < 6; ++i) {
    facts.mutable_storage()->add_mounts()->set_mount_point(std::string(1024 * 1024, 'm'));
  }
  EXPECT_EQ(LimitReport(facts, kLimit).ShortDebugString(),
            "host { hostname: \"node-1\" } unobserved { path: \"storage\" reason: \"the report is "
            "too large (6.0 MiB, the limit is 4.0 MiB), most of it storage: see connect-ha-agent "
            "facts on this node\" }");
}

TEST(ReportLimit, WhereOnlyReasonsAreLeftNothingIsObserved) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  for (int i = 0; i < 6; ++i) facts.add_unobserved()->set_reason(std::string(1024 * 1024, 'r'));
  const v1::Facts limited = LimitReport(facts, kLimit);
  ASSERT_EQ(limited.unobserved_size(), 1);
  EXPECT_EQ(limited.unobserved(0).path(), "");
  EXPECT_FALSE(limited.has_host());
}

}  // namespace
}  // namespace connect_ha
