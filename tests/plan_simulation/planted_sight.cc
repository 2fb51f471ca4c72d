// Faults in what the plan sees.
#include "tests/plan_simulation/planted_subjects.h"

namespace connect_ha::simulation {
namespace {

constexpr char kGhost[] = "zz";
constexpr int64_t kHour = 3'600;  // seconds

// One that serves, and is not there: a node that left, counted on.
void AddGhost(v1::PlanInput* input) {
  if (input->nodes_size() == 0 || !input->memory().has_made_at()) return;
  v1::PlanNode ghost = input->nodes(0);
  ghost.mutable_brief()->set_name(kGhost);
  ghost.mutable_brief()->set_lost(false);
  ghost.mutable_brief()->set_claimants(1);
  ghost.mutable_brief()->set_reported_state(v1::SERVING);
  ghost.mutable_brief()->set_allow(v1::ALLOW_SERVE);
  ghost.mutable_brief()->mutable_facts()->set_answers(true);
  ghost.mutable_brief()->mutable_facts()->set_mount_verified(true);
  *ghost.mutable_brief()->mutable_last_seen() = input->now();
  ghost.set_member(UINT64_MAX);
  ghost.set_heard(true);
  ghost.set_fresh(true);
  ghost.set_can_serve(true);
  ghost.set_connect(v1::CONNECT_RUNS);
  ghost.set_gate(v1::GATE_OPEN);
  ghost.set_start_failed("");
  ghost.set_odd(false);
  ghost.set_ahead(false);
  ghost.clear_notices();
  for (v1::NodeRule& line : *ghost.mutable_rules()) {
    line.set_outcome(v1::PASS);
    line.set_undecided(false);
  }
  v1::Order order;
  order.set_lineage(input->lineage());
  order.set_epoch(input->memory().made_epoch() + 1);
  order.set_serial(1);
  *ghost.mutable_obeys() = order;
  *input->add_nodes() = ghost;
  v1::NodeMemory* memory = input->mutable_memory()->add_nodes();
  memory->set_node(kGhost);
  memory->set_state(v1::SERVING);
  memory->set_generation(input->generation());
  *memory->mutable_order() = order;
  *memory->mutable_since() = input->memory().made_at();
}

void TakeGhostAway(v1::Decision* decision) {
  auto* assignments = decision->mutable_assignments();
  for (int i = assignments->size() - 1; i >= 0; --i) {
    if (assignments->Get(i).node() == kGhost) assignments->DeleteSubrange(i, 1);
  }
  auto* nodes = decision->mutable_remember()->mutable_nodes();
  for (int i = nodes->size() - 1; i >= 0; --i) {
    if (nodes->Get(i).node() == kGhost) nodes->DeleteSubrange(i, 1);
  }
}

Subject Haunted(bool asks_broken) {
  Subject subject = SeeingMore(AddGhost, TakeGhostAway);
  subject.asks_broken = asks_broken;
  return subject;
}

void SeeOneVersion(v1::PlanNode* node) {
  if (!node->installed_version().empty()) node->set_installed_version(VersionText(1));
  if (!node->running_version().empty()) node->set_running_version(VersionText(1));
}

void SeeNoLaterOrders(v1::PlanInput* input) {
  input->mutable_memory()->clear_restored_at();
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    const v1::NodeMemory* memory = Remembered(input->memory(), node.brief().name());
    if (memory != nullptr && node.has_obeys()) *node.mutable_obeys() = memory->order();
  }
}

void SeeAllFresh(v1::PlanNode* node) {
  if (!node->brief().has_last_seen()) return;
  node->set_heard(true);
  node->set_fresh(true);
  node->set_can_serve(true);
  node->mutable_brief()->set_lost(false);
  if (node->connect() == v1::CONNECT_UNKNOWN) node->set_connect(v1::CONNECT_RESTS);
}

void SeeUnheardAsLost(v1::PlanNode* node) {
  if (!node->heard()) node->mutable_brief()->set_lost(true);
}

void SeeObservedAtRest(v1::PlanNode* node) {
  if (node->brief().reported_state() == v1::OBSERVED && node->fresh()) {
    node->set_connect(v1::CONNECT_RESTS);
    node->set_running_version("");
    node->mutable_brief()->mutable_facts()->clear_unit_state();
  }
}

// So that nobody waits for a first start.
void SeeAllAnswer(v1::PlanNode* node) {
  if (node->connect() != v1::CONNECT_RESTS) return;
  node->mutable_brief()->mutable_facts()->set_answers(true);
}

void SeeAllAllowed(v1::PlanNode* node) {
  node->set_can_serve(true);
  node->mutable_brief()->set_allow(v1::ALLOW_SERVE);
}

void SeeAllConverged(v1::PlanInput* input) {
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    node.mutable_brief()->set_reported_generation(input->generation());
    node.clear_convergence();
    node.mutable_convergence()->set_generation(input->generation());
    node.mutable_convergence()->set_state(v1::Convergence::CONVERGED);
  }
}

void SeeNoEnds(v1::PlanInput* input) {
  for (v1::Word& word : *input->mutable_words()) word.clear_until();
}

void SeeLongDrains(v1::PlanInput* input) {
  for (v1::NodeMemory& node : *input->mutable_memory()->mutable_nodes()) {
    if (node.has_since()) node.mutable_since()->set_seconds(node.since().seconds() - kHour);
  }
}

// Of that kind none, or none that says when.
void SeeNoNotice(v1::InstanceNotice::Kind kind, v1::PlanNode* node) {
  auto* notices = node->mutable_notices();
  for (int i = notices->size() - 1; i >= 0; --i) {
    if (notices->Get(i).kind() == kind) notices->DeleteSubrange(i, 1);
  }
}

void SeeNoTime(v1::InstanceNotice::Kind kind, v1::PlanNode* node) {
  for (v1::InstanceNotice& notice : *node->mutable_notices()) {
    if (notice.kind() == kind) notice.clear_at();
  }
}

void SeeMembersByName(v1::PlanInput* input) {
  for (int i = 0; i < input->nodes_size(); ++i) {
    input->mutable_nodes(i)->set_member(static_cast<uint64_t>(i) + 1);
  }
}

}  // namespace

std::vector<Planted> PlantedInSight() {
  return {
      {"counts-a-node-that-is-not-there", "the-last-one-stays", Haunted(false)},
      {"counts-one-and-is-asked", "the-plan-breaks-nothing", Haunted(true)},
      {"counts-one-and-nobody-is-left", "somebody-is-left", Haunted(false)},
      {"counts-one-and-too-few-are-left", "minimum-serving-is-kept-in-the-world", Haunted(false)},
      {"knows-no-minimum", "the-last-one-stays", Seeing([](v1::PlanInput* input) {
         input->mutable_spec()->mutable_nodes()->set_minimum_serving(1);
       })},
      {"knows-no-minimum-where-it-holds", "what-holds-leaves-enough",
       Seeing([](v1::PlanInput* input) {
         input->mutable_spec()->mutable_nodes()->set_minimum_serving(1);
       })},
      {"acts-at-once", "what-takes-out-has-lasted", SeeingLines([](v1::NodeRule* line) {
         if (line->outcome() == v1::FAIL) line->mutable_since()->set_seconds(0);
       })},
      {"lets-back-at-once", "what-comes-back-is-right-for-long",
       SeeingLines([](v1::NodeRule* line) {
         if (line->outcome() == v1::PASS) line->mutable_since()->set_seconds(0);
       })},
      {"sees-one-version", "one-version-runs", SeeingNodes(SeeOneVersion)},
      {"sees-no-later-orders", "an-older-store-moves-nobody", Seeing(SeeNoLaterOrders)},
      {"takes-old-facts-for-new", "unknown-moves-nobody", Checked(SeeingNodes(SeeAllFresh))},
      {"waits-for-nobody", "unknown-moves-nobody", Checked(SeeingNodes(SeeUnheardAsLost))},
      {"waits-for-nobody-and-enters", "all-are-heard-first", SeeingNodes(SeeUnheardAsLost)},
      {"takes-unknown-for-failing", "nobody-leaves-for-nothing",
       SeeingLines([](v1::NodeRule* line) {
         if (line->outcome() == v1::UNKNOWN) line->set_outcome(v1::FAIL);
       })},
      {"takes-unknown-for-passing", "nothing-enters-with-a-fault",
       SeeingLines([](v1::NodeRule* line) {
         if (line->outcome() == v1::UNKNOWN) line->set_outcome(v1::PASS);
       })},
      {"knows-who-is-wrong", "fences-only-what-is-known", SeeingLines([](v1::NodeRule* line) {
         line->set_undecided(false);
         line->set_basis(v1::SELF);
       })},
      {"fences-for-changes-to-be-made", "fences-only-what-is-known",
       SeeingLines([](v1::NodeRule* line) {
         if (line->basis() == v1::SPEC) line->set_basis(v1::SELF);
       })},
      {"acts-on-advice", "nobody-leaves-for-nothing",
       SeeingLines([](v1::NodeRule* line) { line->set_rule_class(v1::DATA); })},
      {"lets-the-undecided-pass", "nothing-enters-undecided", SeeingLines([](v1::NodeRule* line) {
         if (line->undecided()) line->set_outcome(v1::PASS);
       })},
      {"never-fences", "the-wrong-one-is-held", SeeingLines([](v1::NodeRule* line) {
         if (line->outcome() == v1::FAIL) line->set_outcome(v1::UNKNOWN);
       })},
      {"forgets-fences", "so-many-fences-an-hour",
       Seeing([](v1::PlanInput* input) { input->mutable_memory()->clear_fences(); })},
      {"cuts-drains-short", "users-have-their-time", Seeing(SeeLongDrains)},
      {"forgets-when-words-end", "what-has-an-end-ends", Seeing(SeeNoEnds)},
      {"heeds-no-word", "a-word-is-kept",
       Seeing([](v1::PlanInput* input) { input->clear_words(); })},
      {"goes-by-names", "names-do-not-matter", Checked(Seeing(SeeMembersByName))},
      {"stops-what-it-found", "nothing-is-changed-under-a-running-connect",
       SeeingNodes(SeeObservedAtRest)},
      {"asks-no-leave", "no-more-than-the-agent-allows", SeeingNodes(SeeAllAllowed)},
      {"starts-all-at-once", "the-first-starts-alone", SeeingNodes(SeeAllAnswer)},
      {"heeds-no-maintenance", "is-out-in-time",
       SeeingNodes([](v1::PlanNode* node) { SeeNoNotice(v1::InstanceNotice::MAINTENANCE, node); })},
      {"heeds-no-end-of-a-machine", "is-out-in-time",
       SeeingNodes([](v1::PlanNode* node) { SeeNoNotice(v1::InstanceNotice::TERMINATING, node); })},
      {"knows-not-when-a-machine-goes", "is-stopped-in-time", SeeingNodes([](v1::PlanNode* node) {
         SeeNoTime(v1::InstanceNotice::SPOT_INTERRUPTION, node);
       })},
      {"is-in-a-hurry-for-maintenance", "nobody-leaves-for-nothing",
       SeeingNodes([](v1::PlanNode* node) { SeeNoTime(v1::InstanceNotice::MAINTENANCE, node); })},
      {"heeds-no-proof", "the-wrong-one-is-held", SeeingLines([](v1::NodeRule* line) {
         if (line->basis() == v1::PROOF) line->set_outcome(v1::PASS);
       })},
      {"starts-what-differs", "enters-as-the-specification-says", Seeing(SeeAllConverged)},
  };
}

}  // namespace connect_ha::simulation
