// Which Connect is started, and when its gate opens.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "common/version.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool IsSeen(const v1::PlanInput& input, const std::string& version) {
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    return SameVersion(node.running_version(), version) ||
           SameVersion(node.newest_start().version(), version);
  });
}

bool IsNewer(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && CompareVersions(a, b) > 0;
}

// As what all nodes stopped for and that names it; or by a word that was said since, or in the
// window, with a backup.
bool IsApproved(const v1::PlanInput& input, const std::string& version) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool is_of_this = rollout.generation() == input.generation();
  const bool is_named = is_of_this && rollout.kind() == v1::Rollout::TOGETHER &&
                        !rollout.has_ended_at() && !rollout.approved_by().empty() &&
                        SameVersion(input.spec().connect().version(), version);
  const v1::Word* word = WordOnAll(input, v1::Word::APPROVE, input.generation());
  const bool is_said = word != nullptr && HoldsNow(input, *word) &&
                       (!is_of_this || FromProto(word->at()) > FromProto(rollout.in_force_at()));
  return is_named ||
         ((is_said || IsWindowOpen(input)) && IsBackedUp(input, input.spec(), input.generation()));
}

void JudgeDatabase(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  const std::string& before = input.memory().database().newest_version();
  const std::string& after = decision.remember().database().newest_version();
  const std::string& was_right = input.memory().database().right_version();
  const std::string& is_right = decision.remember().database().right_version();
  const v1::Word* put_back = WordOnAll(input, v1::Word::RESTORED, 0);
  const bool newest_lost = !before.empty() && (after.empty() || IsNewer(before, after));
  const bool right_lost = !was_right.empty() && (is_right.empty() || IsNewer(was_right, is_right));
  if (put_back == nullptr && (newest_lost || right_lost)) {
    broken.push_back("which versions of Connect the database has known is forgotten");
  }
  if (before.empty() || !IsNewer(after, before) || IsSeen(input, after)) return;
  // A person says so.
  if (put_back != nullptr && SameVersion(put_back->version(), after)) return;
  if (!IsApproved(input, after)) {
    broken.push_back(absl::StrCat("Connect ", after, " is to be started, which may migrate the ",
                                  "database, and nobody approved that"));
  }
}

// The database says that nothing was migrated since it ran.
bool IsAsBefore(const v1::PlanInput& input, const std::string& version) {
  const v1::DatabaseMemory& database = input.memory().database();
  if (database.before_migration().empty() || IsNewer(database.before_version(), version)) {
    return false;
  }
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    return node.fresh() && node.migration() == database.before_migration();
  });
}

void JudgeWhoStarts(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                    Complaints& broken) {
  const std::string& newest = input.memory().database().newest_version();
  const bool put_back = WordOnAll(input, v1::Word::RESTORED, 0) != nullptr;
  const v1::Rollout& rollout = input.memory().rollout();
  for (const Judged& judged : nodes) {
    if (!Begins(judged)) continue;
    const std::string& version = judged.node->installed_version();
    if (!version.empty() && (newest.empty() || IsNewer(version, newest))) {
      broken.push_back(
          absl::StrCat(judged.name(), " starts Connect ", version, ", which is not remembered"));
    }
    if (IsNewer(newest, version) && !put_back && !IsAsBefore(input, version)) {
      broken.push_back(absl::StrCat(judged.name(), " starts Connect ", version, ", and ", newest,
                                    " may have migrated the database"));
    }
    if (!judged.given.closed()) {
      broken.push_back(absl::StrCat(judged.name(), " takes users before it was looked at"));
    }
    if (!IsAllStopUnderWay(input) || rollout.has_verified_at()) continue;
    if (!rollout.has_in_force_at() || rollout.first() != judged.name()) {
      broken.push_back(absl::StrCat(judged.name(), " starts before its turn"));
    }
  }
}

bool IsLookedAt(const v1::PlanInput& input, const v1::PlanNode& node) {
  const v1::FactsBrief& facts = node.brief().facts();
  const bool mounted =
      facts.has_mount_verified() ? facts.mount_verified() : !input.spec().has_storage();
  const v1::ConnectSpec& spec = input.spec().connect();
  const bool version = !spec.has_version() || spec.version().empty() ||
                       SameVersion(node.running_version(), spec.version());
  return node.heard() && node.fresh() && node.connect() == v1::CONNECT_RUNS && facts.answers() &&
         mounted && version;
}

void JudgeGates(const v1::PlanInput& input, const std::vector<Judged>& nodes, Complaints& broken) {
  for (const Judged& judged : nodes) {
    const bool was_closed = judged.before.state() == v1::SERVING && judged.before.closed() &&
                            !IsAfter(judged.node->obeys(), judged.before.order());
    const bool opens =
        judged.moved && judged.given.state() == v1::SERVING && !judged.given.closed() && was_closed;
    if (opens && !IsLookedAt(input, *judged.node)) {
      broken.push_back(absl::StrCat(judged.name(), " takes users, and is not known to be right"));
    }
    if (judged.given.closed() && judged.given.state() != v1::SERVING) {
      broken.push_back(absl::StrCat(judged.name(), " is closed, and does not serve"));
    }
  }
}

}  // namespace

void JudgeStarts(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken) {
  JudgeDatabase(input, decision, broken);
  JudgeWhoStarts(input, nodes, broken);
  JudgeGates(input, nodes, broken);
}

}  // namespace connect_ha
