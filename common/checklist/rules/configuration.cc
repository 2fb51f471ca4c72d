#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/config_values.h"
#include "common/checklist/view/database_answer.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

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

std::vector<Seen> SeenOf(const KeyOnNodes& key, const Nodes& nodes) {
  std::vector<Seen> seen;
  seen.reserve(nodes.size());
  const v1::ConfigKey* before = nullptr;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const v1::ConfigKey* here = key.on[i];
    const bool is_alike =
        i > 0 &&
        (here == nullptr || before == nullptr ? here == before : AreWrittenAlike(*here, *before));
    seen.push_back({nodes[i], is_alike ? seen.back().value : ComparableText(key, here),
                    here != nullptr && here->has_secret_digest()});
    before = here;
  }
  return seen;
}

// By KeyIdentity: what database-is-same judges by where it leads.
bool LeadsToDatabase(const std::string& identity) {
  return std::any_of(kDatabases.begin(), kDatabases.end(), [&identity](const DatabaseNoun& noun) {
    return identity == absl::StrCat("postgres.", absl::AsciiStrToLower(noun.url));
  });
}

// Where not all have one value: takes those of these nodes out, which are told of already, and adds
// their names.
void LeaveOut(const std::set<std::string>& told, std::vector<Seen>& seen,
              std::set<std::string>& left_out) {
  const bool alike = std::all_of(seen.begin(), seen.end(), [&seen](const Seen& one) {
    return one.value == seen.front().value;
  });
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

void JudgeKey(const KeyOnNodes& key, const std::vector<Seen>& seen, Verdict& verdict) {
  const bool is_unknown = key.key_class->key_class == KeyClass::kUnknown;
  const char* note = is_unknown ? " (a key not known here)" : "";
  Agree(verdict, seen,
        {absl::StrCat(key.name, note, " ="), std::nullopt,
         [&](const Seen& one, const Seen& right) -> Fixes {
           const std::string& node = one.node->name();
           return {
               ByHand(node, absl::StrCat("give ", key.name, " the value that ", right.node->name(),
                                         " has, in ", PlaceOnNode(key, one.node->facts()))),
               RestartConnect(node)};
         },
         absl::StrCat("decide which value ", key.name, " is to have, and give it to every node")});
}

// Of nodes that are right but for what another rule tells.
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
    evidence.set_cause(cause);
    evidence.set_text(absl::StrCat("follows ", cause));
  }
  if (following.empty() || !wrong.empty()) return;
  finding.set_outcome(v1::FOLLOWS);
  finding.set_summary(absl::StrCat("follows ", cause, " on ", JoinNames(following)));
}

// What Connect would say of the file at its next start.
std::string ErrorText(const v1::ConfigurationFacts& configuration, const v1::ConfigError& error) {
  std::string text = absl::StrCat(configuration.path(), ":", error.line());
  if (error.column() > 0) absl::StrAppend(&text, ":", error.column());
  return absl::StrCat(text, ": ", error.message());
}

void JudgeErrors(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::ConfigurationFacts& configuration = node.facts().configuration();
  const std::string text = absl::StrCat("Connect will not start with ",
                                        ErrorText(configuration, configuration.errors(0)));
  const int more = configuration.errors_size() - 1;
  verdict.Fail(
      node.name(), more == 0 ? text : absl::StrCat(text, "; and ", more, " more"),
      {ByHand(node.name(),
              absl::StrCat("correct line ", configuration.errors(0).line(), " of ",
                           configuration.path(),
                           IsRunning(node.facts())
                               ? "; Connect goes on with what it read at its start: do not restart "
                                 "it before the file is right"
                               : "")),
       Type(node.name(), {"connect-ha-agent check-config"}, "it reads the file as Connect does")});
}

std::string ModeText(const v1::ConfigurationFacts& file) {
  return absl::StrFormat("%s is %04o, owner %u:%u", file.path(), file.mode(), file.uid(),
                         file.gid());
}

// What the running process has otherwise than the node's files, one line each.
void JudgeApplied(const v1::NodeSnapshot& node, Verdict& verdict) {
  const v1::Unit& unit = node.facts().connect().unit();
  const v1::ConfigurationFacts& file = node.facts().configuration();
  const std::string& name = node.name();
  const Time started = FromProto(unit.started_at());
  const std::string since = absl::StrCat(", Connect runs since ", FormatUtc(started));
  bool applied = true;
  // A mask hides the unit's files from systemd; service-is-healthy tells of it.
  const bool masked = unit.load_state() == "masked";
  if (!masked && unit.need_daemon_reload()) {
    applied = false;
    verdict.Fail(name, "files of the unit changed, and systemd has not read them",
                 {Type(name, {"systemctl daemon-reload"}), RestartConnect(name)});
  }
  if (!masked && file.stale_environment_size() > 0) {
    applied = false;
    verdict.Fail(
        name,
        absl::StrCat("Connect runs with another ", absl::StrJoin(file.stale_environment(), ", "),
                     " than the unit would give it now"),
        {RestartConnect(name)});
  }
  if (file.has_modified_at() && FromProto(file.modified_at()) > started) {
    applied = false;
    verdict.Fail(name,
                 absl::StrCat(ConfigPath(node.facts()), " changed ",
                              FormatUtc(FromProto(file.modified_at())), since),
                 {RestartConnect(name)});
  } else if (file.has_changed_at() && FromProto(file.changed_at()) > started) {
    applied = false;
    verdict.Fail(name,
                 absl::StrCat(ConfigPath(node.facts()), ", or its owner or mode, changed ",
                              FormatUtc(FromProto(file.changed_at())), since),
                 {RestartConnect(name)});
  }
  if (applied) verdict.Pass(name, "Connect was started after the last change");
}

}  // namespace

v1::Finding ConfigurationIsValid(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "configuration.errors") ||
        verdict.Unobserved(node, "configuration.keys")) {
      continue;
    }
    const v1::ConfigurationFacts& configuration = node.facts().configuration();
    if (configuration.errors_size() > 0) {
      JudgeErrors(node, verdict);
    } else if (!configuration.has_mode() && configuration.keys().empty()) {
      verdict.NotApplicable(node.name(), absl::StrCat("there is no ", ConfigPath(node.facts())));
    } else {
      verdict.Pass(node.name(), absl::StrCat(ConfigPath(node.facts()), " can be read"));
    }
  }
  return verdict.Finish();
}

v1::Finding ConfigurationMatches(const v1::Snapshot& cluster) {
  return ConfigurationMatchesBut(cluster, {});
}

v1::Finding ConfigurationMatchesBut(const v1::Snapshot& cluster,
                                    const std::set<std::string>& elsewhere) {
  Verdict verdict;
  Nodes nodes;
  for (const v1::NodeSnapshot& node : cluster.nodes()) nodes.push_back(&node);
  const auto keys = CollectKeys(nodes);
  std::set<std::string> left_out;
  for (const auto& [identity, key] : keys) {
    const KeyClass key_class = key.key_class->key_class;
    if (key_class == KeyClass::kMayDiffer || key_class == KeyClass::kMustDiffer) continue;
    std::vector<Seen> seen = SeenOf(key, nodes);
    if (LeadsToDatabase(identity)) LeaveOut(elsewhere, seen, left_out);
    JudgeKey(key, seen, verdict);
  }
  for (const v1::NodeSnapshot* node : nodes) {
    if (left_out.count(node->name()) > 0) continue;
    verdict.Pass(node->name(), absl::StrCat(keys.size(), " keys, none in conflict"));
  }
  v1::Finding finding = verdict.Finish();
  AddFollowing(left_out, "database-is-same", finding);
  return finding;
}

v1::Finding ConfigurationIsApplied(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") ||
        verdict.Unobserved(node, "configuration.modified_at") ||
        verdict.Unobserved(node, "configuration.changed_at") ||
        verdict.Unobserved(node, "configuration.stale_environment")) {
      continue;
    }
    if (!IsRunning(node.facts())) {
      verdict.NotApplicable(node.name(), "Connect is not running");
    } else if (!node.facts().connect().unit().has_started_at()) {
      verdict.Unknown(node.name(), "when Connect was started was not reported");
    } else {
      JudgeApplied(node, verdict);
    }
  }
  return verdict.Finish();
}

v1::Finding ConfigurationIsProtected(const v1::Snapshot& cluster) {
  constexpr uint32_t kOwnerOnly = 0600;
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "configuration.mode") ||
        verdict.Unobserved(node, "configuration.uid")) {
      continue;
    }
    const v1::ConfigurationFacts& file = node.facts().configuration();
    if (!file.has_mode()) {
      verdict.NotApplicable(node.name(), absl::StrCat("there is no ", ConfigPath(node.facts())));
    } else if (!file.has_uid()) {
      verdict.Unknown(node.name(), absl::StrCat("the owner of ", file.path(), " is not known"));
    } else if (file.uid() != 0 || (file.mode() & ~kOwnerOnly) != 0) {
      verdict.Fail(node.name(), ModeText(file),
                   {Type(node.name(), {absl::StrCat("chown root:root ", ShellOperand(file.path())),
                                       absl::StrCat("chmod 0600 ", ShellOperand(file.path()))})});
    } else {
      verdict.Pass(node.name(), ModeText(file));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
