#include "tests/plan_simulation/world.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "tests/plan_simulation/host_parts.h"
#include "tests/plan_simulation/window.h"

namespace connect_ha::simulation {
namespace {

constexpr std::chrono::seconds kBegins{1'722'510'000};

constexpr std::chrono::seconds kPasses[] = {
    std::chrono::seconds(1),  std::chrono::seconds(5),  std::chrono::seconds(11),
    std::chrono::seconds(31), std::chrono::seconds(61), std::chrono::minutes(3),
    std::chrono::minutes(6),  std::chrono::minutes(20), std::chrono::minutes(61),
    std::chrono::hours(3),
};

// Nobody falls out of service by itself in such an event.
bool IsHarmless(Kind kind) {
  switch (kind) {
    case Kind::kRound:
    case Kind::kCall:
    case Kind::kWork:
    case Kind::kPlan:
    case Kind::kPass:
    case Kind::kMend:
    case Kind::kSend:
    case Kind::kTake:
    case Kind::kHear:
    case Kind::kLose:
    case Kind::kPlanStep:
    case Kind::kCut:
    case Kind::kLink:
    case Kind::kOtherDatabase:
    case Kind::kOtherKey:
    case Kind::kVersionByHand:
    case Kind::kCannotTell:
    case Kind::kAdvise:
    case Kind::kUsers:
    case Kind::kNotice:
    case Kind::kInterruption:
    case Kind::kMaintenance:
    case Kind::kTerminating:
    case Kind::kCover:
    case Kind::kWord:
    case Kind::kTakeBack:
    case Kind::kApply:
    case Kind::kClone:
    case Kind::kOneLeft:
    case Kind::kCoordinatorDies:
    case Kind::kCoordinatorStarts:
    case Kind::kBackUp:
    case Kind::kRestore:
    case Kind::kChange:
    case Kind::kSayOfChange:
    case Kind::kMigration:
    case Kind::kPin:
    case Kind::kBackupFails:
    case Kind::kCannotFetch:
    case Kind::kCacheLost:
      return true;
    default:
      return false;
  }
}

// Nor is one taken out by a rule, or by EC2, which leave fewer than minimum_serving.
bool IsSteady(Kind kind) {
  switch (kind) {
    case Kind::kOtherDatabase:
    case Kind::kOtherKey:
    case Kind::kVersionByHand:
    case Kind::kNotice:
    case Kind::kInterruption:
    case Kind::kMaintenance:
    case Kind::kTerminating:
    case Kind::kCover:
    case Kind::kRestore:
      return false;
    default:
      return IsHarmless(kind);
  }
}

}  // namespace

World::World(const Setup& setup, const Subject& subject, Counts* counts,
             std::vector<std::string>* trace)
    : setup_(setup), subject_(subject), counts_(counts), trace_(trace), now_(kBegins) {
  Begin();
}

void World::Begin() {
  v1::ClusterSpec spec;
  if (setup_.version_unsaid == 0) spec.mutable_connect()->set_version(VersionText(1));
  spec.set_enforcement(setup_.observes != 0 ? v1::OBSERVE : v1::ENFORCE);
  spec.mutable_nodes()->set_minimum_serving(1 + setup_.minimum_more);
  spec.mutable_nodes()->set_fences_per_hour(1 + setup_.fences_more);
  spec.mutable_rollout()->set_restarts_per_hour(1 + setup_.fences_more);
  if (setup_.health_by_connect != 0) {
    spec.mutable_load_balancer()->set_health_check(v1::LoadBalancerSpec::CONNECT);
  }
  if (setup_.window != 0) {
    spec.mutable_rollout()->set_maintenance_window(setup_.window == 1 ? kLongWindow : kShortWindow);
  }
  if (setup_.backs_up != 0) {
    spec.mutable_database()->mutable_backup_before_migration()->set_command("dump");
  }
  backup_fails_ = setup_.backs_up == 2;
  steady_ = setup_.versions_differ == 0;
  SetRuntimes(1, spec);
  store_.applied.push_back({1, now_, std::make_shared<const v1::ClusterSpec>(spec), {}});
  for (size_t i = 0; i < hosts_.size(); ++i) {
    hosts_[i].name = kNodeNames[i];
    hosts_[i].disk.set_state(v1::OBSERVED);
    hosts_[i].held = hosts_[i].disk;
    if (i < setup_.nodes) BeginHost(i);
  }
  knowledge_.emplace_back();  // of what was given before this begins
  if (setup_.start == kServing) BeginServing();
  database_->by_hand = setup_.start == kRunning && setup_.versions_differ != 0;
  database_->moved = false;
  now_ += std::chrono::seconds(1);
  coordinators_[0].Start(store_, now_);
}

void World::BeginHost(size_t slot) {
  Host& host = hosts_[slot];
  host.machine = ++last_machine_;
  host.exists = true;
  host.old_agent = setup_.old_agent == slot + 1;
  if (setup_.limited == slot + 1) host.allow = v1::ALLOW_INSTALL;
  const bool other = setup_.versions_differ != 0 && slot + 1 == setup_.nodes;
  if (setup_.start != kBare || setup_.version_unsaid != 0) host.installed = other ? 2 : 1;
  if (host.installed != 0) host.runtimes = 1;
  if (setup_.unlisted != 0) host.runtimes |= 1U << (kRuntimes - 1);
  if (setup_.start == kRunning) {
    host.enabled = true;
    host.running = true;
    host.process = host.installed;
    host.by_hand = other;
    MigrateByHand(host, *database_);
  }
  Record& record = store_.records[slot];
  record.member = true;
  record.machine = host.machine;
  record.rank = ++store_.last_rank;
}

// As if this plan had brought every node that it may into service.
void World::BeginServing() {
  store_.epoch = 1;
  v1::PlanMemory& memory = store_.memory;
  *memory.mutable_made_at() = ToProto(now_);
  memory.set_made_epoch(1);
  memory.set_epoch(1);
  memory.set_serial(1);
  memory.set_generation(1);
  memory.mutable_database()->set_newest_version(VersionText(1));
  database_->schema = 1;
  const Applied& applied = NewestOf(store_);
  for (size_t i = 0; i < setup_.nodes; ++i) {
    Host& host = hosts_[i];
    // Two versions would not have been started; an agent that is let do less was not told to serve.
    host.installed = 1;
    const bool serves = setup_.observes == 0 && !host.old_agent && host.allow == v1::ALLOW_SERVE;
    host.enabled = host.running = true;
    host.process = host.installed;
    v1::Assignment& held = host.disk;
    held.set_state(serves ? v1::SERVING : v1::OBSERVED);
    held.mutable_order()->set_lineage(kLineage);
    held.mutable_order()->set_epoch(1);
    held.mutable_order()->set_serial(1);
    v1::Desired& desired = *held.mutable_desired();
    desired.set_generation(1);
    desired.set_lineage(kLineage);
    *desired.mutable_applied_at() = ToProto(applied.at);
    *desired.mutable_spec() = *applied.spec;
    desired.set_connect_config(TextOf(applied.configuration));
    host.held = held;
    host.reached = held.state();
    host.looked = true;
    host.told = true;
    host.alive_at = host.started_at = now_;
    host.served_generation = serves ? 1 : 0;
    host.newest_start = host.right_version = 1;
    host.newest_order = held.order();
    host.right_migration = AskMigration(Around());
    host.served_applied_at = applied.at;
    v1::NodeMemory& node = *memory.add_nodes();
    node.set_node(host.name);
    node.set_state(held.state());
    node.set_generation(1);
    *node.mutable_order() = held.order();
    *node.mutable_since() = ToProto(now_);
    node.set_reached(1);
    been_[i] = 1;
    given_[i].push_back({1, 1, held.state(), 1, false, false, 0, 0, false});
    Record& record = store_.records[i];
    record.report = Tell(host, Looks::kAnew);
    record.has_report = true;
    record.last_seen = now_;
  }
}

void World::Break(const std::string& invariant, const std::string& text) {
  if (failure_) return;
  failure_ = Failure{invariant, text};
  Note(absl::StrCat("BROKEN: ", invariant, ": ", text));
}

void World::Note(const std::string& text) {
  if (trace_ == nullptr) return;
  const std::string utc = FormatUtc(now_);
  trace_->push_back(absl::StrCat(utc.substr(11, 8), "  ", text));
}

Surroundings World::Around() const {
  Surroundings around;
  around.asks_gate = setup_.health_by_connect == 0;
  around.database_answers = !database_away_;
  around.says_migration = setup_.migration_unsaid == 0;
  around.pinned = pinned_;
  around.database = database_.get();
  around.now = now_;
  return around;
}

int World::Leader(uint32_t other) const {
  int leader = -1;
  const auto is_up = [this](int i) { return coordinators_[static_cast<size_t>(i)].up(); };
  for (int i = 0; i < 2; ++i) {
    if (is_up(i) && coordinators_[static_cast<size_t>(i)].epoch() == store_.epoch) leader = i;
  }
  const int beside = leader == 0 ? 1 : 0;
  if ((leader < 0 || other % 2 != 0) && is_up(beside)) return beside;
  if (leader < 0 && is_up(1 - beside)) return 1 - beside;
  return leader;
}

bool World::MayWrite() const {
  const int leader = Leader();
  return leader >= 0 && coordinators_[static_cast<size_t>(leader)].epoch() == store_.epoch;
}

bool World::Reaches(size_t slot) const {
  const Host& host = hosts_[slot];
  return host.exists && host.power && host.agent && !host.cut;
}

// A coordinator asks the plan at least every ten seconds, but for one that is stopped in the
// middle.
void World::DecideWhileTimePasses() {
  const int leader = Leader();
  if (leader < 0) return;
  const Coordinator& planner = coordinators_[static_cast<size_t>(leader)];
  if (planner.stage() == Coordinator::Stage::kIdle) PlanAll(leader);
}

void World::Do(const Event& event) {
  const size_t slot = event.who % kMostNodes;
  harmed_ = harmed_ || !IsHarmless(event.kind);
  steady_ = steady_ && IsSteady(event.kind);
  switch (event.kind) {
    case Kind::kRound:
      return Round(event.how);
    case Kind::kCall:
      return Call(slot, Leader(event.how), LooksBy(event.how / 2));
    case Kind::kWork:
      return Work(slot, 1 + event.how % 4);
    case Kind::kPlan:
      return PlanAll(Leader());
    case Kind::kPlanStep:
      return PlanStep(static_cast<int>(event.who % 2));
    case Kind::kPass: {
      const auto span = kPasses[event.how % std::size(kPasses)];
      PassTo(now_ + span, event.how / std::size(kPasses) % 2 == 0);
      Note(FormatSpan(span) + " pass");
      DecideWhileTimePasses();
      if (event.how % 128 < 64) CallAll();
      return;
    }
    case Kind::kSend:
      return Send(slot, LooksBy(event.how));
    case Kind::kTake:
      return TakeRequest(event.who, Leader(event.how));
    case Kind::kHear:
      return HearAnswer(event.who);
    case Kind::kLose:
      return Lose(event.who);
    case Kind::kRepeat:
      return Repeat(event.who);
    default:
      break;
  }
  if (!DoToMachine(event, slot) && !DoByEc2(event, slot) && !DoToChange(event, slot) &&
      !DoToConnect(event, slot) && !DoEverywhere(event, slot) && !DoAsOperator(event, slot) &&
      !DoToCoordinators(event)) {
    Break("every-event-is-known", simulation::NameOf(event.kind));
  }
}

}  // namespace connect_ha::simulation
