// Where R, Python and Quarto are: every executable that the configuration names, every
// installation under /opt, where Posit's packages and archives go, and every R that Connect finds
// by itself.
#pragma once

#include <string>
#include <vector>

#include "agent/probes/probe.h"

namespace connect_ha {

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
  std::string executable;  // as the configuration names it or as it was found
  // Behind all links; "" where nothing is there. A virtual environment's python is its own, though
  // it is a link to the interpreter that made it.
  std::string real_path;
  // What only this installation has: R's home, the real path of the others.
  std::string identity;
  // What its directory's name says, where that is a version: "4.3.3" of /opt/R/4.3.3/bin/R. It
  // holds until the interpreter has been asked.
  std::string version;
  bool named_by_config = false;
};

// By kind; those that the configuration names first. One installation is listed once, however many
// links lead to it.
absl::StatusOr<std::vector<FoundRuntime>> FindRuntimes(const ProbeInput& input);
// "/opt/R/4.3.3" of what is in its bin/, behind links.
std::string InstallationOf(const FoundRuntime& runtime);

// Where the interpreter of this version is.
std::string RuntimeExecutable(v1::RuntimeKind kind, const std::string& version);
// "R", "Python", "Quarto".
std::string RuntimeName(v1::RuntimeKind kind);

}  // namespace connect_ha
