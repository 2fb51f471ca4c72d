#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/checklist/compare.h"
#include "common/checklist/rules/rules.h"
#include "common/checklist/verdict.h"
#include "common/checklist/view/config_keys.h"
#include "common/checklist/view/config_values.h"
#include "common/checklist/view/facts_view.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using Nodes = std::vector<const v1::NodeSnapshot*>;

// One key as the nodes have it; null where a node does not set it.
struct KeyOnNodes {
  std::string name;
  const ConfigKeyClass* key_class = nullptr;
  std::vector<const v1::ConfigKey*> on;  // as Nodes
};

std::map<std::string, KeyOnNodes> CollectKeys(const Nodes& nodes) {
  std::map<std::string, KeyOnNodes> keys;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const v1::ConfigKey& key : nodes[i]->facts().configuration().keys()) {
      KeyOnNodes& entry = keys[KeyIdentity(key)];
      if (entry.on.empty()) {
        entry.name = KeyName(key);
        entry.key_class = &ClassOf(key.section(), key.name());
        entry.on.resize(nodes.size());
      }
      entry.on[i] = &key;
    }
  }
  return keys;
}

void JudgeKey(const KeyOnNodes& key, const Nodes& nodes, Verdict& verdict) {
  const KeyClass key_class = key.key_class->key_class;
  if (key_class == KeyClass::kMayDiffer || key_class == KeyClass::kMustDiffer) return;
  std::vector<Seen> seen;
  for (size_t i = 0; i < nodes.size(); ++i) {
    seen.push_back({nodes[i]->name(), KeyText(key.on[i], key.key_class->otherwise)});
  }
  const char* note = key_class == KeyClass::kUnknown ? " (a key not known here)" : "";
  Agree(verdict, absl::StrCat(key.name, note, " ="), seen,
        absl::StrCat("give ", key.name, " one value on every node (", ConfigPath(nodes[0]->facts()),
                     "), then on NODE: systemctl restart rstudio-connect"));
}

std::string ModeText(const v1::ConfigurationFacts& file) {
  return absl::StrFormat("%s is %04o, owner %u:%u", file.path(), file.mode(), file.uid(),
                         file.gid());
}

}  // namespace

v1::Finding ConfigurationMatches(const v1::Snapshot& cluster) {
  Verdict verdict;
  Nodes known;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (const auto why = WhyConfigurationUnknown(node.facts())) {
      const bool has_errors = node.facts().configuration().errors_size() > 0;
      verdict.Unknown(node.name(), *why,
                      has_errors ? "on NODE: correct the line that is named, in the file" : "");
    } else {
      known.push_back(&node);
    }
  }
  const auto keys = CollectKeys(known);
  for (const auto& [identity, key] : keys) JudgeKey(key, known, verdict);
  if (!verdict.Has(v1::FAIL)) {
    for (const v1::NodeSnapshot* node : known) {
      verdict.Pass(node->name(), absl::StrCat(keys.size(), " keys, none in conflict"));
    }
  }
  return verdict.Finish();
}

v1::Finding ConfigurationIsApplied(const v1::Snapshot& cluster) {
  Verdict verdict;
  for (const v1::NodeSnapshot& node : cluster.nodes()) {
    if (verdict.Unobserved(node, "connect.unit") ||
        verdict.Unobserved(node, "configuration.modified_at")) {
      continue;
    }
    const v1::Unit& unit = node.facts().connect().unit();
    const v1::ConfigurationFacts& file = node.facts().configuration();
    if (!IsRunning(node.facts())) {
      verdict.NotApplicable(node.name(), "Connect is not running");
    } else if (!unit.has_started_at()) {
      verdict.Unknown(node.name(), "when Connect was started was not reported");
    } else if (!file.has_modified_at()) {
      verdict.NotApplicable(node.name(), absl::StrCat("there is no ", ConfigPath(node.facts())));
    } else if (FromProto(file.modified_at()) > FromProto(unit.started_at())) {
      verdict.Fail(node.name(),
                   absl::StrCat("changed ", FormatUtc(FromProto(file.modified_at())),
                                ", Connect runs since ", FormatUtc(FromProto(unit.started_at()))));
    } else {
      verdict.Pass(node.name(), "Connect was started after the last change");
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
      verdict.Fail(
          node.name(), ModeText(file),
          absl::StrCat("on NODE: chown root:root ", file.path(), " && chmod 0600 ", file.path()));
    } else {
      verdict.Pass(node.name(), ModeText(file));
    }
  }
  return verdict.Finish();
}

}  // namespace connect_ha
