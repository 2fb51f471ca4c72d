#include "agent/facts_digest.h"

#include <gtest/gtest.h>

namespace connect_ha {
namespace {

v1::Facts SomeFacts() {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1");
  facts.mutable_memory()->set_total_bytes(1000);
  v1::Runtime& runtime = *facts.mutable_runtimes()->add_runtimes();
  runtime.set_executable("/opt/R/4.3.3/bin/R");
  runtime.mutable_smoke()->set_passed(true);
  return facts;
}

TEST(FactsDigest, IsTheSameForTheSameFacts) {
  EXPECT_EQ(FactsDigest(SomeFacts()), FactsDigest(SomeFacts()));
  EXPECT_EQ(FactsDigest(SomeFacts()).size(), 64u);
}

TEST(FactsDigest, LeavesVolatileValuesOutAtAnyDepth) {
  v1::Facts facts = SomeFacts();
  facts.mutable_memory()->set_available_bytes(5);
  facts.mutable_runtimes()->mutable_runtimes(0)->mutable_smoke()->set_duration_us(7);
  facts.add_runs()->set_duration_us(9);
  EXPECT_EQ(FactsDigest(facts), FactsDigest(SomeFacts()));
}

TEST(FactsDigest, ChangesWithAnyOtherValue) {
  v1::Facts facts = SomeFacts();
  facts.mutable_runtimes()->mutable_runtimes(0)->mutable_smoke()->set_passed(false);
  EXPECT_NE(FactsDigest(facts), FactsDigest(SomeFacts()));
}

TEST(FactsDigest, TellsAbsentFromUnobserved) {
  v1::Facts facts = SomeFacts();
  facts.add_unobserved()->set_path("license");
  EXPECT_NE(FactsDigest(facts), FactsDigest(SomeFacts()));
}

TEST(FactsDigest, LeavesTheFactsAsTheyAre) {
  v1::Facts facts = SomeFacts();
  facts.mutable_memory()->set_available_bytes(5);
  FactsDigest(facts);
  EXPECT_EQ(facts.memory().available_bytes(), 5u);
}

}  // namespace
}  // namespace connect_ha
