#include "coordinator/plan/change/database.h"

#include "common/version.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

bool IsNewer(const std::string& a, const std::string& b) { return CompareVersions(a, b) > 0; }

bool IsOwn(const Situation& situation, const v1::Order& order) {
  return order.lineage().empty() || order.lineage() == situation.input.lineage();
}

// The greatest that this store has given, or a node goes by or has started Connect by.
v1::Order GreatestOrder(const Situation& situation) {
  v1::Order greatest;
  greatest.set_epoch(situation.input.memory().epoch());
  greatest.set_serial(situation.input.memory().serial());
  for (const Member& member : situation.members) {
    if (member.node->odd()) continue;
    for (const v1::Order* order :
         {&member.memory.order(), &member.node->obeys(), &member.node->newest_start().order()}) {
      if (!IsOwn(situation, *order) || !IsLater(*order, greatest)) continue;
      greatest.set_epoch(order->epoch());
      greatest.set_serial(order->serial());
    }
  }
  return greatest;
}

// By an order that was given after the database was put back. Those of another store cannot be
// compared: they are from before.
bool IsSinceRestored(const Situation& situation, const v1::DatabaseMemory& database,
                     const v1::Order& order) {
  if (!IsLater(database.restored(), v1::Order())) return true;
  return IsOwn(situation, order) && IsLater(order, database.restored());
}

// It was started without being noted before: how far the database was then is not known.
void Raise(const std::string& version, v1::DatabaseMemory& database) {
  if (!LooksLikeVersion(version)) return;
  if (!database.newest_version().empty() && !IsNewer(version, database.newest_version())) return;
  database.set_newest_version(version);
  database.clear_before_version();
  database.clear_before_migration();
}

void RaiseBy(const Situation& situation, const Member& member, v1::DatabaseMemory& database) {
  const v1::PlanNode& node = *member.node;
  if (node.odd()) return;
  // Also of a node that is stale: it may run it still. One that was declared gone does not.
  if (node.heard() && !IsGone(member)) Raise(node.running_version(), database);
  if (IsSinceRestored(situation, database, node.newest_start().order())) {
    Raise(node.newest_start().version(), database);
  }
}

// What the nodes say that the database says of itself; "": not known, or they differ.
std::string MigrationNow(const Situation& situation) {
  std::string migration;
  for (const Member& member : situation.members) {
    const v1::PlanNode& node = *member.node;
    if (!node.heard() || !node.fresh() || node.odd() || !node.has_migration()) continue;
    if (!migration.empty() && migration != node.migration()) return "";
    migration = node.migration();
  }
  return migration;
}

}  // namespace

v1::DatabaseMemory DatabaseNow(const Situation& situation) {
  v1::DatabaseMemory database = situation.input.memory().database();
  const v1::Word* restored = ClusterWord(situation.words, v1::Word::RESTORED);
  if (restored != nullptr) {
    database.Clear();
    database.set_newest_version(restored->version());
    database.set_right_version(restored->version());
    *database.mutable_restored() = GreatestOrder(situation);
  }
  for (const Member& member : situation.members) {
    RaiseBy(situation, member, database);
    if (member.serves) NoteRight(member.node->running_version(), database);
  }
  NoteFits(situation, database);
  return database;
}

bool IsAsBefore(const Situation& situation, const v1::DatabaseMemory& database) {
  return !database.before_version().empty() && !database.before_migration().empty() &&
         MigrationNow(situation) == database.before_migration();
}

void NoteRight(const std::string& version, v1::DatabaseMemory& database) {
  if (!LooksLikeVersion(version)) return;
  if (!database.right_version().empty() && !IsNewer(version, database.right_version())) return;
  database.set_right_version(version);
}

void NoteStart(const Situation& situation, const std::string& version,
               v1::DatabaseMemory& database) {
  if (version.empty()) return;
  const std::string before = database.newest_version();
  if (!before.empty() && !IsNewer(version, before)) return;
  // Where the one before has migrated nothing, what ran before that may start, too.
  if (!IsAsBefore(situation, database)) {
    database.set_before_version(before);
    database.set_before_migration(before.empty() ? "" : MigrationNow(situation));
  }
  database.set_newest_version(version);
}

}  // namespace connect_ha
