#include "agent/probes/connect/connect_config.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/connect/config_value.h"
#include "common/connect/connect_keys.h"

namespace connect_ha {
namespace {

using Key = ConnectConfig::Key;

bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(absl::string_view(a.data(), a.size()),
                                absl::string_view(b.data(), b.size()));
}

bool Is(const Key& key, std::string_view section, std::string_view subsection,
        std::string_view name) {
  return SameName(key.section, section) && key.subsection == subsection && SameName(key.name, name);
}

Key& FindOrAdd(std::vector<Key>& keys, std::string_view section, std::string_view subsection,
               std::string_view name) {
  const auto found = std::find_if(
      keys.begin(), keys.end(), [&](const Key& key) { return Is(key, section, subsection, name); });
  if (found != keys.end()) return *found;
  Key key;
  key.section = std::string(section);
  key.subsection = std::string(subsection);
  key.name = std::string(name);
  keys.push_back(std::move(key));
  return keys.back();
}

void Apply(const GcfgEntry& entry, std::vector<Key>& keys) {
  Key& key = FindOrAdd(keys, entry.section, entry.subsection, entry.name);
  const ConnectKey* known = FindConnectKey(entry.section, entry.name);
  key.line = entry.line;
  key.cut_by_comment = key.cut_by_comment || entry.cut_by_comment;
  // A bare name: true, and for a key with many values none of those before.
  if (known == nullptr || !known->many) {
    if (known != nullptr) key.values.clear();
    key.values.push_back(entry.value.value_or("true"));
  } else if (entry.value) {
    key.values.push_back(*entry.value);
  } else {
    key.values.clear();
  }
}

std::string VariableName(absl::string_view section, absl::string_view name) {
  return absl::AsciiStrToUpper(absl::StrCat("CONNECT_", section, "_", name));
}

// The key that a variable is for: a known one, one of the file's, or else the variable's own
// words, so that it stays visible. Null: no variable of Connect's.
Key* KeyOfVariable(const std::string& variable, std::vector<Key>& keys) {
  for (const ConnectKey& known : ConnectKeys()) {
    if (VariableName(known.section, known.name) == variable) {
      return &FindOrAdd(keys, known.section, "", known.name);
    }
  }
  for (Key& key : keys) {
    if (key.subsection.empty() && VariableName(key.section, key.name) == variable) return &key;
  }
  constexpr absl::string_view kPrefix = "CONNECT_";
  if (!absl::StartsWith(variable, kPrefix)) return nullptr;
  const std::string rest = variable.substr(kPrefix.size());
  const size_t separator = rest.find('_');
  if (separator == 0 || separator == std::string::npos || separator + 1 == rest.size()) {
    return nullptr;
  }
  return &FindOrAdd(keys, rest.substr(0, separator), "", rest.substr(separator + 1));
}

void ApplyVariable(const UnitVariable& variable, std::vector<Key>& keys) {
  const std::string& assignment = variable.assignment;
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos) return;
  Key* key = KeyOfVariable(assignment.substr(0, equals), keys);
  if (key == nullptr) return;
  key->values = {assignment.substr(equals + 1)};
  key->from_environment = true;
  key->file = variable.file;
  key->line = variable.line;
  key->cut_by_comment = false;
}

}  // namespace

ConnectConfig::ConnectConfig(std::vector<Key> keys) : keys_(std::move(keys)) {}

std::vector<std::string> ConnectConfig::GetAll(std::string_view section,
                                               std::string_view name) const {
  for (const Key& key : keys_) {
    if (Is(key, section, "", name)) return key.values;
  }
  return {};
}

bool ConnectConfig::IsSet(std::string_view section, std::string_view name) const {
  return !GetAll(section, name).empty();
}

std::optional<std::string> ConnectConfig::Get(std::string_view section,
                                              std::string_view name) const {
  const std::vector<std::string> values = GetAll(section, name);
  if (!values.empty()) return values.back();
  const ConnectKey* known = FindConnectKey(section, name);
  if (known == nullptr || !known->default_value) return std::nullopt;
  const std::string& value = *known->default_value;
  if (value[0] != '{') return value;
  // {Section.Name}/rest
  const size_t dot = value.find('.');
  const size_t end = value.find('}');
  const auto base = Get(value.substr(1, dot - 1), value.substr(dot + 1, end - dot - 1));
  return base.value_or("") + value.substr(end + 1);
}

bool ConnectConfig::GetBool(std::string_view section, std::string_view name, bool otherwise) const {
  return ReadConfigBool(Get(section, name).value_or("")).value_or(otherwise);
}

std::vector<ConfiguredPath> ConnectConfig::Directories() const {
  constexpr const char* kDirectories[][2] = {{"Server", "DataDir"},    {"Database", "Dir"},
                                             {"Server", "LandingDir"}, {"Server", "TempDir"},
                                             {"Metrics", "DataPath"},  {"SQLite", "Dir"}};
  std::vector<ConfiguredPath> directories;
  for (const auto& [section, name] : kDirectories) {
    const std::string path = Get(section, name).value_or("");
    if (path.empty()) continue;
    directories.push_back({absl::StrCat(section, ".", name), path, !IsSet(section, name)});
  }
  return directories;
}

ConnectConfig MergeConnectConfig(const std::vector<GcfgEntry>& entries,
                                 const std::vector<UnitVariable>& unit_environment) {
  std::vector<Key> keys;
  for (const GcfgEntry& entry : entries) Apply(entry, keys);
  for (const UnitVariable& variable : unit_environment) ApplyVariable(variable, keys);
  return ConnectConfig(std::move(keys));
}

}  // namespace connect_ha
