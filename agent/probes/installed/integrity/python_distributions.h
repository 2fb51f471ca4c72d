// Python distributions (pip, setuptools, ...) that a package manager of Python's own put in the
// place of those that the system's package shipped, as `python -m pip install --upgrade pip` does.
//
// Evidence, and no mere place, tells an upgrade from damage: beside a distribution's files lies
// NAME-VERSION.dist-info (or .egg-info), in it RECORD with the checksum of every file. A
// distribution whose directory the package did not ship, or whose RECORD is another whole one, was
// installed since; files that its RECORD vouches for are its own, and files of the version before
// are gone rightly. What belongs to a distribution that is as shipped is never explained.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/host/host.h"
#include "agent/probes/installed/integrity/shipped_files.h"

namespace connect_ha {

struct PythonDistribution {
  std::string name;       // normalised: "flit-core"
  std::string directory;  // of its metadata: ".../site-packages/pip-24.0.dist-info"
  bool installed_since = false;
  // The package shipped this or another version of it.
  bool was_shipped = false;
  // What its RECORD lists: absolute path and sha256 (hex; "" for a file without a checksum).
  std::map<std::string, std::string> record;
  // The names in site-packages that it owns: "pip", "pkg_resources".
  std::set<std::string> modules;
};

// The normalised name of "Flit_Core-3.9.dist-info" or of an .egg-info; "" for any other name.
std::string DistributionName(absl::string_view directory);

// "pip" of "SITE/pip/__init__.py", "six" of "SITE/six.py"; "" for metadata and files elsewhere.
std::string ModuleOf(const std::string& site, absl::string_view path);

// What one site-packages or dist-packages directory holds now.
absl::StatusOr<std::vector<PythonDistribution>> ReadDistributions(Host& host,
                                                                  const ShippedFiles& shipped,
                                                                  const std::string& site);

class PythonDistributions {
 public:
  // Both must outlive it.
  PythonDistributions(Host& host, const ShippedFiles& shipped);

  // Whether they explain the fault ("changed" or "missing") of a shipped file.
  absl::StatusOr<bool> Explain(const std::string& fault, const std::string& path);

 private:
  absl::StatusOr<const std::vector<PythonDistribution>*> In(const std::string& site);

  Host& host_;
  const ShippedFiles& shipped_;
  std::set<std::string> sites_;  // that the package ships files in
  std::map<std::string, std::vector<PythonDistribution>> read_;
};

}  // namespace connect_ha
