#include "coordinator/cluster/planner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/log.h"
#include "coordinator/cluster/node/node_events.h"
#include "coordinator/cluster/planning/gate_terms_of.h"
#include "coordinator/cluster/specs.h"
#include "coordinator/plan/decide.h"
#include "coordinator/plan/invariants.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;

// No decision needs it: each says when time alone makes it another one, and what changes wakes.
// Were either forgotten, the cluster would stand still for no longer than this.
constexpr milliseconds kDecideAtLeast{10'000};
constexpr milliseconds kLookForBackup{1'000};
// Of what changes at once much is one decision; and however many nodes there are, deciding takes
// a fifth of a processor at the most.
constexpr int kRestPerWork = 4;
constexpr milliseconds kShortestRest{20};
constexpr milliseconds kLongestRest{10'000};
// While nodes come and go, or people speak, what was decided meanwhile is decided anew.
constexpr int kMostAttempts = 10;

Time Now() { return std::chrono::time_point_cast<Time::duration>(Time::clock::now()); }

PlanFunctions RealFunctions() {
  return {connect_ha::Decide, connect_ha::Broken, connect_ha::LookAhead};
}

bool IsExpected(v1::Event::Kind kind) {
  return kind == v1::Event::NODE_STATE_CHANGED || kind == v1::Event::WORD_ENDED ||
         kind == v1::Event::ROLLOUT_CHANGED || kind == v1::Event::BACKUP_RAN;
}

void Log(const std::vector<v1::Event>& events) {
  for (const v1::Event& event : events) {
    spdlog::log(IsExpected(event.kind()) ? spdlog::level::info : spdlog::level::warn,
                "event={} node={} text={}", v1::Event::Kind_Name(event.kind()), event.node(),
                LogValue(event.text()));
  }
}

}  // namespace

// One decision, from what is gathered to what is put into force.
struct Planner::Round {
  v1::PlanInput input;
  std::vector<PlanLook> looks;  // of the input's nodes
  v1::Decision decision;
};

Planner::Planner(Roster& roster, Evaluator& evaluator, Store& store)
    : Planner(roster, evaluator, store, RealFunctions()) {}

Planner::Planner(Roster& roster, Evaluator& evaluator, Store& store, PlanFunctions functions)
    : roster_(roster),
      evaluator_(evaluator),
      store_(store),
      functions_(std::move(functions)),
      shown_(std::make_shared<const v1::GetPlanResponse>()) {}

Planner::~Planner() { Stop(); }

absl::Status Planner::Load(Time now) {
  std::lock_guard lock(deciding_);
  absl::Status read = Read();
  if (read.ok()) read = TellInForce(plan_->memory.generation(), store_, roster_);
  if (!read.ok()) return read;
  v1::GetPlanResponse shown;
  *shown.mutable_decision()->mutable_remember() = plan_->memory;
  v1::PlanInput input;
  const std::vector<PlanLook> looks = roster_.LookForPlan(now, &input);
  auto remembered = plan_->memory.nodes().begin();
  for (const v1::PlanNode& node : input.nodes()) {
    const std::string& name = node.brief().name();
    v1::NodeAssignment& assigned = *shown.mutable_decision()->add_assignments();
    assigned.set_node(name);
    while (remembered != plan_->memory.nodes().end() && remembered->node() < name) ++remembered;
    if (remembered == plan_->memory.nodes().end() || remembered->node() != name) continue;
    assigned.set_state(remembered->state());
    assigned.set_generation(remembered->generation());
    assigned.set_closed(remembered->closed());
    *assigned.mutable_since() = remembered->since();
    assigned.set_reason("as it was told before the coordinator's restart");
  }
  roster_.Assign(looks, shown.decision().assignments(), std::vector<GateTerms>(looks.size()), 0);
  for (const v1::Word& word : plan_->words) *shown.add_words() = word;
  Show(std::move(shown));
  return absl::OkStatus();
}

void Planner::OnOrder(std::function<void(const std::string& node)> nudge) {
  nudge_ = std::move(nudge);
}

void Planner::OnBackup(BackupFunctions backup) { backup_ = std::move(backup); }

void Planner::Start() {
  thread_ = std::thread([this] { Loop(); });
}

void Planner::Stop() {
  {
    std::lock_guard lock(wake_mutex_);
    stopping_ = true;
    woken_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Planner::Wake() {
  std::lock_guard lock(wake_mutex_);
  wake_ = true;
  woken_.notify_all();
}

void Planner::Loop() {
  using Clock = std::chrono::steady_clock;
  std::unique_lock lock(wake_mutex_);
  while (!stopping_) {
    woken_.wait_for(lock, UntilNext(Now()), [this] { return wake_ || stopping_; });
    if (stopping_) return;
    wake_ = false;
    lock.unlock();
    const auto began = Clock::now();
    Decide(Now());
    const auto worked = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
    lock.lock();
    woken_.wait_for(lock,
                    std::clamp<milliseconds>(worked * kRestPerWork, kShortestRest, kLongestRest),
                    [this] { return stopping_; });
  }
}

// With wake_mutex_ held.
milliseconds Planner::UntilNext(Time now) const {
  if (!wake_at_) return kDecideAtLeast;
  // Rounded up: what is due at that time is not asked for before it.
  const auto left = std::chrono::ceil<milliseconds>(*wake_at_ - now);
  return std::clamp<milliseconds>(left, milliseconds(0), kDecideAtLeast);
}

void Planner::Decide(Time now) {
  std::lock_guard lock(deciding_);
  DecideNow(now);
}

void Planner::DecideNow(Time now) {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const auto done = TryOnce(now);
    if (!done.ok()) {
      plan_.reset();
      return LeaveInForce({absl::StrCat("it cannot be stored: ", done.status().message())});
    }
    if (*done) return;
  }
  Wake();
}

absl::Status Planner::Read() {
  auto plan = store_.GetPlan();
  if (!plan.ok()) return plan.status();
  plan_ = *std::move(plan);
  return absl::OkStatus();
}

// False: what it was made of is no longer so. What is remembered is read before the nodes are
// looked at: a name that another machine takes in between is noticed before anything is in force.
absl::StatusOr<bool> Planner::TryOnce(Time now) {
  const auto revision = store_.PlanRevision();
  if (!revision.ok()) return revision.status();
  if (!plan_ || plan_->revision != *revision) {
    const absl::Status read = Read();
    if (!read.ok()) return read;
  }
  // Where it was stored and not told, too.
  const absl::Status told = TellInForce(plan_->memory.generation(), store_, roster_);
  if (!told.ok()) return told;
  Round round;
  *round.input.mutable_memory() = plan_->memory;
  for (const v1::Word& word : plan_->words) *round.input.add_words() = word;
  const uint64_t judged = evaluator_.judged();
  const auto checklist = evaluator_.Latest();
  round.looks = roster_.LookForPlan(now, &round.input);
  rules_.Add(*checklist, judged, round.looks, now, &round.input);
  const auto backup = backup_.latest ? backup_.latest(now) : std::nullopt;
  if (backup) *round.input.mutable_backup() = *backup;
  round.decision = functions_.decide(round.input);
  std::vector<std::string> broken = functions_.broken(round.input, round.decision);
  if (!broken.empty()) {
    TellRefused(broken, now);
    LeaveInForce(std::move(broken));
    return true;
  }
  const absl::Status kept = Keep(round, now);
  if (absl::IsAborted(kept)) return false;
  if (!kept.ok()) return kept;
  const absl::Status put = PutIntoForce(round, now);
  if (!put.ok()) return put;
  return true;
}

absl::Status Planner::Keep(Round& round, Time now) {
  Store::PlanChange change = ChangeOf(*plan_, round.decision);
  change.events = EventsOf(*plan_, round.decision, now);
  change.audits = RolloutAudits(plan_->memory, round.decision, now);
  EventPace pace = pace_;
  if (auto left_out = TellLeftOut(pace, "", now)) change.events.push_back(*std::move(left_out));
  if (auto moved = RolloutChanged(rollout_told_, round.decision.rollout(), now)) {
    TellAtPace(pace, *std::move(moved), now, change.events);
  }
  for (v1::Event& event : SaidNow(said_, round.decision, now)) {
    TellAtPace(pace, std::move(event), now, change.events);
  }
  if (IsEmpty(*plan_, change)) {
    pace_ = std::move(pace);
    const auto revision = store_.PlanRevision();
    if (!revision.ok()) return revision.status();
    if (*revision == plan_->revision) return absl::OkStatus();
    return absl::AbortedError("decided on what is no longer so");
  }
  const absl::Status stored = store_.PutPlan(change);
  if (!stored.ok()) return stored;
  pace_ = std::move(pace);
  Log(change.events);
  TakeIn(change, round.decision, *plan_);
  return stored;
}

absl::Status Planner::PutIntoForce(Round& round, Time now) {
  const v1::PlanMemory& memory = round.decision.remember();
  // Before the nodes are told anything of that generation.
  const absl::Status told_of = TellInForce(memory.generation(), store_, roster_);
  if (!told_of.ok()) return told_of;
  const uint64_t serial = memory.epoch() == store_.epoch() ? memory.serial() : 0;
  const std::vector<std::string> told = roster_.Assign(
      round.looks, round.decision.assignments(), GateTermsOf(round.input, round.decision), serial);
  for (const std::string& node : told) {
    if (nudge_) nudge_(node);
  }
  BackUp(round.decision, now);
  TakeInSaid(round.decision, now, said_);
  rollout_told_ = ToldOf(round.decision.rollout());
  if (!std::exchange(broken_, {}).empty()) spdlog::info("event=PLAN_IN_FORCE");
  WakeAt(round.decision, now);
  Show(Shown(round.input, std::move(round.decision), now));
  auto looked_at = std::make_shared<const v1::PlanInput>(std::move(round.input));
  std::lock_guard lock(shown_mutex_);
  looked_at_ = std::move(looked_at);
  return absl::OkStatus();
}

// Where another generation was applied meanwhile, the next decision asks for what that takes.
void Planner::BackUp(const v1::Decision& decision, Time now) {
  if (!decision.has_back_up() || !backup_.ask) return;
  const Generations specs = roster_.SpecsNow();
  if (specs.newest->generation() != decision.back_up().generation()) return;
  backup_.ask(decision.back_up(), specs.newest->spec(), now);
}

// Nobody tells that a backup ended: it is looked for.
void Planner::WakeAt(const v1::Decision& decision, Time now) {
  std::lock_guard lock(wake_mutex_);
  wake_at_.reset();
  if (decision.has_wake_at()) wake_at_ = FromProto(decision.wake_at());
  if (decision.has_back_up())
    wake_at_ = std::min(wake_at_.value_or(now + kLookForBackup), now + kLookForBackup);
}

// Once for each that is another one.
void Planner::TellRefused(const std::vector<std::string>& broken, Time now) {
  if (broken == broken_) return;
  const v1::Event event = MakeEvent(
      v1::Event::PLAN_REFUSED, "",
      absl::StrCat(
          "a decision is not in force, the one before stays: ", absl::StrJoin(broken, "; "),
          "; this is a fault of connect-ha: please report it, with connect-ha plan"),
      now);
  Log({event});
  store_.AddEvent(event).status().IgnoreError();  // said in the log
}

}  // namespace connect_ha
