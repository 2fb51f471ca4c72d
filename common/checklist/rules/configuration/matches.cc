#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/config_values.h"
#include "common/checklist/view/database_answer.h"
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

// One key's values.
struct KeySeen {
  std::vector<Seen> seen;  // of nodes that are compared with each other
  std::vector<Seen> behind;
  std::optional<Seen> right;  // of Compared.right
};

KeySeen SeenOf(const KeyOnNodes& key, const Compared& compared) {
  const Nodes& nodes = compared.nodes;
  KeySeen all;
  all.seen.reserve(nodes.size());
  const v1::ConfigKey* before = nullptr;
  std::string value;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const v1::ConfigKey* here = key.on[i];
    const bool is_alike =
        i > 0 &&
        (here == nullptr || before == nullptr ? here == before : AreWrittenAlike(*here, *before));
    if (!is_alike) value = ComparableText(key, here);
    const Seen one = {nodes[i], value, here != nullptr && here->has_secret_digest()};
    (compared.behind[i] ? all.behind : all.seen).push_back(one);
    if (nodes[i] == compared.right) all.right = one;
    before = here;
  }
  return all;
}

// By KeyIdentity: what database-is-same judges by where it leads.
bool LeadsToDatabase(const std::string& identity) {
  return std::any_of(kDatabases.begin(), kDatabases.end(), [&identity](const DatabaseNoun& noun) {
    return identity == absl::StrCat("postgres.", absl::AsciiStrToLower(noun.url));
  });
}

// Where not all have this value: takes those of these nodes out, which are told of already, and
// adds their names.
void LeaveOut(const std::set<std::string>& told, const std::string& value, std::vector<Seen>& seen,
              std::set<std::string>& left_out) {
  const bool alike = std::all_of(seen.begin(), seen.end(),
                                 [&value](const Seen& one) { return one.value == value; });
  if (alike) return;
  std::vector<Seen> others;
  for (const Seen& one : seen) {
    const std::string& name = one.node->name();
    if (told.count(name) > 0) {
      left_out.insert(name);
    } else {
      others.push_back(one);
    }
  }
  seen = std::move(others);
}

// It is a change that is still to be made, or drift; not a quarrel among the nodes.
void JudgeBehind(const std::string& what, const KeySeen& key, Verdict& verdict) {
  if (!key.right) return;
  const Seen& right = *key.right;
  std::vector<Seen> differ;
  for (const Seen& one : key.behind) {
    const bool is_comparable = !one.is_digest || !right.is_digest ||
                               one.node->digest_key_id() == right.node->digest_key_id();
    if (is_comparable && one.value != right.value) differ.push_back(one);
  }
  Compare(verdict, differ,
          {what, right.value,
           [](const Seen& one, const Seen&) -> Fixes {
             return {ByHand(one.node->name(),
                            "the specification gives the file: connect-ha plan says when it is "
                            "written here")};
           },
           ""});
}

void JudgeKey(const KeyOnNodes& key, const KeySeen& all, Verdict& verdict) {
  const bool is_unknown = key.key_class->key_class == KeyClass::kUnknown;
  const std::string what =
      absl::StrCat(key.name, is_unknown ? " (a key not known here)" : "", " =");
  Agree(verdict, all.seen,
        {what, std::nullopt,
         [&](const Seen& one, const Seen& right) -> Fixes {
           const std::string& node = one.node->name();
           return {
               ByHand(node, absl::StrCat("give ", key.name, " the value that ", right.node->name(),
                                         " has, in ", PlaceOnNode(key, one.node->facts()))),
               RestartConnect(node)};
         },
         absl::StrCat("decide which value ", key.name, " is to have, and give it to every node")});
  JudgeBehind(what, all, verdict);
}

// Of nodes that are right but for what another rule tells. It rests on what the others have: a node
// that is started alone is not kept from it.
void AddFollowing(const std::set<std::string>& nodes, const char* cause, v1::Finding& finding) {
  std::set<std::string> wrong;
  for (const v1::Evidence& evidence : finding.evidence()) {
    if (evidence.outcome() == v1::FAIL || evidence.outcome() == v1::UNKNOWN) {
      wrong.insert(evidence.node());
    }
  }
  std::vector<std::string> following;
  for (const std::string& node : nodes) {
    if (wrong.count(node) > 0) continue;
    following.push_back(node);
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node(node);
    evidence.set_outcome(v1::FOLLOWS);
    evidence.set_basis(v1::PEERS);
    evidence.set_cause(cause);
    evidence.set_text(absl::StrCat("follows ", cause));
  }
  if (following.empty() || !wrong.empty()) return;
  finding.set_outcome(v1::FOLLOWS);
  finding.set_summary(absl::StrCat("follows ", cause, " on ", JoinNames(following)));
}

}  // namespace

v1::Finding ConfigurationMatches(const v1::Snapshot& cluster) {
  return ConfigurationMatchesBut(cluster, {});
}

v1::Finding ConfigurationMatchesBut(const v1::Snapshot& cluster,
                                    const std::set<std::string>& elsewhere) {
  Verdict verdict;
  const Compared compared = Divide(cluster);
  const auto keys = CollectKeys(compared.nodes);
  std::set<std::string> left_out;
  for (const auto& [identity, key] : keys) {
    const KeyClass key_class = key.key_class->key_class;
    if (key_class == KeyClass::kMayDiffer || key_class == KeyClass::kMustDiffer) continue;
    KeySeen all = SeenOf(key, compared);
    if (LeadsToDatabase(identity)) {
      // Who is as the specification says stays: it is not the one that leads elsewhere.
      if (all.right) LeaveOut(elsewhere, all.right->value, all.behind, left_out);
      LeaveOut(elsewhere, all.seen.front().value, all.seen, left_out);
    }
    JudgeKey(key, all, verdict);
  }
  for (const v1::NodeSnapshot* node : compared.nodes) {
    if (left_out.count(node->name()) > 0) continue;
    verdict.Pass(node->name(), absl::StrCat(keys.size(), " keys, none in conflict"));
  }
  v1::Finding finding = verdict.Finish();
  AddFollowing(left_out, "database-is-same", finding);
  return finding;
}

}  // namespace connect_ha
