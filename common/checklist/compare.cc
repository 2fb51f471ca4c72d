#include "common/checklist/compare.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

constexpr size_t kValuesShown = 3;

using NodesByValue = std::map<std::string, std::vector<std::string>>;

NodesByValue GroupByValue(const std::vector<Seen>& seen) {
  NodesByValue groups;
  for (const Seen& one : seen) groups[one.value].push_back(one.node);
  return groups;
}

// The value that more than half of the nodes have; null when there is none.
const NodesByValue::value_type* Majority(const NodesByValue& groups, size_t nodes) {
  for (const auto& group : groups) {
    if (group.second.size() * 2 > nodes) return &group;
  }
  return nullptr;
}

// "2 on node-1, 6 on node-2", of many the commonest: "2 on node-1, node-4, ... and 17 more"
std::string CommonestValues(const NodesByValue& groups) {
  std::vector<const NodesByValue::value_type*> commonest;
  for (const auto& group : groups) commonest.push_back(&group);
  std::stable_sort(commonest.begin(), commonest.end(), [](const auto* a, const auto* b) {
    return a->second.size() > b->second.size();
  });
  const size_t shown = std::min(commonest.size(), kValuesShown);
  std::vector<std::string> parts;
  for (size_t i = 0; i < shown; ++i) {
    parts.push_back(absl::StrCat(commonest[i]->first, " on ", JoinNames(commonest[i]->second)));
  }
  const std::string line = absl::StrJoin(parts, ", ");
  const size_t left = groups.size() - shown;
  return left == 0 ? line : absl::StrCat(line, "; and ", left, " more values");
}

std::string Line(const std::string& what, const std::string& value) {
  return what.empty() ? value : absl::StrCat(what, " ", value);
}

// `undecided` is the fix where nobody can say who is right; `other` is one who may be.
void Judge(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
           const std::optional<std::string>& wanted, const FixFor& fix, const FixFor& undecided) {
  const NodesByValue groups = GroupByValue(seen);
  const auto* majority = wanted ? nullptr : Majority(groups, seen.size());
  const bool is_undecided = !wanted && !majority && groups.size() > 1;
  const std::string all = is_undecided ? Line(what, CommonestValues(groups)) : "";
  for (const Seen& one : seen) {
    const std::string line = Line(what, one.value);
    if (wanted && one.value != *wanted) {
      verdict.Fail(one.node, absl::StrCat(line, ", wanted ", *wanted), fix(one, {"", *wanted}));
    } else if (wanted || groups.size() == 1 || (majority && majority->first == one.value)) {
      verdict.Pass(one.node, line);
    } else if (majority) {
      verdict.Fail(
          one.node,
          absl::StrCat(line, ", but ", majority->first, " on ", JoinNames(majority->second)),
          fix(one, {majority->second.front(), majority->first}));
    } else {
      const auto first = groups.begin();
      const auto other = first->first == one.value ? std::next(first) : first;
      verdict.Fail(one.node, line, undecided(one, {other->second.front(), other->first}), all);
    }
  }
}

}  // namespace

void Compare(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
             const std::optional<std::string>& wanted, const std::string& fix) {
  const FixFor same = [&fix](const Seen&, const Seen&) { return fix; };
  Judge(verdict, what, seen, wanted, same, same);
}

void Compare(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
             const std::optional<std::string>& wanted, const FixFor& fix) {
  Judge(verdict, what, seen, wanted, fix, [&fix](const Seen& one, const Seen& other) {
    return absl::StrCat("if ", other.node, " is right: ", fix(one, other));
  });
}

bool Agree(Verdict& verdict, const std::string& what, const std::vector<Seen>& seen,
           const std::string& fix) {
  for (const Seen& one : seen) {
    if (one.value == seen.front().value) continue;
    Compare(verdict, what, seen, std::nullopt, fix);
    return false;
  }
  return true;
}

}  // namespace connect_ha
