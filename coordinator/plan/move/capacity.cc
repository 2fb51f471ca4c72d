#include "coordinator/plan/move/capacity.h"

#include <algorithm>

#include "coordinator/plan/look/hazards.h"

namespace connect_ha {

Capacity::Capacity(const Situation& situation) : situation_(situation) {
  for (const Member& member : situation.members) serves_.push_back(member.serves);
}

size_t Capacity::Others(size_t member) const {
  size_t others = 0;
  for (size_t i = 0; i < serves_.size(); ++i) {
    if (i != member && serves_[i]) ++others;
  }
  return others;
}

// Where it is not known whether they hold, nothing is built on it.
bool Capacity::IsSound(size_t member, const std::vector<std::string>& rules) const {
  const Member& other = situation_.members[member];
  return std::all_of(rules.begin(), rules.end(), [&other](const std::string& rule) {
    const v1::NodeRule* line = LineOf(*other.node, rule);
    return line != nullptr && Holds(*line);
  });
}

size_t Capacity::SoundOthers(size_t member, const std::vector<std::string>& rules) const {
  size_t others = 0;
  for (size_t i = 0; i < serves_.size(); ++i) {
    if (i != member && serves_[i] && IsSound(i, rules)) ++others;
  }
  return others;
}

void Capacity::Leave(size_t member) { serves_[member] = false; }

}  // namespace connect_ha
