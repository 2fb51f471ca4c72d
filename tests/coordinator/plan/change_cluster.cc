#include "tests/coordinator/plan/change_cluster.h"

#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

constexpr int kMostSteps = 400;
constexpr std::chrono::seconds kStepTakes{10};

}  // namespace

PlanCluster ToBeRestarted(int nodes) {
  PlanCluster cluster(nodes);
  cluster.makes_changes = true;
  ProposeNext(cluster, kNext, kConfigFile, v1::Change::RESTART);
  return cluster;
}

PlanCluster ToBeUpgraded(int nodes) {
  PlanCluster cluster(nodes);
  cluster.makes_changes = true;
  cluster.input.mutable_spec()->mutable_connect()->set_version(kOldVersion);
  for (int i = 0; i < nodes; ++i) cluster.node(i).set_jobs(0);
  ProposeVersionNext(cluster, kNext, kNewVersion);
  return cluster;
}

PlanCluster Approved(int nodes) {
  PlanCluster cluster = ToBeUpgraded(nodes);
  ApproveIt(cluster);
  return cluster;
}

void ProposeNext(PlanCluster& cluster, uint64_t generation, const std::string& resource,
                 v1::Change::Needs needs) {
  for (int i = 0; i < cluster.input.nodes_size(); ++i) cluster.node(i).clear_staged();
  Propose(cluster).set_generation(generation);
  for (int i = 0; i < cluster.input.nodes_size(); ++i) {
    cluster.node(i).mutable_staged()->set_generation(generation);
    WouldChange(cluster, i, resource, needs);
  }
}

void ProposeVersionNext(PlanCluster& cluster, uint64_t generation, const std::string& version) {
  ProposeNext(cluster, generation, "package rstudio-connect", v1::Change::TOGETHER);
  cluster.input.mutable_next()->mutable_spec()->mutable_connect()->set_version(version);
}

v1::Word& ApproveIt(PlanCluster& cluster, uint64_t generation) {
  v1::Word& word = cluster.Say(v1::Word::APPROVE, "");
  word.set_generation(generation);
  return word;
}

v1::Word& AbortIt(PlanCluster& cluster, uint64_t generation) {
  v1::Word& word = cluster.Say(v1::Word::ABORT, "");
  word.set_generation(generation);
  return word;
}

PlanCluster FirstStarts(int nodes) {
  PlanCluster cluster = Approved(nodes);
  GoTo(cluster, v1::RolloutStatus::FIRST);
  EXPECT_TRUE(GoUntil(cluster, 0, v1::SERVING).assignments(0).closed());
  return cluster;
}

PlanCluster FirstMigrates(int nodes) {
  PlanCluster cluster = FirstStarts(nodes);
  cluster.node(0).mutable_brief()->mutable_facts()->set_answers(false);
  return cluster;
}

void Answer(PlanCluster& cluster, int i) {
  cluster.node(i).mutable_brief()->mutable_facts()->set_answers(true);
}

v1::Decision GoTo(PlanCluster& cluster, v1::RolloutStatus::Phase phase) {
  v1::Decision decision;
  for (int i = 0; i < kMostSteps; ++i) {
    decision = cluster.Step();
    if (decision.rollout().phase() == phase) return decision;
    cluster.Wait(kStepTakes);
  }
  ADD_FAILURE() << "it does not come to " << v1::RolloutStatus::Phase_Name(phase) << ": "
                << TextsOf(decision) << decision.rollout().DebugString();
  return decision;
}

v1::Decision GoOn(PlanCluster& cluster, std::chrono::seconds span) {
  v1::Decision decision = cluster.Step();
  for (auto gone = kStepTakes; gone <= span; gone += kStepTakes) {
    cluster.Wait(kStepTakes);
    decision = cluster.Step();
  }
  return decision;
}

v1::Decision GoUntil(PlanCluster& cluster, int i, v1::NodeState state) {
  v1::Decision decision;
  for (int step = 0; step < kMostSteps; ++step) {
    decision = cluster.Step();
    if (decision.assignments(i).state() == state) return decision;
    cluster.Wait(kStepTakes);
  }
  ADD_FAILURE() << "it does not become " << v1::NodeState_Name(state) << ": " << TextsOf(decision);
  return decision;
}

std::string StatesOf(const v1::Decision& decision) {
  return absl::StrJoin(
      decision.assignments(), ", ", [](std::string* out, const v1::NodeAssignment& one) {
        out->append(one.closed() ? "closed"
                                 : absl::AsciiStrToLower(v1::NodeState_Name(one.state())));
      });
}

void FailToStart(PlanCluster& cluster, int i, const std::string& why) {
  v1::PlanNode& node = cluster.node(i);
  node.set_start_failed(why);
  node.set_connect(v1::CONNECT_RESTS);
  node.clear_running_version();
  node.mutable_brief()->mutable_facts()->set_answers(false);
}

std::string FixesOf(const v1::Decision& decision) {
  return absl::StrJoin(decision.rollout().fixes(), "\n");
}

}  // namespace connect_ha
