// Which version of Connect would migrate the database.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/version.h"
#include "coordinator/plan/change/database.h"

namespace connect_ha {
namespace {

bool IsNewer(const std::string& a, const std::string& b) { return CompareVersions(a, b) > 0; }

// What was right with it once, as far as is known.
const std::string& WasRight(const v1::DatabaseMemory& database) {
  const std::string& right = database.right_version();
  return right.empty() ? database.before_version() : right;
}

// Connect has migrated it once: a coordinator that was set up anew may find it so.
bool IsPopulated(const Situation& situation) {
  return std::any_of(situation.members.begin(), situation.members.end(), [](const Member& member) {
    const v1::PlanNode& node = *member.node;
    return node.heard() && node.fresh() && !node.odd() && !node.migration().empty();
  });
}

}  // namespace

bool IsNewToDatabase(const Situation& situation, const v1::DatabaseMemory& database,
                     const std::string& version) {
  const std::string& newest = database.newest_version();
  if (version.empty()) return false;
  if (newest.empty()) return IsPopulated(situation);
  const std::string& right = WasRight(database);
  return IsNewer(version, newest) || (!right.empty() && IsNewer(version, right));
}

std::string WhyNewToDatabase(const v1::DatabaseMemory& database, const std::string& version) {
  const std::string& newest = database.newest_version();
  if (newest.empty()) {
    return "starts with a database that has Connect's tables, of a version that is not known";
  }
  if (IsNewer(version, newest)) {
    return absl::StrCat("is newer than ", newest, ", the newest that this database has known");
  }
  return absl::StrCat("is newer than ", WasRight(database), ", the newest that was right with ",
                      "this database, though ", newest, " was started before");
}

}  // namespace connect_ha
