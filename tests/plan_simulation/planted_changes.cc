// Faults in what the plan sees and says of a change of the cluster, and in what the agent makes of
// it.
#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "coordinator/plan/decide.h"
#include "tests/plan_simulation/planted_subjects.h"

namespace connect_ha::simulation {
namespace {

bool IsTogether(const v1::PlanInput& input) {
  const v1::Rollout& rollout = input.memory().rollout();
  return rollout.kind() == v1::Rollout::TOGETHER && !rollout.has_ended_at();
}

void AddApproval(uint64_t generation, v1::PlanInput* input) {
  v1::Word& word = *input->add_words();
  word.set_number(UINT64_MAX - generation);
  word.set_kind(v1::Word::APPROVE);
  word.set_by("nobody");
  word.set_role(v1::ADMIN);
  *word.mutable_at() = input->now();
  word.set_generation(generation);
  word.set_now(true);
}

void SeeApprovals(v1::PlanInput* input) {
  if (input->has_next()) AddApproval(input->next().generation(), input);
}

void SeeNoPause(v1::PlanInput* input) {
  auto* words = input->mutable_words();
  for (int i = words->size() - 1; i >= 0; --i) {
    const v1::Word::Kind kind = words->Get(i).kind();
    if (kind == v1::Word::PAUSE || kind == v1::Word::ABORT) words->DeleteSubrange(i, 1);
  }
}

// As soon as they are to stop.
void SeeAllStopped(v1::PlanInput* input) {
  if (!IsTogether(*input) || input->memory().rollout().has_in_force_at()) return;
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    v1::NodeMemory* memory = Remembered(input->mutable_memory(), node.brief().name());
    if (memory == nullptr || !node.fresh()) continue;
    memory->set_state(v1::STOPPED);
    memory->clear_closed();
    *node.mutable_obeys() = memory->order();
    node.mutable_brief()->set_reported_state(v1::STOPPED);
    node.mutable_brief()->mutable_facts()->set_answers(false);
    node.set_connect(v1::CONNECT_RESTS);
    node.set_running_version("");
  }
}

void SeeABackup(v1::PlanInput* input) {
  if (!input->has_next()) return;
  v1::BackupRun& run = *input->mutable_memory()->mutable_backup();
  run.set_generation(input->next().generation());
  *run.mutable_asked_at() = input->now();
  *run.mutable_ended_at() = input->now();
  run.set_went_well(true);
}

void SeeItVerified(v1::PlanInput* input) {
  if (!IsTogether(*input) || !input->memory().rollout().has_in_force_at()) return;
  v1::Rollout* rollout = input->mutable_memory()->mutable_rollout();
  if (!rollout->has_verified_at()) *rollout->mutable_verified_at() = input->now();
}

// Whoever is closed is right.
void SeeTheClosedRight(v1::PlanInput* input) {
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    const v1::NodeMemory* memory = Remembered(input->memory(), node.brief().name());
    if (memory == nullptr || !memory->closed()) continue;
    for (v1::NodeRule& line : *node.mutable_rules()) {
      line.set_outcome(v1::PASS);
      line.set_undecided(false);
    }
  }
}

// What is applied, the database has known, and it was right with it.
void SeeItKnown(v1::PlanInput* input) {
  if (!input->has_next() || !input->next().spec().connect().has_version()) return;
  std::string newest = input->memory().database().newest_version();
  newest = std::max(newest, input->next().spec().connect().version());
  input->mutable_memory()->mutable_database()->set_newest_version(newest);
  input->mutable_memory()->mutable_database()->set_right_version(newest);
}

// That the database has known what is newer than what is applied, or about to be started.
void SeeNothingNewer(v1::PlanInput* input) {
  std::string newest = input->memory().database().newest_version();
  if (input->has_next() && input->next().spec().connect().has_version()) {
    newest = std::min(newest, input->next().spec().connect().version());
  }
  for (const v1::PlanNode& node : input->nodes()) {
    const bool ready = node.brief().reported_state() == v1::READY;
    if (ready && !node.installed_version().empty()) {
      newest = std::min(newest, node.installed_version());
    }
  }
  if (newest == input->memory().database().newest_version()) return;
  input->mutable_memory()->mutable_database()->Clear();
  input->mutable_memory()->mutable_database()->set_newest_version(newest);
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    node.clear_newest_start();
    node.set_running_version("");
  }
}

// What is to be started is remembered already.
void SeeItNoted(v1::PlanInput* input) {
  std::string newest = input->memory().database().newest_version();
  for (const v1::PlanNode& node : input->nodes()) {
    const bool ready = node.brief().reported_state() == v1::READY;
    if (ready) newest = std::max(newest, node.installed_version());
  }
  input->mutable_memory()->mutable_database()->set_newest_version(newest);
}

// The plan sees the database otherwise; what is remembered of it is never less by that, nor more.
Subject SeeingDatabase(std::function<void(v1::PlanInput*)> blind) {
  Subject subject = Seeing(blind);
  subject.decide = [blind = std::move(blind)](const v1::PlanInput& input) {
    v1::PlanInput seen = input;
    blind(&seen);
    v1::Decision decision = Decide(seen);
    const std::string was = seen.memory().database().newest_version();
    v1::DatabaseMemory* database = decision.mutable_remember()->mutable_database();
    if (database->newest_version() <= was) *database = input.memory().database();
    return decision;
  };
  return subject;
}

void SeeNothingAdded(v1::PlanInput* input) {
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    if (node.has_staged()) node.mutable_staged()->set_ready(true);
    if (!node.has_convergence()) continue;
    auto* changes = node.mutable_convergence()->mutable_changes();
    for (int i = changes->size() - 1; i >= 0; --i) {
      if (changes->Get(i).needs() < v1::Change::RESTART) changes->DeleteSubrange(i, 1);
    }
  }
}

void SeeNobodyReady(v1::PlanNode* node) {
  if (node->has_staged()) node->mutable_staged()->set_ready(false);
}

void OpenAtOnce(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    assignment.clear_closed();
    v1::NodeMemory* memory = Remembered(decision->mutable_remember(), assignment.node());
    if (memory != nullptr) memory->clear_closed();
  }
}

void ForgetTheChange(const v1::PlanInput& input, v1::Decision* decision) {
  const v1::Rollout& rollout = input.memory().rollout();
  if (rollout.has_in_force_at() && !rollout.has_ended_at()) {
    decision->mutable_remember()->clear_rollout();
    decision->clear_ended();
  }
}

void GoBackOne(const v1::PlanInput& input, v1::Decision* decision) {
  if (input.generation() > 1) decision->mutable_remember()->set_generation(input.generation() - 1);
}

void ForgetTheDatabase(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  decision->mutable_remember()->clear_database();
}

void SayNothingOfIt(const v1::PlanInput& /*input*/, v1::Decision* decision) {
  decision->clear_rollout();
}

}  // namespace

std::vector<Planted> PlantedInChanges() {
  AgentFaults opens;
  opens.opens_closed = true;
  AgentFaults ahead;
  ahead.goes_ahead = true;
  return {
      {"approves-by-itself", "stops-only-when-approved", Seeing(SeeApprovals)},
      {"backs-up-unasked", "no-backup-unapproved", Seeing(SeeApprovals)},
      {"heeds-no-pause", "a-pause-is-kept", Seeing(SeeNoPause)},
      {"waits-for-no-stop", "all-stop-first", Seeing(SeeAllStopped)},
      {"needs-no-backup", "a-backup-comes-first", Seeing(SeeABackup)},
      {"looks-at-nobody", "the-first-goes-alone", Seeing(SeeItVerified)},
      {"opens-what-fails", "opens-only-what-is-right", Seeing(SeeTheClosedRight)},
      {"opens-at-once", "starts-closed", Saying(OpenAtOnce)},
      {"takes-it-for-known", "nothing-migrates-unapproved", Seeing(SeeItKnown)},
      {"forgets-versions", "nothing-older-starts", SeeingDatabase(SeeNothingNewer)},
      {"notes-nothing", "is-remembered-before-it-starts", SeeingDatabase(SeeItNoted)},
      {"takes-all-at-once", "one-after-the-other", Seeing([](v1::PlanInput* input) {
         input->mutable_spec()->mutable_rollout()->set_max_unavailable(kMostNodes);
       })},
      {"keeps-fewer", "minimum-serving-is-kept", Seeing([](v1::PlanInput* input) {
         input->mutable_spec()->mutable_nodes()->set_minimum_serving(1);
       })},
      {"adds-nothing-first", "what-is-added-comes-first", Seeing(SeeNothingAdded)},
      {"forgets-restarts", "so-many-restarts-an-hour",
       Seeing([](v1::PlanInput* input) { input->mutable_memory()->clear_restarts(); })},
      {"sees-nothing-pinned", "a-pinned-runtime-stays",
       Seeing([](v1::PlanInput* input) { input->clear_pinned(); })},
      {"is-never-ready", "the-change-ends", SeeingNodes(SeeNobodyReady)},
      {"forgets-the-change", "what-a-change-was-stays", Saying(ForgetTheChange)},
      {"goes-back-one", "generations-only-grow", Saying(GoBackOne)},
      {"forgets-the-database", "what-the-database-knew-is-kept", Saying(ForgetTheDatabase)},
      {"says-nothing-of-it", "a-change-says-where-it-is", Saying(SayNothingOfIt)},
      {"opens-closed-gates", "a-closed-gate-lets-nobody-in", WithAgent(opens)},
      {"makes-what-is-ahead", "what-is-ahead-has-no-effect", WithAgent(ahead)},
  };
}

}  // namespace connect_ha::simulation
