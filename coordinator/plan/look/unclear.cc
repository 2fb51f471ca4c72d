#include "coordinator/plan/look/unclear.h"

#include "coordinator/plan/look/hazards.h"

namespace connect_ha {
namespace {

// Whether it does is not known while an order is on its way: nobody enters service by that.
bool MayServe(const Member& member) {
  const bool takes_users = member.position == v1::SERVING || member.position == v1::OBSERVED;
  const bool is_told = IsLater(member.memory.order(), member.node->obeys());
  return member.serves || (is_told && takes_users && member.node->connect() != v1::CONNECT_RESTS);
}

}  // namespace

bool IsAgainstMajority(const Situation& situation, const std::string& rule) {
  size_t known = 0;
  size_t right = 0;
  for (const Member& member : situation.members) {
    const v1::NodeRule* line = member.serves ? LineOf(*member.node, rule) : nullptr;
    if (line == nullptr || (line->outcome() != v1::PASS && line->outcome() != v1::FAIL)) continue;
    ++known;
    if (line->outcome() == v1::PASS) ++right;
  }
  return known >= 3 && 2 * right > known;
}

bool IsUnclear(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  if (!Fails(line)) return false;
  const bool among_peers = line.basis() == v1::PEERS && MayServe(member);
  return line.undecided() || (among_peers && !IsAgainstMajority(situation, line.rule()));
}

}  // namespace connect_ha
