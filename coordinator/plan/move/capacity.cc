#include "coordinator/plan/move/capacity.h"

#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/hysteresis.h"

namespace connect_ha {

Capacity::Capacity(Situation& situation) : situation_(situation) {
  for (const Member& member : situation.members) serves_.push_back(member.serves);
}

size_t Capacity::Others(size_t member) const {
  size_t others = 0;
  for (size_t i = 0; i < serves_.size(); ++i) {
    if (i != member && serves_[i]) ++others;
  }
  return others;
}

// Where it is not known whether it holds, nothing is built on it. Of what goes away everywhere at
// once one node tells first: the others have as long to tell it, too, as they had to fail.
size_t Capacity::SoundOthers(size_t member, const std::string& rule) const {
  size_t others = 0;
  for (size_t i = 0; i < serves_.size(); ++i) {
    if (i == member || !serves_[i]) continue;
    const v1::NodeRule* line = LineOf(*situation_.members[i].node, rule);
    if (line == nullptr || !Holds(*line)) continue;
    const auto after = FailAfter(situation_.input.spec(), rule);
    if (situation_.moments.Lasted(FromProto(line->since()), after)) ++others;
  }
  return others;
}

void Capacity::Leave(size_t member) { serves_[member] = false; }

}  // namespace connect_ha
