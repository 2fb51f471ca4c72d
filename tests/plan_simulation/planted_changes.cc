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

// Who goes first, and runs without an answer for longer than anybody waits for a start, is no more,
// and the change one that asks for nobody alone.
void SeeLongMigrationsGone(v1::PlanInput* input) {
  const v1::Rollout& rollout = input->memory().rollout();
  const v1::NodeMemory* first = Remembered(input->memory(), rollout.first());
  const bool is_alone = rollout.has_in_force_at() && !rollout.has_verified_at() &&
                        !rollout.has_ended_at() && first != nullptr;
  constexpr int64_t kWaits = 10 * 60;  // seconds
  if (!is_alone || input->now().seconds() - first->since().seconds() < kWaits) return;
  for (v1::PlanNode& node : *input->mutable_nodes()) {
    const bool is_it = node.brief().name() == rollout.first();
    if (!is_it || node.connect() != v1::CONNECT_RUNS || node.brief().facts().answers()) continue;
    input->mutable_memory()->mutable_rollout()->set_kind(v1::Rollout::IN_PLACE);
    node.set_heard(false);
    node.set_fresh(false);
    node.set_connect(v1::CONNECT_UNKNOWN);
    node.mutable_brief()->set_lost(true);
    v1::Word& word = *input->add_words();
    word.set_number(UINT64_MAX);
    word.set_kind(v1::Word::GONE);
    word.set_node(node.brief().name());
    word.set_by("nobody");
    word.set_role(v1::ADMIN);
    *word.mutable_at() = input->now();
  }
}

// What runs, and does not answer, has failed.
void SeeSlowStartsFail(v1::PlanNode* node) {
  const bool runs = node->fresh() && node->connect() == v1::CONNECT_RUNS;
  if (runs && !node->brief().facts().answers()) node->set_start_failed("it takes long");
}

// What its agent would not remove.
void SeeNothingKept(v1::PlanNode* node) {
  if (!node->has_staged()) return;
  auto* troubles = node->mutable_staged()->mutable_troubles();
  for (int i = troubles->size() - 1; i >= 0; --i) {
    if (troubles->Get(i).resource() != "versions") continue;
    troubles->DeleteSubrange(i, 1);
    node->mutable_staged()->set_ready(true);
  }
}

void SeeLongWindows(v1::PlanInput* input) {
  constexpr int64_t kDay = 24 * 3'600;  // seconds
  if (!input->has_window()) return;
  input->mutable_window()->mutable_closes()->set_seconds(input->window().closes().seconds() + kDay);
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

// As it was before.
void Keep(const v1::NodeMemory& before, v1::NodeAssignment* assignment, v1::NodeMemory* after) {
  assignment->set_state(before.state());
  assignment->set_generation(before.generation());
  assignment->set_closed(before.closed());
  assignment->clear_order();
  if (before.order().epoch() != 0) *assignment->mutable_order() = before.order();
  *after = before;
}

// Once a person has paused or ended something: what has left service for it.
void LeaveThemWhereTheyAre(const v1::PlanInput& input, v1::Decision* decision) {
  const auto& words = input.words();
  const bool stops = std::any_of(words.begin(), words.end(), [](const v1::Word& word) {
    return word.kind() == v1::Word::PAUSE || word.kind() == v1::Word::ABORT;
  });
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    const v1::NodeMemory* before = Remembered(input.memory(), assignment.node());
    v1::NodeMemory* after = Remembered(decision->mutable_remember(), assignment.node());
    if (!stops || before == nullptr || after == nullptr) continue;
    const bool is_out = before->state() == v1::DRAINING || before->state() == v1::PREPARING ||
                        before->state() == v1::READY;
    if (is_out && assignment.state() == v1::SERVING) Keep(*before, &assignment, after);
  }
}

// Who was away while all the others stopped serves on.
void LetThemServeOn(const v1::PlanInput& input, v1::Decision* decision) {
  const v1::Rollout& rollout = input.memory().rollout();
  if (rollout.kind() != v1::Rollout::TOGETHER || !rollout.has_verified_at()) return;
  for (v1::NodeAssignment& assignment : *decision->mutable_assignments()) {
    const v1::NodeMemory* before = Remembered(input.memory(), assignment.node());
    v1::NodeMemory* after = Remembered(decision->mutable_remember(), assignment.node());
    if (before == nullptr || after == nullptr || before->state() != v1::SERVING) continue;
    const bool stops = assignment.state() == v1::STOPPED || assignment.state() == v1::DRAINING;
    if (stops && before->reached() < input.generation()) Keep(*before, &assignment, after);
  }
}

// Of those that are stopped.
void GoFirstByName(const v1::PlanInput& input, v1::Decision* decision) {
  const bool is_chosen =
      !decision->remember().rollout().first().empty() && input.memory().rollout().first().empty();
  if (!is_chosen) return;
  v1::Rollout* rollout = decision->mutable_remember()->mutable_rollout();
  for (const v1::PlanNode& node : input.nodes()) {
    const bool rests = node.brief().reported_state() == v1::STOPPED;
    if (rests && node.brief().name() < rollout->first()) rollout->set_first(node.brief().name());
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
  AgentFaults ready;
  ready.stays_ready = true;
  AgentFaults pinned;
  pinned.prunes_pinned = true;
  AgentFaults early;
  early.prunes_first = true;
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
      {"waits-for-no-migration", "migrates-alone", Seeing(SeeLongMigrationsGone)},
      {"takes-slow-for-failed", "a-migration-is-not-stopped", SeeingNodes(SeeSlowStartsFail)},
      {"asks-no-agent", "a-pinned-runtime-stays", SeeingNodes(SeeNothingKept)},
      {"minds-no-end", "a-window-is-long-enough", Seeing(SeeLongWindows)},
      {"leaves-them-where-they-are", "a-change-rests-as-named", Saying(LeaveThemWhereTheyAre)},
      {"lets-them-serve-on", "nobody-serves-as-before", Saying(LetThemServeOn)},
      {"goes-first-by-name", "names-do-not-matter", Checked(Saying(GoFirstByName))},
      {"opens-closed-gates", "a-closed-gate-lets-nobody-in", WithAgent(opens)},
      {"makes-what-is-ahead", "what-is-ahead-has-no-effect", WithAgent(ahead)},
      {"is-ready-for-ever", "what-it-takes-is-there", WithAgent(ready)},
      {"removes-what-is-pinned", "a-pinned-runtime-stays", WithAgent(pinned)},
      {"removes-what-runs", "a-runtime-goes-last", WithAgent(early)},
  };
}

}  // namespace connect_ha::simulation
