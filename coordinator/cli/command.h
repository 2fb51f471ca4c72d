// One subcommand is one file and one row of the table; help, completion and man pages are made
// from the row.
#pragma once

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace connect_ha {

// 0 holds, 1 something fails, 2 usage or configuration, 3 something is unknown or unreachable.
enum ExitCode { kHolds = 0, kFails = 1, kUsage = 2, kUnknown = 3 };

struct Option {
  const char* name;               // "--output"
  const char* value;              // "FORMAT"; nullptr for a switch
  const char* help;               // one line
  const char* choices = nullptr;  // "json|table|junit": checked, and completed
};

struct Arguments {
  std::map<std::string, std::string> options;  // "--output" -> "json"; a switch -> ""
  std::vector<std::string> positional;
  bool Has(const std::string& name) const { return options.count(name) > 0; }
  std::string Get(const std::string& name, const std::string& otherwise = "") const {
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second;
  }
};

struct Terminal {
  std::ostream& out;
  std::ostream& error;
  bool color = false;  // only when `out` is a terminal
  int width = 100;
};

struct Command {
  const char* name;      // "token create"
  const char* operands;  // "NODE NODE"; "" for none
  const char* summary;   // one line
  const char* description;
  std::vector<Option> options;
  std::vector<const char*> examples;
  int (*run)(const Arguments& arguments, Terminal& terminal);
};

}  // namespace connect_ha
