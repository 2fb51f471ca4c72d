// How many serve, and who may leave.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "coordinator/plan/look/situation.h"

namespace connect_ha {

// How many are left while nodes leave one after the other.
class Capacity {
 public:
  // Borrows it.
  explicit Capacity(Situation& situation);

  // Of those that serve and do not leave, but for this member.
  size_t Others(size_t member) const;
  // Of these, the ones on which the rule is known to hold, for as long as it has to fail to act.
  size_t SoundOthers(size_t member, const std::string& rule) const;
  void Leave(size_t member);

 private:
  Situation& situation_;
  std::vector<bool> serves_;
};

}  // namespace connect_ha
