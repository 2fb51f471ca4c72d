#include "coordinator/plan/look/unclear.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "coordinator/plan/look/action.h"
#include "coordinator/plan/look/hazards.h"
#include "coordinator/plan/look/hysteresis.h"

namespace connect_ha {
namespace {

// Rules that compare the nodes with each other where the specification does not say the value, or
// only by a file of its own. Not the versions of Connect: for another one all nodes stop.
constexpr const char* kCompareWhatIsChanged[] = {"configuration-matches", "runtimes-match-python",
                                                 "runtimes-match-quarto", "runtimes-match-r"};

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

std::string WhyNotSure(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  if (line.undecided()) return "nothing tells which node is the wrong one";
  if (DiffersOnPurpose(situation, member, line)) {
    return "the nodes go over to this generation one after the other, and differ meanwhile";
  }
  switch (line.basis()) {
    case v1::SELF:
    case v1::PROOF:
      break;
    case v1::SPEC:
      if (member.memory.reached() < situation.input.generation()) {
        return "it has not been as this generation says yet: a change that is still to be made";
      }
      if (IsJustMade(situation, member)) {
        return "it was brought to this generation a moment ago, and is looked at anew";
      }
      break;
    case v1::PEERS:
      if (!IsAgainstMajority(situation, line.rule())) {
        return "it is not against a majority of three or more that serve";
      }
      break;
    default:
      return "what it rests on is not known";
  }
  const auto after = FailAfter(situation.input.spec(), line.rule());
  if (!situation.moments.Lasted(FromProto(line.since()), after)) {
    return absl::StrCat("it has to last for ", FormatSpan(after));
  }
  return "";
}

bool DiffersOnPurpose(const Situation& situation, const Member& member, const v1::NodeRule& line) {
  const bool compares =
      std::any_of(std::begin(kCompareWhatIsChanged), std::end(kCompareWhatIsChanged),
                  [&line](const char* rule) { return line.rule() == rule; });
  return compares && situation.goes_over && line.outcome() == v1::FAIL &&
         line.basis() == v1::PEERS && ActionOf(situation, member, line.rule()) < v1::FENCE;
}

}  // namespace connect_ha
