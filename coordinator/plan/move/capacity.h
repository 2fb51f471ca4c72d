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
  explicit Capacity(const Situation& situation);

  // Of those that serve and do not leave, but for this member.
  size_t Others(size_t member) const;
  // Of these, the ones on which all of these rules are known to hold.
  size_t SoundOthers(size_t member, const std::vector<std::string>& rules) const;
  void Leave(size_t member);

 private:
  bool IsSound(size_t member, const std::vector<std::string>& rules) const;

  const Situation& situation_;
  std::vector<bool> serves_;
};

}  // namespace connect_ha
