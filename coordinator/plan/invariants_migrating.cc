// What may migrate the database: approved, and left alone meanwhile.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "common/version.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool IsFirstAlone(const v1::Rollout& rollout) {
  return rollout.generation() != 0 && rollout.kind() == v1::Rollout::TOGETHER &&
         rollout.has_in_force_at() && !rollout.has_verified_at() && !rollout.has_ended_at();
}

// It was told to start, by what is remembered, and has neither answered nor ended.
bool MayMigrate(const v1::PlanInput& input, const Judged& judged) {
  const v1::PlanNode& node = *judged.node;
  const bool told = judged.before.state() == v1::SERVING || judged.before.state() == v1::DRAINING;
  const bool by_that = !IsAfter(node.obeys(), judged.before.order());
  const bool gone = !node.fresh() && WordOn(input, judged.name(), v1::Word::GONE) != nullptr;
  const bool rests = node.fresh() && node.connect() == v1::CONNECT_RESTS;
  return told && by_that && !gone && !rests && node.start_failed().empty() &&
         !node.brief().facts().answers();
}

const Judged* WhoMayMigrate(const v1::PlanInput& input, const std::vector<Judged>& nodes) {
  const v1::Rollout& rollout = input.memory().rollout();
  if (!IsFirstAlone(rollout)) return nullptr;
  const auto is_it = [&](const Judged& judged) {
    return judged.name() == rollout.first() && MayMigrate(input, judged);
  };
  const auto found = std::find_if(nodes.begin(), nodes.end(), is_it);
  return found == nodes.end() ? nullptr : &*found;
}

// Nothing is begun beside it but what takes hands off all nodes; and for no abort, nor for a newer
// generation, is it stopped half way.
void JudgeLeftAlone(const v1::PlanInput& input, const v1::Decision& decision,
                    const std::vector<Judged>& nodes, Complaints& broken) {
  const Judged* first = WhoMayMigrate(input, nodes);
  if (first == nullptr) return;
  const v1::Rollout& after = decision.remember().rollout();
  const bool replaced = after.generation() != input.memory().rollout().generation();
  const bool lets_go = input.has_next() && input.next().spec().enforcement() != v1::ENFORCE;
  if (replaced && !lets_go) {
    broken.push_back(absl::StrCat("another change is begun, and ", first->name(),
                                  " may be migrating the database"));
  }
  const bool stops = first->moved && first->given.state() == v1::STOPPED;
  const bool is_else =
      IsWanted(input, *first) || RunsOlder(input, *first->node) || first->after.out_for_size() > 0;
  if (stops && !is_else) {
    broken.push_back(absl::StrCat(first->name(), " is stopped, and may be migrating the database"));
  }
}

bool IsRightElsewhere(const v1::PlanInput& input, const std::string& version) {
  return std::any_of(input.nodes().begin(), input.nodes().end(), [&](const v1::PlanNode& node) {
    return node.fresh() && node.brief().facts().answers() &&
           SameVersion(node.running_version(), version);
  });
}

// However often it was started before.
void JudgeApproved(const v1::PlanInput& input, const std::vector<Judged>& nodes,
                   Complaints& broken) {
  const std::string& right = input.memory().database().right_version();
  const std::string& newest = input.memory().database().newest_version();
  // As this generation, which is when it was noted.
  const bool noted = input.memory().not_before() == input.generation();
  const bool put_back = WordOnAll(input, v1::Word::RESTORED, 0) != nullptr;
  if (right.empty() || put_back) return;
  for (const Judged& judged : nodes) {
    const std::string& version = judged.node->installed_version();
    if (!Begins(judged) || version.empty() || CompareVersions(version, right) <= 0) continue;
    if (noted && CompareVersions(version, newest) <= 0) continue;
    if (IsRightElsewhere(input, version)) continue;
    broken.push_back(absl::StrCat(judged.name(), " starts Connect ", version,
                                  ", which was never right with the database, and nobody "
                                  "approved that"));
  }
}

}  // namespace

void JudgeMigrating(const v1::PlanInput& input, const v1::Decision& decision,
                    const std::vector<Judged>& nodes, Complaints& broken) {
  JudgeLeftAlone(input, decision, nodes, broken);
  JudgeApproved(input, nodes, broken);
}

}  // namespace connect_ha
