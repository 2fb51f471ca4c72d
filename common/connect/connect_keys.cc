#include "common/connect/connect_keys.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/connect/config_value.h"
#include "common/connect/secret_parameters.h"

namespace connect_ha {
namespace {

struct KeyName {
  const char* section;
  const char* name;
};

// Names a file, for all that it ends as the names of secrets do.
constexpr KeyName kNotSecret[] = {{"HTTPS", "Key"}};

constexpr char kSectionAlone[] = "*";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

bool Same(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase(View(a), View(b));
}

constexpr std::pair<const char*, KeyType> kTypes[] = {
    {"bool", KeyType::kBool},     {"int", KeyType::kInt},   {"duration", KeyType::kDuration},
    {"size", KeyType::kSize},     {"path", KeyType::kPath}, {"string", KeyType::kString},
    {"secret", KeyType::kSecret}, {"url", KeyType::kUrl},
};
constexpr std::pair<const char*, KeyClass> kClasses[] = {{"must-match", KeyClass::kMustMatch},
                                                         {"may-differ", KeyClass::kMayDiffer},
                                                         {"must-differ", KeyClass::kMustDiffer}};

// Takes the first word off `rest` when it is this one.
bool TakeWord(absl::string_view word, absl::string_view& rest) {
  if (!absl::StartsWith(rest, word)) return false;
  const absl::string_view behind = rest.substr(word.size());
  if (!behind.empty() && behind.front() != ' ') return false;
  rest = behind.empty() ? behind : behind.substr(1);
  return true;
}

// SECTION.KEY [TYPE] [CLASS] [reloadable | together] [many] [default VALUE | former WHAT]
std::optional<ConnectKey> ParseLine(absl::string_view line) {
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(line, absl::MaxSplits(' ', 1));
  const std::vector<std::string> parts = absl::StrSplit(words.first, '.');
  if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) return std::nullopt;
  ConnectKey key;
  key.section = parts[0];
  if (parts[1] != kSectionAlone) key.name = parts[1];
  absl::string_view rest = words.second;
  for (const auto& [word, type] : kTypes) {
    if (key.type == KeyType::kUnknown && TakeWord(word, rest)) key.type = type;
  }
  for (const auto& [word, key_class] : kClasses) {
    if (TakeWord(word, rest)) key.key_class = key_class;
  }
  key.reloadable = TakeWord("reloadable", rest);
  key.together = TakeWord("together", rest);
  key.many = TakeWord("many", rest);
  if (absl::ConsumePrefix(&rest, "default ")) {
    key.default_value = std::string(rest);
  } else if (absl::ConsumePrefix(&rest, "former ")) {
    key.former = std::string(rest);
  } else if (!rest.empty()) {
    return std::nullopt;
  }
  return key;
}

// Sections that are known alone, too.
const std::vector<ConnectKey>& Lines() {
  static const std::vector<ConnectKey> lines = ParseConnectKeys(kConnectKeysText, nullptr);
  return lines;
}

}  // namespace

std::vector<ConnectKey> ParseConnectKeys(std::string_view text, std::vector<std::string>* wrong) {
  std::vector<ConnectKey> keys;
  int number = 0;
  for (const absl::string_view line : absl::StrSplit(View(text), '\n')) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (std::optional<ConnectKey> key = ParseLine(line)) {
      keys.push_back(*std::move(key));
    } else if (wrong != nullptr) {
      wrong->push_back(absl::StrCat(number, ": ", line));
    }
  }
  return keys;
}

const std::vector<ConnectKey>& ConnectKeys() {
  static const std::vector<ConnectKey> keys = [] {
    std::vector<ConnectKey> named;
    std::copy_if(Lines().begin(), Lines().end(), std::back_inserter(named),
                 [](const ConnectKey& key) { return !key.name.empty(); });
    return named;
  }();
  return keys;
}

const ConnectKey* FindConnectKey(std::string_view section, std::string_view name) {
  const auto& keys = ConnectKeys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConnectKey& key) {
    return Same(section, key.section) && Same(name, key.name);
  });
  return found == keys.end() ? nullptr : &*found;
}

KeyClass ConnectKeyClass(std::string_view section, std::string_view name) {
  if (const ConnectKey* known = FindConnectKey(section, name)) return known->key_class;
  KeyClass key_class = KeyClass::kUnknown;
  for (const ConnectKey& line : Lines()) {
    if (!Same(section, line.section)) continue;
    if (line.name.empty()) return line.key_class;
    key_class = KeyClass::kMustMatch;
  }
  return key_class;
}

KeyChange ChangeOfKey(std::string_view section, std::string_view name) {
  const ConnectKey* line = FindConnectKey(section, name);
  for (const ConnectKey& alone : Lines()) {
    if (line == nullptr && alone.name.empty() && Same(section, alone.section)) line = &alone;
  }
  if (line == nullptr) return KeyChange::kRestart;
  if (line->together) return KeyChange::kTogether;
  return line->reloadable ? KeyChange::kReload : KeyChange::kRestart;
}

std::vector<std::string> SectionsWithKey(std::string_view name) {
  std::vector<std::string> sections;
  for (const ConnectKey& key : ConnectKeys()) {
    if (Same(name, key.name)) sections.push_back(key.section);
  }
  return sections;
}

std::string NormalizedConfigValue(std::string_view section, std::string_view name,
                                  std::string_view value) {
  const ConnectKey* key = FindConnectKey(section, name);
  const KeyType type = key == nullptr ? KeyType::kUnknown : key->type;
  if (type == KeyType::kBool) {
    if (const std::optional<bool> read = ReadConfigBool(value)) return *read ? "true" : "false";
  } else if (type == KeyType::kInt) {
    int64_t number = 0;
    if (absl::SimpleAtoi(View(value), &number)) return absl::StrCat(number);
  } else if (type == KeyType::kDuration) {
    if (const std::optional<int64_t> read = ReadConfigDuration(value)) return DurationText(*read);
  } else if (type == KeyType::kSize) {
    if (const std::optional<uint64_t> read = ReadConfigSize(value)) return absl::StrCat(*read);
  }
  return std::string(value);
}

std::vector<std::string> ConnectSections() {
  std::vector<std::string> sections;
  for (const ConnectKey& key : Lines()) {
    if (std::find(sections.begin(), sections.end(), key.section) == sections.end()) {
      sections.push_back(key.section);
    }
  }
  return sections;
}

std::vector<std::string> ConnectKeyNames(std::string_view section) {
  std::vector<std::string> names;
  for (const ConnectKey& key : ConnectKeys()) {
    if (Same(section, key.section)) names.push_back(key.name);
  }
  return names;
}

bool IsSecretKey(std::string_view section, std::string_view name) {
  const bool excepted = std::any_of(
      std::begin(kNotSecret), std::end(kNotSecret),
      [&](const KeyName& key) { return Same(section, key.section) && Same(name, key.name); });
  return !excepted && EndsAsASecret(View(name));
}

}  // namespace connect_ha
