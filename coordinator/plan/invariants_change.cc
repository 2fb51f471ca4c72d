// Changes of the cluster from one generation to the next.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/time.h"
#include "coordinator/plan/judged.h"

namespace connect_ha {
namespace {

bool IsGoneFor(const v1::PlanInput& input, const v1::PlanNode& node) {
  return !node.fresh() && WordOn(input, node.brief().name(), v1::Word::GONE) != nullptr;
}

bool IsKnownToRest(const v1::PlanInput& input, const Judged& judged) {
  const v1::PlanNode& node = *judged.node;
  if (IsGoneFor(input, node)) return true;
  const v1::NodeState reported = node.brief().reported_state();
  const bool held = reported == v1::STOPPED || reported == v1::FENCED;
  return node.heard() && node.fresh() && !node.brief().lost() && node.brief().claimants() <= 1 &&
         held && judged.before.state() == reported &&
         !IsAfter(judged.before.order(), node.obeys()) && node.connect() == v1::CONNECT_RESTS;
}

void JudgeGeneration(const v1::PlanInput& input, const v1::Decision& decision,
                     const std::vector<Judged>& nodes, Complaints& broken) {
  for (const Judged& judged : nodes) {
    if (judged.moved && judged.given.generation() != input.generation()) {
      broken.push_back(absl::StrCat(judged.name(), " is told a generation that is not in force"));
    }
  }
  const uint64_t before = input.generation();
  const uint64_t after = decision.remember().generation();
  if (after == before || after == input.memory().generation()) return;
  if (after < before || !input.has_next() || after != input.next().generation()) {
    broken.push_back("a generation is put into force that is not the newest");
  }
  const v1::Rollout& rollout = decision.remember().rollout();
  if (rollout.generation() != after || rollout.kind() != v1::Rollout::TOGETHER) return;
  const v1::Rollout& known = input.memory().rollout();
  if (known.generation() != after || known.kind() != v1::Rollout::TOGETHER ||
      known.has_ended_at()) {
    broken.push_back(
        "a generation for which all nodes stop is put into force before they were told");
  }
  for (const Judged& judged : nodes) {
    if (!IsKnownToRest(input, judged)) {
      broken.push_back(absl::StrCat("a generation for which all nodes stop is put into force, and ",
                                    judged.name(), " is not known to be stopped"));
    }
  }
}

// It is no member, was declared gone, or rests and a person holds it.
bool MayBeReplaced(const v1::PlanInput& input, const std::string& name) {
  for (const v1::PlanNode& node : input.nodes()) {
    if (node.brief().name() != name) continue;
    if (IsGoneFor(input, node)) return true;
    const auto kinds = {v1::Word::STOP, v1::Word::DRAIN, v1::Word::CORDON, v1::Word::FENCE,
                        v1::Word::RELEASE};
    const bool held = node.notices_size() > 0 ||
                      std::any_of(kinds.begin(), kinds.end(), [&](v1::Word::Kind kind) {
                        return WordOn(input, name, kind) != nullptr;
                      });
    return held && node.fresh() && node.connect() == v1::CONNECT_RESTS;
  }
  return true;
}

bool Stays(bool had, const google::protobuf::Timestamp& before, bool has,
           const google::protobuf::Timestamp& after) {
  return !had || (has && FromProto(before) == FromProto(after));
}

void JudgeMemoryOfIt(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  if (decision.remember().not_before() < input.memory().not_before()) {
    broken.push_back("what all nodes have left together is forgotten");
  }
  const v1::Rollout& before = input.memory().rollout();
  const v1::Rollout& after = decision.remember().rollout();
  const bool in_force = before.has_in_force_at() && !before.has_ended_at();
  // All nodes are to stop for another one, and what is in force is not done.
  const bool is_kept = before.generation() != 0 && !before.has_in_force_at() &&
                       input.memory().given_up().generation() == input.generation();
  if ((in_force || is_kept) && after.generation() == 0)
    broken.push_back("what was done of a change is forgotten");
  if (before.generation() == 0 || before.generation() != after.generation()) return;
  const bool stays =
      Stays(before.has_in_force_at(), before.in_force_at(), after.has_in_force_at(),
            after.in_force_at()) &&
      Stays(before.has_verified_at(), before.verified_at(), after.has_verified_at(),
            after.verified_at()) &&
      Stays(before.has_opened_at(), before.opened_at(), after.has_opened_at(), after.opened_at()) &&
      Stays(before.has_ended_at(), before.ended_at(), after.has_ended_at(), after.ended_at());
  if (!stays) broken.push_back("what was done of a change is forgotten");
  if (!before.first().empty() && before.first() != after.first() &&
      !MayBeReplaced(input, before.first())) {
    broken.push_back(absl::StrCat("another node goes first, and ", before.first(), " may run"));
  }
}

void JudgeWords(const v1::RolloutStatus& status, Complaints& broken) {
  const bool stands = status.standing() != v1::RolloutStatus::STANDING_UNSPECIFIED;
  if (stands && status.reason().empty()) {
    broken.push_back("a change is under way, and it is not said for what it waits");
  }
  const bool waits = status.standing() == v1::RolloutStatus::HALTED ||
                     status.standing() == v1::RolloutStatus::PAUSED;
  if (waits && (status.reason().empty() || status.fixes().empty())) {
    broken.push_back("a change does not go on, and it is not said why, or what to type");
  }
}

void JudgeShown(const v1::PlanInput& input, const v1::Decision& decision, Complaints& broken) {
  const v1::Rollout& rollout = decision.remember().rollout();
  const bool is_under_way = rollout.generation() != 0 && !rollout.has_ended_at();
  const v1::RolloutStatus& status = decision.rollout();
  if ((input.has_next() || is_under_way) &&
      status.phase() == v1::RolloutStatus::PHASE_UNSPECIFIED) {
    broken.push_back("a change is in no phase");
  } else if (is_under_way && status.generation() != rollout.generation()) {
    broken.push_back("a change is under way, and another one is shown in its place");
  }
  JudgeWords(status, broken);
  JudgeWords(status.next(), broken);
}

}  // namespace

void JudgeChange(const v1::PlanInput& input, const v1::Decision& decision,
                 const std::vector<Judged>& nodes, Complaints& broken) {
  JudgeGeneration(input, decision, nodes, broken);
  JudgeMemoryOfIt(input, decision, broken);
  JudgeShown(input, decision, broken);
}

}  // namespace connect_ha
