// YAML files into protobuf messages, field by field through reflection: a new field of the
// message is a new key of the file.
//
//   scalar    as written. A string keeps the text of an unquoted number: 3.10 is "3.10"
//   number    decimal digits, unquoted; bool: true, false
//   enum      the value's name in lower case, without the enum's name before it
//   Duration  "500ms", "30s", "5m", "1h30m", "2d"
//   message   a mapping; one left empty is as if not given
//   repeated  a list
//   map       a mapping
//
// Everything wrong with a file is reported, not only the first thing. Nothing throws.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connect_ha/v1/agent_config.pb.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

// Where something stands in a file; both from 1, 0 when not known.
struct FilePosition {
  int line = 0;
  int column = 0;
};

enum class Severity {
  kError,    // the file will not do
  kWarning,  // it will do, and may not do what is meant
  kNote,     // a key that has no effect
};

struct ConfigProblem {
  std::string file;
  FilePosition position;
  // What, why, and where there is one the nearest valid name: unknown key "verson"; did you mean
  // "version"?
  std::string message;
  Severity severity = Severity::kError;
  // The value that could not be read, as in FilePositions; "" for none.
  std::string unread = {};
};

// "cluster.yaml:3:5: unknown key ...", "cluster.yaml:9:1: warning: ..." and so on, one a line, each
// ended; "" for none.
std::string FormatProblems(const std::vector<ConfigProblem>& problems);

bool HasErrors(const std::vector<ConfigProblem>& problems);
// In file order; those of one place stay in theirs.
void SortProblems(std::vector<ConfigProblem>& problems);

// Where each value stands: "storage.mount_point", "runtimes.r[0].version",
// "accounts.rstudio-connect.uid".
using FilePositions = std::map<std::string, FilePosition>;

// What of `found`, from looking at the values, stands beside what reading them found. A problem
// that names a value that could not be read only follows from it, and is left out. In file order.
std::vector<ConfigProblem> AddProblems(std::vector<ConfigProblem> read,
                                       std::vector<ConfigProblem> found);

// Fills `message`, which must be empty, with what could be read. `file` is for the problems'
// text only. `positions` may be null.
std::vector<ConfigProblem> ParseYaml(std::string_view text, const std::string& file,
                                     google::protobuf::Message& message,
                                     FilePositions* positions = nullptr);

// What the schema cannot say: required values, forms of names and versions, ranges, values that
// contradict each other. Errors only. `positions` may be empty, as for a specification from the
// store.
std::vector<ConfigProblem> ValidateClusterSpec(const v1::ClusterSpec& spec,
                                               const std::string& file = "",
                                               const FilePositions& positions = {});
// What `rules` in it names and asks for, and rollout.maintenance_window. Apart from the above,
// which agents ask, too: one that is older than the coordinator need not know every rule, and its
// machine not every time zone. Errors only.
std::vector<ConfigProblem> CheckRules(const v1::ClusterSpec& spec, const std::string& file = "",
                                      const FilePositions& positions = {});
// Warnings and notes about a specification that is valid.
std::vector<ConfigProblem> AdviseOnClusterSpec(const v1::ClusterSpec& spec,
                                               const std::string& file = "",
                                               const FilePositions& positions = {});
std::vector<ConfigProblem> ValidateAgentConfig(const v1::AgentConfig& config,
                                               const std::string& file = "",
                                               const FilePositions& positions = {});

// Reads, parses and validates a file. No problem: `spec` holds. A file that cannot be read is a
// problem too. `positions` may be null.
std::vector<ConfigProblem> LoadClusterSpec(const std::string& path, v1::ClusterSpec& spec,
                                           FilePositions* positions = nullptr);

enum class MissingFile { kIsAProblem, kMeansDefaults };

// As above; then sets every field that the file leaves out to its default.
std::vector<ConfigProblem> LoadAgentConfig(const std::string& path, MissingFile missing,
                                           v1::AgentConfig& config);

// Sets every field that is not set to the default that agent_config.proto names.
void SetAgentDefaults(v1::AgentConfig& config);

}  // namespace connect_ha
