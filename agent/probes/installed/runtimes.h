// R, Python and Quarto: every installation under /opt, where Posit's packages and archives go,
// and every executable that the configuration names.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/probes/probe.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {

// Reads which interpreters there are: version, package, digest of the binary. Integrity, smoke
// runs and what takes a process to tell are VerifyRuntimes' latest results.
absl::Status ReadRuntimes(const ProbeInput& input, v1::Facts& facts);

// Runs every interpreter, as the account that content runs as, and compares its package's files
// with their checksums, for ReadRuntimes to report.
absl::Status VerifyRuntimes(const ProbeInput& input, v1::Facts& facts);

// How one kind of runtime is laid out.
struct RuntimeLayout {
  v1::RuntimeKind kind;
  const char* section;     // of the configuration: "R"
  const char* directory;   // "/opt/R"
  const char* executable;  // below a version's directory: "bin/R"
  const char* package;     // what its package's name begins with, "r-"; "" for none
};

// One installation to look at.
struct FoundRuntime {
  const RuntimeLayout* layout;
  std::string executable;
  std::string version;  // of its directory's name; "" for an executable elsewhere
  bool named_by_config = false;
};

// By kind; those that the configuration names first.
absl::StatusOr<std::vector<FoundRuntime>> FindRuntimes(const ProbeInput& input);
// Where the interpreter of this version is.
std::string RuntimeExecutable(v1::RuntimeKind kind, const std::string& version);
// "R", "Python", "Quarto".
std::string RuntimeName(v1::RuntimeKind kind);

// Null when this executable, as it is now, has not been verified.
const VerifiedRuntime* FindVerified(const std::map<std::string, VerifiedRuntime>& verified,
                                    const std::string& executable, const FileStatus& now);

}  // namespace connect_ha
