// Connect's effective configuration: the gcfg file, overridden by CONNECT_* variables of its
// unit's environment, over Connect's documented defaults.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "common/connect/gcfg.h"

namespace connect_ha {

// Where a directory of the configuration is: "Server.DataDir", and whether it was configured.
struct ConfiguredPath {
  std::string key;
  std::string path;
  bool is_default = false;
};

// Holds secrets: never report, log or print it; ConfigurationFacts is its reportable form.
class ConnectConfig {
 public:
  struct Key {
    std::string section;
    std::string subsection;
    std::string name;
    std::vector<std::string> values;  // one, or all of a key that may be given many times
    bool from_environment = false;
    // Of the value that holds: an environment file or a unit's file, "" where that is not known or
    // it is Connect's own file.
    std::string file;
    unsigned line = 0;
    bool cut_by_comment = false;  // as GcfgEntry has it, of any of the values
  };

  explicit ConnectConfig(std::vector<Key> keys);

  const std::vector<Key>& keys() const { return keys_; }

  // The value in effect, Connect's default where the file is silent, nullopt where there is no
  // default. Section and name are case-insensitive.
  std::optional<std::string> Get(std::string_view section, std::string_view name) const;
  // Every value of a key that may be given many times (R.Executable).
  std::vector<std::string> GetAll(std::string_view section, std::string_view name) const;
  bool IsSet(std::string_view section, std::string_view name) const;
  // true/yes/on/1 and false/no/off/0 in any case; `otherwise` where unset or unreadable.
  bool GetBool(std::string_view section, std::string_view name, bool otherwise) const;

  // Server.DataDir, Database.Dir, Server.LandingDir, Server.TempDir, Metrics.DataPath,
  // SQLite.Dir: those that are set or have a default, in this order.
  std::vector<ConfiguredPath> Directories() const;

 private:
  std::vector<Key> keys_;
};

// The entries of the file, overridden by the CONNECT_<SECTION>_<KEY> variables of the unit's
// environment. Keys are in the order of their first appearance, the file's first.
// A key that this project does not know keeps each of its values.
ConnectConfig MergeConnectConfig(const std::vector<GcfgEntry>& entries,
                                 const std::vector<UnitVariable>& unit_environment);

}  // namespace connect_ha
