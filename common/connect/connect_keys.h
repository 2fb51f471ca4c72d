// What this project knows of the keys of Connect's configuration: the data of connect_keys.txt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

// connect_keys.txt, as it was when this program was built.
extern const char kConnectKeysText[];

struct ConnectKey {
  std::string section;
  std::string name;  // "": the section alone is known
  // What Connect takes where the configuration is silent; absent: nothing, or not known.
  // {Section.Name} at the start stands for that key's value.
  std::optional<std::string> default_value;
  // What became of a key that Connect had once: "was removed in 1.7.8; leave it out".
  std::optional<std::string> former;
  // May be given many times, and every value holds. Else the last one does.
  bool many = false;
};

// The lines of `text` that are no keys, each with its number, go to `wrong`.
std::vector<ConnectKey> ParseConnectKeys(std::string_view text, std::vector<std::string>* wrong);

// Those that have a name.
const std::vector<ConnectKey>& ConnectKeys();

// Null: this project does not know the key. Without regard to case.
const ConnectKey* FindConnectKey(std::string_view section, std::string_view name);

// The names of the sections, and of a section's keys, as far as this project knows them.
std::vector<std::string> ConnectSections();
std::vector<std::string> ConnectKeyNames(std::string_view section);

// Never to be reported, but for a keyed digest. Also of keys that this project does not know.
bool IsSecretKey(std::string_view section, std::string_view name);

}  // namespace connect_ha
