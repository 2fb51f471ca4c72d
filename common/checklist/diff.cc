#include "common/checklist/diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "common/checklist/rule.h"
#include "common/checklist/view/traits.h"

namespace connect_ha {
namespace {

// What the other node has where this one has no such trait: the reason when what is above it
// could not be observed, what holds by default, or nothing.
Trait Missing(const std::string& path, const Trait& other, const Traits& traits) {
  for (size_t dot = path.rfind('.'); dot != std::string::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const auto above = traits.find(path.substr(0, dot));
    if (above != traits.end() && !above->second.known) return above->second;
  }
  if (!other.known) return {"observed", other.rule};
  const auto keys = traits.find("configuration.keys");
  if (path.rfind("configuration.", 0) == 0 && keys != traits.end()) return keys->second;
  return {other.otherwise == nullptr ? "absent" : other.otherwise, other.rule};
}

Difference Describe(const std::string& path, const Trait& a, const Trait& b) {
  v1::Difference difference;
  difference.set_path(!a.name.empty() ? a.name : b.name.empty() ? path : b.name);
  difference.set_a(a.value);
  difference.set_b(b.value);
  if (a.known && b.known) difference.set_rule(a.rule);
  return {difference, a.known, b.known};
}

// Rules in the table's order, what breaks none last.
size_t Rank(const std::string& rule) {
  const auto& rules = Rules();
  const auto it =
      std::find_if(rules.begin(), rules.end(), [&rule](const Rule& row) { return row.id == rule; });
  return static_cast<size_t>(it - rules.begin());
}

}  // namespace

std::vector<Difference> Diff(const v1::NodeSnapshot& a, const v1::NodeSnapshot& b) {
  const Traits of_a = TraitsOf(a);
  const Traits of_b = TraitsOf(b);
  std::set<std::string> paths;
  for (const auto& [path, trait] : of_a) paths.insert(path);
  for (const auto& [path, trait] : of_b) paths.insert(path);

  std::vector<Difference> differences;
  for (const std::string& path : paths) {
    const auto in_a = of_a.find(path);
    const auto in_b = of_b.find(path);
    const Trait left = in_a != of_a.end() ? in_a->second : Missing(path, in_b->second, of_a);
    Trait right = in_b != of_b.end() ? in_b->second : Missing(path, in_a->second, of_b);
    if (left.value == right.value || left.Compared() == right.Compared()) continue;
    if (left.is_digest && right.is_digest && a.digest_key_id() != b.digest_key_id()) {
      right.value = "unknown: made with another digest key";
      right.known = false;
    }
    differences.push_back(Describe(path, left, right));
  }
  std::stable_sort(differences.begin(), differences.end(),
                   [](const Difference& left, const Difference& right) {
                     return Rank(left.message.rule()) < Rank(right.message.rule());
                   });
  return differences;
}

}  // namespace connect_ha
