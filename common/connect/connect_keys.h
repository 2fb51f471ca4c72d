// What this project knows of the keys of Connect's configuration: the data of connect_keys.txt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

// connect_keys.txt, as it was when this program was built.
extern const char kConnectKeysText[];

// How Connect reads a value.
enum class KeyType { kUnknown, kBool, kInt, kDuration, kSize, kString, kPath, kUrl, kSecret };

// Whether a key must be the same on every node.
enum class KeyClass {
  kMustMatch,
  kMayDiffer,
  kMustDiffer,  // has a rule of its own
  kUnknown,     // of a section that is not known; judged as kMustMatch, and said to be unknown
};

struct ConnectKey {
  std::string section;
  std::string name;  // "": the keys of the section that have no line of their own
  KeyType type = KeyType::kUnknown;
  KeyClass key_class = KeyClass::kMustMatch;
  // What Connect takes where the configuration is silent; absent: nothing, or not known.
  // {Section.Name} at the start stands for that key's value.
  std::optional<std::string> default_value;
  // What became of a key that Connect had once: "was removed in 1.7.8; leave it out".
  std::optional<std::string> former;
  // May be given many times, and every value holds. Else the last one does.
  bool many = false;
  bool reloadable = false;
  bool together = false;
};

// What it takes for a new value of a key to hold.
enum class KeyChange {
  kReload,    // Connect reads it anew while it runs
  kRestart,   // of Connect; other nodes may have the old value meanwhile
  kTogether,  // no two nodes may run with different values
};

// The lines of `text` that are no keys, each with its number, go to `wrong`.
std::vector<ConnectKey> ParseConnectKeys(std::string_view text, std::vector<std::string>* wrong);

// Those that have a name.
const std::vector<ConnectKey>& ConnectKeys();

// Null: this project does not know the key. Without regard to case.
const ConnectKey* FindConnectKey(std::string_view section, std::string_view name);

// The key's class or, for one that is not known, its section's. Without regard to case.
KeyClass ConnectKeyClass(std::string_view section, std::string_view name);

// Of a key that is not known as its section says, else kRestart. Without regard to case.
KeyChange ChangeOfKey(std::string_view section, std::string_view name);

// The sections that have a key of this name, "HTTP"; without regard to case.
std::vector<std::string> SectionsWithKey(std::string_view name);

// The names of the sections, and of a section's keys, as far as this project knows them.
std::vector<std::string> ConnectSections();
std::vector<std::string> ConnectKeyNames(std::string_view section);

// The value in a form that is the same for every way to write what Connect takes for the same:
// "true" for yes, "30m" for 1800s, "2000000000" for 2 GB. A value that Connect does not take, or of
// a key whose type is not known, as it is.
std::string NormalizedConfigValue(std::string_view section, std::string_view name,
                                  std::string_view value);

// Never to be reported, but for a keyed digest. Also of keys that this project does not know.
bool IsSecretKey(std::string_view section, std::string_view name);

}  // namespace connect_ha
