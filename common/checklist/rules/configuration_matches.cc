#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/config_values.h"
#include "common/checklist/view/facts_view.h"

namespace connect_ha {
namespace {

using Nodes = std::vector<const v1::NodeSnapshot*>;

// One key as the nodes have it; null where a node does not set it.
struct KeyOnNodes {
  std::string name;  // as first written: Section.Key
  std::string section;
  std::string key;
  const ConfigKeyClass* key_class = nullptr;
  std::vector<const v1::ConfigKey*> on;  // as Nodes
};

// Spelt alike, in one section.
bool HaveOneName(const v1::ConfigKey& a, const v1::ConfigKey& b) {
  return a.name() == b.name() && a.section() == b.section() && a.subsection() == b.subsection();
}

// Nodes have their keys in one order, mostly: then no key is looked for by its name.
std::map<std::string, KeyOnNodes> CollectKeys(const Nodes& nodes) {
  std::map<std::string, KeyOnNodes> keys;
  std::vector<std::pair<const v1::ConfigKey*, KeyOnNodes*>> in_order;  // of the node before
  for (size_t i = 0; i < nodes.size(); ++i) {
    size_t position = 0;
    for (const v1::ConfigKey& key : nodes[i]->facts().configuration().keys()) {
      if (position == in_order.size()) in_order.emplace_back(nullptr, nullptr);
      auto& [example, known] = in_order[position++];
      if (example == nullptr || !HaveOneName(*example, key)) known = &keys[KeyIdentity(key)];
      example = &key;
      KeyOnNodes& entry = *known;
      if (entry.on.empty()) {
        entry.name = KeyName(key);
        entry.section = key.section();
        entry.key = key.name();
        entry.key_class = &ClassOf(key.section(), key.name());
        entry.on.resize(nodes.size());
      }
      entry.on[i] = &key;
    }
  }
  return keys;
}

// Nothing that is compared differs.
bool AreWrittenAlike(const v1::ConfigKey& a, const v1::ConfigKey& b) {
  return a.secret_digest() == b.secret_digest() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

// As Connect reads it: however it is spelt, in whatever order its values stand.
std::string ComparableText(const KeyOnNodes& key, const v1::ConfigKey* on_node) {
  if (on_node == nullptr) {
    const char* otherwise = key.key_class->otherwise;
    return otherwise == nullptr ? KeyText(nullptr, nullptr)
                                : NormalizedConfigValue(key.section, key.key, otherwise);
  }
  v1::ConfigKey read = *on_node;
  for (std::string& value : *read.mutable_values()) {
    value = NormalizedConfigValue(key.section, key.key, value);
  }
  std::sort(read.mutable_values()->begin(), read.mutable_values()->end());
  return KeyText(&read, nullptr);
}

// Where a person changes the value; the key's name tells the section.
std::string PlaceOnNode(const KeyOnNodes& key, const v1::Facts& facts) {
  const bool is_set = FindKey(facts, key.section, key.key) != nullptr;
  return is_set ? SettingPlace(facts, key.section, key.key) : ConfigPath(facts);
}

// Where the specification gives the configuration, whose file is as it says; by what the nodes'
// agents say, since only they have it filled in.
enum class Written { kNotSaid, kRight, kToBeWritten };

Written HowWritten(const v1::Snapshot& cluster, const v1::NodeSnapshot& node) {
  const bool is_given = cluster.generation() > 0 && cluster.spec().connect().has_config();
  if (!is_given || !node.has_convergence() || node.ahead() || node.odd()) return Written::kNotSaid;
  const v1::Convergence& convergence = node.convergence();
  // It has not taken this generation yet.
  if (convergence.generation() != cluster.generation()) return Written::kToBeWritten;
  if (convergence.state() == v1::Convergence::LOOKING) return Written::kNotSaid;
  const std::string file = absl::StrCat("file ", ConfigPath(node.facts()));
  const auto names_it = [&file](const auto& entry) { return entry.resource() == file; };
  const auto& changes = convergence.changes();
  const auto& troubles = convergence.troubles();
  const bool differs = std::any_of(changes.begin(), changes.end(), names_it) ||
                       std::any_of(troubles.begin(), troubles.end(), names_it);
  return differs ? Written::kToBeWritten : Written::kRight;
}

// The nodes, and which of them are compared with each other.
struct Compared {
  Nodes nodes;
  std::vector<bool> behind;  // still to be written, while others are right: these say what it is
  const v1::NodeSnapshot* right = nullptr;  // one of those; null: none is behind
};

Compared Divide(const v1::Snapshot& cluster) {
  Compared compared;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    const Written written = HowWritten(cluster, node);
    compared.nodes.push_back(&node);
    compared.behind.push_back(written == Written::kToBeWritten);
    if (written == Written::kRight && compared.right == nullptr) compared.right = &node;
  }
  const bool any =
      std::find(compared.behind.begin(), compared.behind.end(), true) != compared.behind.end();
  if (any && compared.right != nullptr) return compared;
  compared.right = nullptr;
  compared.behind.assign(compared.nodes.size(), false);
  return compared;
}

// It is a change that is still to be made, or drift; not a quarrel among the nodes.
void JudgeBehind(const std::string& what, const std::vector<Seen>& seen,
                 const std::vector<Seen>& behind, const Compared& compared, Verdict& verdict) {
  const auto right = std::find_if(seen.begin(), seen.end(), [&compared](const Seen& one) {
    return one.node == compared.right;
  });
  if (right == seen.end()) return;
  std::vector<Seen> differ;
  for (const Seen& one : behind) {
    const bool is_comparable = !one.is_digest || !right->is_digest ||
                               one.node->digest_key_id() == right->node->digest_key_id();
    if (is_comparable && one.value != right->value) differ.push_back(one);
  }
  Compare(verdict, differ,
          {what, right->value,
           [](const Seen& one, const Seen&) -> Fixes {
             return {ByHand(one.node->name(),
                            "the specification gives the file: connect-ha plan says when it is "
                            "written here")};
           },
           ""});
}

void JudgeKey(const KeyOnNodes& key, const Compared& compared, Verdict& verdict) {
  const KeyClass key_class = key.key_class->key_class;
  if (key_class == KeyClass::kMayDiffer || key_class == KeyClass::kMustDiffer) return;
  const Nodes& nodes = compared.nodes;
  std::vector<Seen> seen;
  std::vector<Seen> behind;
  seen.reserve(nodes.size());
  const v1::ConfigKey* before = nullptr;
  std::string value;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const v1::ConfigKey* here = key.on[i];
    const bool is_alike =
        i > 0 &&
        (here == nullptr || before == nullptr ? here == before : AreWrittenAlike(*here, *before));
    if (!is_alike) value = ComparableText(key, here);
    (compared.behind[i] ? behind : seen)
        .push_back({nodes[i], value, here != nullptr && here->has_secret_digest()});
    before = here;
  }
  const char* note = key_class == KeyClass::kUnknown ? " (a key not known here)" : "";
  const std::string what = absl::StrCat(key.name, note, " =");
  Agree(verdict, seen,
        {what, std::nullopt,
         [&](const Seen& one, const Seen& right) -> Fixes {
           const std::string& node = one.node->name();
           return {
               ByHand(node, absl::StrCat("give ", key.name, " the value that ", right.node->name(),
                                         " has, in ", PlaceOnNode(key, one.node->facts()))),
               RestartConnect(node)};
         },
         absl::StrCat("decide which value ", key.name, " is to have, and give it to every node")});
  JudgeBehind(what, seen, behind, compared, verdict);
}

}  // namespace

v1::Finding ConfigurationMatches(const v1::Snapshot& cluster) {
  Verdict verdict;
  const Compared compared = Divide(cluster);
  const auto keys = CollectKeys(compared.nodes);
  for (const auto& [identity, key] : keys) JudgeKey(key, compared, verdict);
  for (const v1::NodeSnapshot* node : compared.nodes) {
    verdict.Pass(node->name(), absl::StrCat(keys.size(), " keys, none in conflict"));
  }
  return verdict.Finish();
}

}  // namespace connect_ha
