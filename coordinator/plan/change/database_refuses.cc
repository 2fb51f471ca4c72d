// Which version of Connect the database takes no more.
#include <chrono>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"
#include "coordinator/plan/look/generation.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// Within that every node has asked the database anew (agent.yaml: poll_interval).
constexpr std::chrono::minutes kAskedAnew{1};

bool IsNewer(const std::string& a, const std::string& b) { return CompareVersions(a, b) > 0; }

// A node that may migrate the database yet, or did so after it was asked how far it is; null: none.
const Member* WhoMayMigrate(const Situation& situation, const std::string& version) {
  for (const Member& member : situation.members) {
    const std::string& has = VersionOf(*member.node);
    if (IsGone(member) || has.empty() || !IsNewer(has, version)) continue;
    const Time since = FromProto(member.memory.since());
    const bool lately = !situation.moments.Reached(since + kAskedAnew);
    if (lately || MayRunConnect(situation, member)) return &member;
  }
  return nullptr;
}

// As the specification says, and for so long that the database was asked since.
bool Answers(const Situation& situation, const Member& member) {
  const v1::PlanNode& node = *member.node;
  const v1::NodeRule* line = LineOf(node, kServiceRule);
  return member.stays.empty() && HasReached(member, v1::SERVING) &&
         node.connect() == v1::CONNECT_RUNS && node.brief().facts().answers() &&
         SameVersion(node.running_version(), situation.input.spec().connect().version()) &&
         line != nullptr && DoesNothing(*line) &&
         situation.moments.Lasted(FromProto(line->since()), kAskedAnew);
}

}  // namespace

void NoteFits(const Situation& situation, v1::DatabaseMemory& database) {
  for (const Member& member : situation.members) {
    const std::string& runs = member.node->running_version();
    const std::string& migration = member.node->migration();
    const std::string& before = database.before_version();
    const bool is_between = !runs.empty() && !before.empty() && IsNewer(runs, before) &&
                            IsNewer(database.newest_version(), runs);
    if (!is_between || migration.empty() || !Answers(situation, member)) continue;
    if (WhoMayMigrate(situation, runs) != nullptr) continue;
    database.set_before_version(runs);
    database.set_before_migration(migration);
  }
}

std::string WhyNotVersion(const Situation& situation, const v1::DatabaseMemory& database,
                          const std::string& version, std::string& fix) {
  fix.clear();
  const std::string& newest = database.newest_version();
  if (newest.empty()) return "";
  if (version.empty()) {
    fix = "install Connect there, or name its package in cluster.yaml (connect.package)";
    return "which version of Connect it would start is not known";
  }
  if (!IsNewer(newest, version)) return "";
  const std::string older = absl::StrCat("Connect ", version, " is older than ", newest);
  if (!IsAsBefore(situation, database) || IsNewer(database.before_version(), version)) {
    fix = absl::StrCat("put the database back to what it was before Connect ", newest,
                       ", then: connect-ha rollout restored --version ", version,
                       " --reason ...; or name ", newest,
                       " or a later one in cluster.yaml (connect.version), then: connect-ha apply");
    return absl::StrCat(older, ", which may have migrated the database");
  }
  const Member* may_migrate = WhoMayMigrate(situation, version);
  if (may_migrate == nullptr) return "";
  fix = absl::StrCat("the same again once Connect has been stopped on ", may_migrate->name(),
                     " for a minute: connect-ha rollout status");
  return absl::StrCat(older, ", which may migrate the database yet: it runs on ",
                      may_migrate->name(), ", or did a moment ago");
}

}  // namespace connect_ha
