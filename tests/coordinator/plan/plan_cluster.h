// A cluster as the plan sees it: every node as it should be, until a test says otherwise. Its nodes
// do as they are told at once: they take a generation that is put into force with what they said
// that they would change for it, close and open.
#pragma once

#include <chrono>
#include <string>

#include "connect_ha/v1/plan.pb.h"

namespace connect_ha {

constexpr uint64_t kGeneration = 7;
constexpr uint64_t kEpoch = 100;
constexpr char kService[] = "service-is-healthy";

class PlanCluster {
 public:
  // node-1, node-2, ... : all of them serve, and have for a long time.
  explicit PlanCluster(int nodes);

  v1::PlanNode& node(int i) { return *input.mutable_nodes(i); }
  v1::NodeMemory& memory(int i) { return *input.mutable_memory()->mutable_nodes(i); }

  // As it is once it has done what this state asks for; the plan has told it so.
  void Become(int i, v1::NodeState state);
  // Not known to the plan yet: enrolled, heard, observed; Connect rests or runs.
  void Bare(int i);
  void Brownfield(int i);
  void Stale(int i);  // its facts do not count
  void Lose(int i);

  v1::NodeRule& Rule(int i, const std::string& rule);
  // For an hour.
  void Fail(int i, const std::string& rule, v1::Basis basis = v1::SELF, bool undecided = false);
  v1::Word& Say(v1::Word::Kind kind, const std::string& node);
  void TakeBack(v1::Word::Kind kind);
  void Wait(std::chrono::seconds span);
  // Another coordinator takes the store up; who is heard is heard again.
  void Restart();

  // What is decided breaks nothing.
  v1::Decision Decide() const;
  // Decides and stores; nobody is told.
  v1::Decision Store();
  // The same; every node that is heard takes its order, and does once what it says.
  v1::Decision Step();
  // Until nothing changes any more.
  v1::Decision Settle();
  // The state that node i would be given now; its reason and what it waits for.
  v1::NodeState State(int i) const;
  std::string Reason(int i) const;

  v1::PlanInput input;
  // Nodes that are PREPARING make what they are to change, as soon as they are told to.
  bool makes_changes = false;

 private:
  void Obey(const v1::NodeAssignment& assignment, v1::PlanNode& node);
};

// Connect rests, and answers nobody; since now.
void Rests(PlanCluster& cluster, int i);
void Runs(PlanCluster& cluster, int i);
// Another package is to be installed, for which Connect must be stopped.
void Differs(PlanCluster& cluster, int i);

// All that a decision says, for a failed assertion.
std::string TextsOf(const v1::Decision& decision);

}  // namespace connect_ha
