#include "tests/coordinator/plan/plan_cluster.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/rule.h"
#include "coordinator/plan/decide.h"
#include "coordinator/plan/invariants.h"

namespace connect_ha {
namespace {

constexpr int64_t kStart = 1722500000;

const char* const kRules[] = {"clocks-are-synchronised", "connect-version-matches",
                              "data-dir-is-shared",      "database-reachable",
                              "runtimes-match-r",        kService,
                              "storage-is-mounted"};

bool IsHeld(v1::NodeState state) {
  return state == v1::PREPARING || state == v1::READY || state == v1::STOPPED ||
         state == v1::FENCED;
}

void SetConnect(v1::PlanNode& node, bool runs) {
  node.set_connect(runs ? v1::CONNECT_RUNS : v1::CONNECT_RESTS);
  node.set_running_version(runs ? node.installed_version() : "");
  node.mutable_brief()->mutable_facts()->set_answers(runs);
}

void Reach(v1::PlanNode& node, v1::NodeState state, bool closed = false) {
  node.mutable_brief()->set_reported_state(state);
  if (IsHeld(state)) SetConnect(node, false);
  if (state == v1::SERVING) SetConnect(node, true);
  const bool open = (state == v1::SERVING && !closed) || state == v1::OBSERVED;
  node.set_gate(open ? v1::GATE_OPEN : v1::GATE_CLOSED);
}

// It takes a generation that it has got ready for.
void TakeNew(v1::PlanNode& node, uint64_t generation) {
  if (node.staged().generation() != generation) return;
  v1::Convergence& convergence = *node.mutable_convergence();
  convergence.set_generation(generation);
  *convergence.mutable_changes() = node.staged().changes();
  convergence.set_needs(node.staged().needs());
  const bool differs = convergence.needs() >= v1::Change::RESTART;
  convergence.set_state(differs ? v1::Convergence::DIFFERS : v1::Convergence::CONVERGED);
  if (!differs) convergence.clear_changes();
  node.clear_staged();
}

void MakeChanges(const v1::ClusterSpec& spec, v1::PlanNode& node) {
  node.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  node.mutable_convergence()->clear_changes();
  node.mutable_convergence()->clear_needs();
  if (spec.connect().has_version()) node.set_installed_version(spec.connect().version());
}

v1::NodeRule& AddRule(v1::PlanNode& node, const std::string& rule) {
  v1::NodeRule& line = *node.add_rules();
  line.set_rule(rule);
  line.set_outcome(v1::PASS);
  const Rule* row = FindRule(rule);
  line.set_rule_class(row == nullptr ? v1::SERVICE : row->rule_class);
  line.mutable_since()->set_seconds(kStart - 3600);
  return line;
}

}  // namespace

PlanCluster::PlanCluster(int nodes) {
  input.mutable_now()->set_seconds(kStart);
  input.set_lineage("store");
  input.set_epoch(kEpoch);
  input.set_generation(kGeneration);
  input.mutable_spec()->set_enforcement(v1::ENFORCE);
  v1::PlanMemory& memory = *input.mutable_memory();
  memory.mutable_made_at()->set_seconds(kStart - 7200);
  memory.set_made_epoch(kEpoch);
  memory.set_epoch(kEpoch);
  memory.set_serial(1);
  memory.set_generation(kGeneration);
  memory.set_good_generation(input.generation());
  memory.mutable_database()->set_newest_version("2024.08.0");
  memory.mutable_database()->set_right_version("2024.08.0");
  for (int i = 0; i < nodes; ++i) {
    v1::PlanNode& node = *input.add_nodes();
    v1::NodeBrief& brief = *node.mutable_brief();
    brief.set_name(absl::StrCat("node-", i + 1));
    *brief.mutable_last_seen() = input.now();
    brief.set_reported_generation(kGeneration);
    brief.set_claimants(1);
    brief.set_allow(v1::ALLOW_SERVE);
    brief.mutable_facts()->set_mount_verified(true);
    node.set_member(static_cast<uint64_t>(i) + 1);
    node.set_heard(true);
    node.set_fresh(true);
    node.set_own_lineage(true);
    node.set_can_serve(true);
    node.set_installed_version("2024.08.0");
    node.mutable_convergence()->set_generation(kGeneration);
    node.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
    for (const char* rule : kRules) AddRule(node, rule);
    memory.add_nodes()->set_node(brief.name());
    Become(i, v1::SERVING);
    memory.mutable_nodes(i)->mutable_since()->set_seconds(kStart - 7200);
  }
}

void PlanCluster::Become(int i, v1::NodeState state) {
  v1::NodeMemory& remembered = memory(i);
  remembered.set_state(state);
  remembered.set_generation(input.generation());
  remembered.mutable_order()->set_epoch(kEpoch);
  remembered.mutable_order()->set_serial(1);
  *remembered.mutable_since() = input.now();
  remembered.set_reached(input.generation());
  *node(i).mutable_obeys() = remembered.order();
  SetConnect(node(i), true);
  Reach(node(i), state);
}

void PlanCluster::Bare(int i) {
  const std::string name = node(i).brief().name();
  memory(i).Clear();
  memory(i).set_node(name);
  node(i).clear_obeys();
  Reach(node(i), v1::OBSERVED);
  SetConnect(node(i), false);
}

void PlanCluster::Brownfield(int i) {
  Bare(i);
  SetConnect(node(i), true);
}

void PlanCluster::Stale(int i) {
  node(i).set_fresh(false);
  node(i).set_not_fresh("it was not heard for 40s");
}

void PlanCluster::Lose(int i) {
  Stale(i);
  node(i).mutable_brief()->set_lost(true);
}

v1::NodeRule& PlanCluster::Rule(int i, const std::string& rule) {
  for (v1::NodeRule& line : *node(i).mutable_rules()) {
    if (line.rule() == rule) return line;
  }
  return AddRule(node(i), rule);
}

void PlanCluster::Fail(int i, const std::string& rule, v1::Basis basis, bool undecided) {
  v1::NodeRule& line = Rule(i, rule);
  line.set_outcome(v1::FAIL);
  line.set_basis(basis);
  line.set_undecided(undecided);
  line.set_text("it is wrong");
  line.mutable_since()->set_seconds(input.now().seconds() - 3600);
}

v1::Word& PlanCluster::Say(v1::Word::Kind kind, const std::string& node) {
  v1::Word& word = *input.add_words();
  word.set_number(static_cast<uint64_t>(input.words_size()));
  word.set_kind(kind);
  word.set_node(node);
  word.set_by("admin/alice");
  word.set_role(v1::ADMIN);
  word.set_reason("a test");
  *word.mutable_at() = input.now();
  return word;
}

void PlanCluster::TakeBack(v1::Word::Kind kind) {
  for (int i = input.words_size() - 1; i >= 0; --i) {
    if (input.words(i).kind() == kind) input.mutable_words()->DeleteSubrange(i, 1);
  }
}

void PlanCluster::Wait(std::chrono::seconds span) {
  input.mutable_now()->set_seconds(input.now().seconds() + span.count());
  for (v1::PlanNode& one : *input.mutable_nodes()) {
    if (one.fresh()) *one.mutable_brief()->mutable_last_seen() = input.now();
  }
}

void PlanCluster::Restart() { input.set_epoch(input.epoch() + 1); }

v1::Decision PlanCluster::Decide() const {
  v1::Decision decision = connect_ha::Decide(input);
  EXPECT_EQ(absl::StrJoin(Broken(input, decision), "\n"), "") << input.DebugString();
  return decision;
}

void PlanCluster::Obey(const v1::NodeAssignment& assignment, v1::PlanNode& node) {
  const v1::Order& order = assignment.order();
  const bool is_news =
      order.epoch() != node.obeys().epoch() || order.serial() != node.obeys().serial();
  if (!node.fresh() || order.epoch() == 0 || !is_news) return;
  *node.mutable_obeys() = assignment.order();
  node.mutable_obeys()->clear_lineage();
  node.mutable_brief()->set_reported_generation(assignment.generation());
  TakeNew(node, assignment.generation());
  Reach(node, assignment.state(), assignment.closed());
  if (makes_changes && assignment.state() == v1::PREPARING) MakeChanges(input.spec(), node);
}

v1::Decision PlanCluster::Store() {
  v1::Decision decision = Decide();
  *input.mutable_memory() = decision.remember();
  for (const uint64_t number : decision.ended_words()) {
    for (int i = input.words_size() - 1; i >= 0; --i) {
      if (input.words(i).number() == number) input.mutable_words()->DeleteSubrange(i, 1);
    }
  }
  const bool is_new =
      input.has_next() && decision.remember().generation() == input.next().generation();
  if (is_new) {
    input.set_generation(input.next().generation());
    const v1::ClusterSpec spec = input.next().spec();
    *input.mutable_spec() = spec;
    input.clear_next();
  }
  return decision;
}

v1::Decision PlanCluster::Step() {
  v1::Decision decision = Store();
  for (int i = 0; i < input.nodes_size(); ++i) Obey(decision.assignments(i), node(i));
  return decision;
}

v1::Decision PlanCluster::Settle() {
  v1::Decision before = Step();
  for (int i = 0; i < 40; ++i) {
    v1::Decision after = Step();
    if (after.SerializeAsString() == before.SerializeAsString()) return after;
    before = after;
  }
  ADD_FAILURE() << "it does not come to rest: " << TextsOf(before);
  return before;
}

v1::NodeState PlanCluster::State(int i) const { return Decide().assignments(i).state(); }

std::string PlanCluster::Reason(int i) const {
  const v1::Decision decision = Decide();
  return absl::StrCat(decision.assignments(i).reason(), " | ", decision.assignments(i).waits_for());
}

void Rests(PlanCluster& cluster, int i) {
  v1::PlanNode& node = cluster.node(i);
  node.set_connect(v1::CONNECT_RESTS);
  node.clear_running_version();
  node.mutable_brief()->mutable_facts()->set_answers(false);
  node.mutable_brief()->mutable_facts()->set_unit_state("failed");
  cluster.Fail(i, kService);
  *cluster.Rule(i, kService).mutable_since() = cluster.input.now();
}

void Runs(PlanCluster& cluster, int i) {
  v1::PlanNode& node = cluster.node(i);
  node.set_connect(v1::CONNECT_RUNS);
  node.set_running_version(node.installed_version());
  node.mutable_brief()->mutable_facts()->set_answers(true);
  node.mutable_brief()->mutable_facts()->set_unit_state("active");
  cluster.Rule(i, kService).set_outcome(v1::PASS);
}

void Differs(PlanCluster& cluster, int i) {
  v1::Convergence& convergence = *cluster.node(i).mutable_convergence();
  convergence.set_state(v1::Convergence::DIFFERS);
  v1::Change& change = *convergence.add_changes();
  change.set_resource("package rstudio-connect");
  change.set_interrupts("Connect must be stopped");
}

std::string TextsOf(const v1::Decision& decision) {
  std::string text;
  for (const v1::NodeAssignment& one : decision.assignments()) {
    absl::StrAppend(&text, one.node(), " ", v1::NodeState_Name(one.state()), ": ", one.reason(),
                    " | ", one.waits_for(), "\n");
  }
  for (const v1::Said& said : decision.said()) absl::StrAppend(&text, "said: ", said.text(), "\n");
  return text;
}

}  // namespace connect_ha
