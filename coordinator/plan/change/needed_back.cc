#include "coordinator/plan/change/needed_back.h"

#include <algorithm>
#include <cstddef>

#include "coordinator/plan/change/together.h"
#include "coordinator/plan/change/turn.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/serving.h"

namespace connect_ha {
namespace {

// What may corrupt data is known not to be so. What is less grave than its rule does not.
bool IsHarmless(const Situation& situation, const Member& member) {
  const auto& rules = member.node->rules();
  return std::all_of(rules.begin(), rules.end(), [&](const v1::NodeRule& line) {
    return DoesNothing(line) || ActionOf(situation, member, line.rule()) != v1::FENCE;
  });
}

// So many others serve, or may, while it is out; for a change minimum_serving.
size_t OthersItTakes(const Situation& situation, const Change& change, const Member& member) {
  const NodeWords& words = member.words;
  const bool is_else = words.stop != nullptr || words.drain != nullptr ||
                       member.notice != nullptr || member.memory.out_for_size() > 0;
  if (is_else || WhyItIsStopped(situation, change, member).empty()) return 1;
  return MinimumServing(situation.input.spec());
}

}  // namespace

bool MayBeDowntime(const Situation& situation, const Change& change, const Member& member) {
  if (!WhyHeld(situation, change, member).empty()) return true;
  if (MayBeDowntime(member.words)) return true;
  return change.may_be_downtime() && !WhyItIsStopped(situation, change, member).empty();
}

bool IsNeededBack(const Situation& situation, const Change& change, const Member& member) {
  const NodeWords& words = member.words;
  if (words.fence != nullptr || words.cordon != nullptr) return false;
  if (MayBeDowntime(situation, change, member)) return false;
  const v1::FactsBrief& facts = member.node->brief().facts();
  const bool mounted =
      facts.has_mount_verified() ? facts.mount_verified() : !situation.input.spec().has_storage();
  return mounted && facts.has_answers() && facts.answers() && IsHarmless(situation, member) &&
         OthersThatMayServe(situation, member) < OthersItTakes(situation, change, member);
}

}  // namespace connect_ha
