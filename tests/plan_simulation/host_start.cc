// How Connect comes to run on a simulated machine, and what that does to the database.
#include "agent/assignment/standing.h"
#include "tests/plan_simulation/host_parts.h"

namespace connect_ha::simulation {
namespace {

// As agent/assignment/told.cc.
constexpr std::chrono::minutes kLongestAway{30};
// Longer than anybody waits for a start.
constexpr std::chrono::minutes kLongMigration{15};

// Who was off for long was perhaps counted out: it starts nothing before it was told.
bool IsTold(const Host& host, const Surroundings& around) {
  return host.told || !WasAwayForLong(host, around.now);
}

// Another one has migrated it since this version was right here.
bool IsMigratedSince(const Host& host, const Surroundings& around) {
  const uint32_t now = AskMigration(around);
  return host.right_version == host.installed && host.right_migration != 0 && now != 0 &&
         now != host.right_migration && host.newest_start <= host.installed;
}

// The others have gone on together, and have said so where this one sees it.
bool IsLeftBehind(const Host& host, const Surroundings& around) {
  return host.mount == Mount::kVerified &&
         IsBefore(MarkOf(host.disk.desired()), around.database->not_before);
}

void Move(Version to, Database& database) {
  if (!database.moved) database.moved_from = database.schema;
  database.moved = true;
  database.schema = to;
}

// False: it did not go well, and Connect ends.
bool Migrate(const Host& host, Database& database) {
  if (host.installed <= database.schema) return true;
  const bool is_first = database.schema == 0;
  const Database::Migration how = is_first ? Database::Migration::kGoesWell : database.next;
  database.failed =
      how == Database::Migration::kFailsAtOnce || how == Database::Migration::kFailsHalfWay;
  if (how == Database::Migration::kFailsAtOnce) return false;
  database.by_hand = host.by_hand || host.disk.state() == v1::OBSERVED;
  Move(host.installed, database);
  return how != Database::Migration::kFailsHalfWay;
}

}  // namespace

bool WasAwayForLong(const Host& host, Time now) {
  const Time::duration away = OwnTime(host, now) - host.alive_at;
  return away > kLongestAway || away < -kLongestAway;
}

uint32_t AskMigration(const Surroundings& around) {
  const bool says = around.says_migration && around.database_answers;
  return says ? around.database->schema : 0;
}

void MigrateByHand(const Host& host, Database& database) {
  if (host.process <= database.schema) return;
  Move(host.process, database);
  database.by_hand = true;
}

bool PassesPreflight(const Host& host, const Surroundings& around, const AgentFaults& faults) {
  const v1::Assignment& orders = host.disk;
  const v1::NodeState state = orders.state();
  if (host.allow == v1::ALLOW_OBSERVE) return true;
  const bool is_left_behind = IsLeftBehind(host, around) && !faults.heeds_no_mark;
  if (orders.removed()) return !is_left_behind;
  if (state == v1::STOPPED || state == v1::FENCED) return false;
  if (!Enforces(orders)) return true;
  const bool may_start = host.allow != v1::ALLOW_INSTALL;
  if (state == v1::PREPARING || (state == v1::READY && may_start) || host.config_broken) {
    return false;
  }
  if (state == v1::SERVING && !IsTold(host, around)) return false;
  if (is_left_behind || IsMigratedSince(host, around)) return false;
  return host.mount == Mount::kVerified && around.database_answers;
}

bool TryStart(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (host.installed == 0 || host.masked || host.crashes) return false;
  if (!faults.starts_unasked && !PassesPreflight(host, around, faults)) return false;
  const Version before = around.database->schema;
  const bool migrates = host.installed > before;
  if (!Migrate(host, *around.database)) return false;
  const bool is_long = migrates && around.database->next == Database::Migration::kTakesLong;
  host.running = true;
  host.process = host.installed;
  host.started_at = OwnTime(host, around.now);
  host.answers_at = is_long ? around.now + kLongMigration : around.now;
  host.migrates = is_long && before != 0;
  if (host.disk.state() == v1::OBSERVED) host.by_hand = true;  // nobody was asked
  return true;
}

void NoteAlive(Host& host, Time now) {
  const bool lives = host.exists && host.power && host.agent;
  if (lives && (host.told || !WasAwayForLong(host, now))) host.alive_at = OwnTime(host, now);
}

void StartAgent(Host& host) {
  host.agent = true;
  host.held = host.disk;
  host.looked = false;
  host.found.reset();
  host.told_state = host.reached;
  host.ahead.Clear();
  host.ahead_ready = false;
  host.lost_seen_at.reset();
  host.lost_said_at.reset();
  host.asked_at = Time{};
  ++host.call;
}

void Boot(Host& host, const Surroundings& around, const AgentFaults& faults) {
  host.power = true;
  host.told = false;
  if (host.mount == Mount::kNone || host.mount == Mount::kHung) host.mount = Mount::kVerified;
  if (faults.resumes_at_boot && host.installed != 0) {
    host.masked = false;
    host.enabled = host.running = true;
    host.process = host.installed;
    host.started_at = OwnTime(host, around.now);
    host.answers_at = around.now;
    if (host.process > around.database->schema) Move(host.process, *around.database);
  }
  if (host.enabled && !host.running) TryStart(host, around, faults);
  StartAgent(host);
}

void Crash(Host& host, const Surroundings& around, const AgentFaults& faults) {
  if (!host.running) return;
  StopConnect(host);
  TryStart(host, around, faults);
}

}  // namespace connect_ha::simulation
