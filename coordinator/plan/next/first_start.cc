#include "coordinator/plan/next/first_start.h"

#include "common/version.h"
#include "coordinator/plan/words/words.h"

namespace connect_ha {

bool IsApprovedStart(const v1::PlanInput& input, const v1::DatabaseMemory& database,
                     const std::string& version) {
  const v1::Rollout& rollout = input.memory().rollout();
  const bool is_named = rollout.generation() == input.generation() && !rollout.has_ended_at() &&
                        rollout.kind() == v1::Rollout::TOGETHER && !rollout.approved_by().empty() &&
                        SameVersion(input.spec().connect().version(), version);
  // One that was seen to run, and not noted before, knows of nothing before it.
  const bool is_noted = input.memory().not_before() == input.generation() &&
                        !database.before_version().empty() &&
                        CompareVersions(version, database.newest_version()) <= 0;
  return is_named || is_noted;
}

const v1::Word* ApprovalSince(const Situation& situation) {
  const v1::PlanInput& input = situation.input;
  const v1::Word* word = ClusterWord(situation.words, v1::Word::APPROVE, input.generation());
  const v1::Rollout& rollout = input.memory().rollout();
  const bool is_since =
      word != nullptr && (rollout.generation() != input.generation() ||
                          FromProto(word->at()) > FromProto(rollout.in_force_at()));
  return is_since ? word : nullptr;
}

}  // namespace connect_ha
