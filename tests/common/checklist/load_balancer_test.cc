// The load balancer of a cluster of several nodes, by many requests.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/rules/rules.h"
#include "common/time.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

using std::chrono::minutes;

constexpr char kUrl[] = "https://connect.example.com";
constexpr int kRequestsInARound = 7;  // without cookies

v1::Snapshot ClusterOf(int nodes) {
  v1::Snapshot cluster = BaseCluster();
  while (cluster.nodes_size() < nodes) {
    v1::NodeSnapshot node = cluster.nodes(0);
    node.set_name(absl::StrCat("node-", cluster.nodes_size() + 1));
    node.mutable_facts()->mutable_host()->set_hostname(node.name());
    *cluster.add_nodes() = node;
  }
  cluster.mutable_spec()->mutable_load_balancer()->set_url(kUrl);
  cluster.mutable_balancer()->set_url(kUrl);
  return cluster;
}

// A round a minute, the oldest so long ago, the newest now; to the first `reached` nodes by turns.
void Ask(int rounds, int reached, minutes oldest, v1::Snapshot& cluster) {
  int turn = 0;
  for (int round = 0; round < rounds; ++round) {
    const Time at = FromProto(cluster.taken_at()) - oldest + minutes(round);
    for (int i = 0; i < kRequestsInARound; ++i) {
      v1::BalancerLook::Request& request = *cluster.mutable_balancer()->add_requests();
      *request.mutable_at() = ToProto(at);
      request.set_node(absl::StrCat("node-", 1 + turn++ % reached));
    }
  }
}

v1::Outcome OutcomeOn(const v1::Finding& finding, const std::string& node) {
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.node() == node) return evidence.outcome();
  }
  return v1::OUTCOME_UNSPECIFIED;
}

TEST(LoadBalancerReachesNodesTest, TheMoreNodesServeTheLongerItTakesToMissOne) {
  v1::Snapshot cluster = ClusterOf(8);
  Ask(17, 7, minutes(16), cluster);  // 119 requests, where it takes 120
  EXPECT_EQ(OutcomeOn(LoadBalancerReachesNodes(cluster), "node-8"), v1::UNKNOWN);
  cluster.mutable_balancer()->clear_requests();
  Ask(18, 7, minutes(17), cluster);
  const v1::Finding finding = LoadBalancerReachesNodes(cluster);
  EXPECT_EQ(OutcomeOn(finding, "node-8"), v1::FAIL);
  EXPECT_EQ(OutcomeOn(finding, "node-7"), v1::PASS);
}

// Connect says its host's name, with or without a domain, whatever the node is called here.
TEST(LoadBalancerReachesNodesTest, ANodeIsKnownByItsHostsName) {
  v1::Snapshot cluster = ClusterOf(2);
  Ask(10, 2, minutes(9), cluster);
  for (int i = 0; i < 2; ++i) {
    cluster.mutable_nodes(i)->mutable_facts()->mutable_host()->set_hostname(
        absl::StrCat("ip-10-0-0-", i));
  }
  int turn = 0;
  for (v1::BalancerLook::Request& request : *cluster.mutable_balancer()->mutable_requests()) {
    request.set_node(absl::StrCat("ip-10-0-0-", turn++ % 2, ".ec2.internal"));
  }
  EXPECT_EQ(LoadBalancerReachesNodes(cluster).outcome(), v1::PASS);
}

TEST(LoadBalancerReachesNodesTest, WhatAnsweredAtAnotherAddressSaysNothing) {
  v1::Snapshot cluster = ClusterOf(2);
  Ask(10, 2, minutes(9), cluster);
  EXPECT_EQ(LoadBalancerReachesNodes(cluster).outcome(), v1::PASS);
  cluster.mutable_balancer()->set_url("https://before.example.com");
  EXPECT_EQ(LoadBalancerReachesNodes(cluster).outcome(), v1::UNKNOWN);
  for (v1::BalancerLook::Request& request : *cluster.mutable_balancer()->mutable_requests()) {
    request.clear_node();
    request.set_error("it answers 503");
    *request.mutable_at() = cluster.taken_at();
  }
  EXPECT_EQ(LoadBalancerReachesNodes(cluster).outcome(), v1::UNKNOWN);
  cluster.mutable_balancer()->set_url(kUrl);
  EXPECT_EQ(LoadBalancerReachesNodes(cluster).outcome(), v1::FAIL);
}

TEST(LoadBalancerReachesNodesTest, WhatNothingAnswersToIsSaidAsItIsNow) {
  v1::Snapshot cluster = ClusterOf(2);
  for (const char* error : {"no answer in 3000 ms", "connection refused"}) {
    v1::BalancerLook::Request& request = *cluster.mutable_balancer()->add_requests();
    *request.mutable_at() = cluster.taken_at();
    request.set_error(error);
    EXPECT_TRUE(absl::StrContains(LoadBalancerReachesNodes(cluster).summary(), error));
  }
}

TEST(LoadBalancerReachesNodesTest, WhatWasReachedLongAgoIsReachedNoMore) {
  v1::Snapshot cluster = ClusterOf(2);
  Ask(10, 2, minutes(30), cluster);
  EXPECT_EQ(OutcomeOn(LoadBalancerReachesNodes(cluster), "node-2"), v1::PASS);
  Ask(10, 1, minutes(9), cluster);
  EXPECT_EQ(OutcomeOn(LoadBalancerReachesNodes(cluster), "node-2"), v1::FAIL);
}

TEST(LoadBalancerIsStickyTest, SessionsOfLongAgoSayNothing) {
  v1::Snapshot cluster = ClusterOf(2);
  Ask(10, 2, minutes(9), cluster);
  const auto session = [&cluster](uint64_t number, const char* first, const char* second,
                                  minutes ago) {
    for (const char* node : {first, second}) {
      v1::BalancerLook::Request& request = *cluster.mutable_balancer()->add_requests();
      *request.mutable_at() = ToProto(FromProto(cluster.taken_at()) - ago);
      request.set_session(number);
      request.set_node(node);
    }
  };
  for (uint64_t number = 1; number <= 5; ++number) session(number, "node-1", "node-2", minutes(20));
  for (uint64_t number = 6; number <= 8; ++number) session(number, "node-1", "node-1", minutes(5));
  EXPECT_EQ(LoadBalancerIsSticky(cluster).outcome(), v1::PASS);
  for (uint64_t number = 9; number <= 12; ++number) session(number, "node-1", "node-2", minutes(1));
  EXPECT_EQ(LoadBalancerIsSticky(cluster).outcome(), v1::FAIL);
}

}  // namespace
}  // namespace connect_ha::test
