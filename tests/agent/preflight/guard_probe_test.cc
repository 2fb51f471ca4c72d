#include <gtest/gtest.h>

#include "agent/probes/connect/guard.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

TEST(GuardProbe, OfANodeWithoutAGuardThereIsNothing) {
  ProbeBench bench;
  EXPECT_EQ(Text(bench.Run(ReadGuard, "guard")), "guard {\n}\n");
}

TEST(GuardProbe, ReportsWhatThePreflightLeft) {
  ProbeBench bench;
  v1::PreflightResult last;
  last.set_reason("nothing is mounted");
  bench.host->SetFile(kPreflightFile, last.SerializeAsString());
  v1::PreflightOverride given;
  given.set_reason("restored");
  given.set_by("alice");
  bench.host->SetFile(kOverrideFile, given.SerializeAsString());
  v1::PreflightResult overridden;
  *overridden.mutable_override() = given;
  bench.host->SetFile("/var/lib/connect-ha-agent/preflight-overridden",
                      overridden.SerializeAsString());
  v1::ClusterMark mark;
  mark.set_cluster("lab");
  bench.cache.mark.Put(mark);
  bench.cache.mark_fault.Put("/mnt/connect/data bears no mark");
  const v1::Facts facts = bench.Run(ReadGuard, "guard");
  EXPECT_EQ(facts.guard().last().reason(), "nothing is mounted");
  EXPECT_EQ(facts.guard().override().by(), "alice");
  EXPECT_EQ(facts.guard().overridden().override().reason(), "restored");
  EXPECT_EQ(facts.guard().mark().cluster(), "lab");
  EXPECT_EQ(facts.guard().mark_fault(), "/mnt/connect/data bears no mark");
  EXPECT_EQ(facts.unobserved_size(), 0);
}

TEST(GuardProbe, WhatCannotBeReadIsNotObserved) {
  ProbeBench bench;
  bench.host->SetFile(kPreflightFile, "");
  bench.host->SetFile(kOverrideFile, "no override");
  bench.host->SetFile("/var/lib/connect-ha-agent/preflight-overridden", "");
  bench.cache.mark.Put(absl::DeadlineExceededError("hangs"));
  const v1::Facts facts = bench.Run(ReadGuard, "guard");
  ASSERT_EQ(facts.unobserved_size(), 4);
  EXPECT_EQ(facts.unobserved(0).path(), "guard.last");
  EXPECT_EQ(facts.unobserved(1).path(), "guard.override");
  EXPECT_EQ(facts.unobserved(2).path(), "guard.overridden");
  EXPECT_EQ(facts.unobserved(3).path(), "guard.mark");
  bench.cache.mark.Put(absl::NotFoundError("none"));
  EXPECT_EQ(bench.Run(ReadGuard, "guard").unobserved_size(), 3);
}

}  // namespace
}  // namespace connect_ha
