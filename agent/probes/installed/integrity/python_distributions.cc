#include "agent/probes/installed/integrity/python_distributions.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace connect_ha {
namespace {

using Distributions = std::vector<PythonDistribution>;

// ".../site-packages" of a file below it; "" for a file elsewhere.
std::string SiteOf(const std::string& path) {
  for (const absl::string_view name : {"/site-packages/", "/dist-packages/"}) {
    const size_t at = path.find(std::string(name));
    if (at != std::string::npos) return path.substr(0, at + name.size() - 1);
  }
  return "";
}

// By the checksum that the RECORD of what was installed since has for the file. A compiled file
// has none, and is made again when it is gone.
absl::StatusOr<bool> IsVouchedFor(Host& host, const std::string& fault, const std::string& path,
                                  const std::string& sha256) {
  if (fault == "missing") return sha256.empty() && absl::EndsWith(path, ".pyc");
  if (sha256.empty()) return true;
  const absl::StatusOr<std::string> found = host.HashFile(path, "sha256");
  if (absl::IsNotFound(found.status())) return false;
  if (!found.ok()) return found.status();
  return *found == sha256;
}

// Whether the file is of a version's metadata that made room for another's.
bool IsOfReplacedMetadata(const Distributions& distributions, const std::string& site,
                          const std::string& path) {
  if (!absl::StartsWith(path, absl::StrCat(site, "/"))) return false;
  const std::string directory = path.substr(0, path.find('/', site.size() + 1));
  const std::string name = DistributionName(directory.substr(site.size() + 1));
  return !name.empty() && std::any_of(distributions.begin(), distributions.end(),
                                      [&](const PythonDistribution& distribution) {
                                        return distribution.installed_since &&
                                               distribution.name == name &&
                                               distribution.directory != directory;
                                      });
}

// A program in bin/ that a distribution brings: pip, pip3.11.
bool IsProgramOf(const PythonDistribution& distribution, const std::string& path) {
  if (!absl::StrContains(path, "/bin/")) return false;
  const std::string name = path.substr(path.rfind('/') + 1);
  return std::any_of(distribution.modules.begin(), distribution.modules.end(),
                     [&](const std::string& module) {
                       absl::string_view rest = name;
                       return absl::ConsumePrefix(&rest, module) &&
                              (rest.empty() || rest[0] == '-' ||
                               absl::ascii_isdigit(static_cast<unsigned char>(rest[0])));
                     });
}

bool Owns(const PythonDistribution& distribution, const std::string& site,
          const std::string& path) {
  const std::string module = ModuleOf(site, path);
  return module.empty() ? IsProgramOf(distribution, path) : distribution.modules.count(module) > 0;
}

// What no RECORD lists: a file of the shipped version when it is gone; a file of the present one
// when that has no RECORD to go by.
bool IsOfReplacedVersion(const Distributions& distributions, const std::string& site,
                         const std::string& fault, const std::string& path) {
  bool replaced = false;
  for (const PythonDistribution& distribution : distributions) {
    if (!Owns(distribution, site, path)) continue;
    if (!distribution.installed_since) return false;
    const bool may_be_its_own = fault == "missing" || distribution.record.empty();
    replaced = replaced || (distribution.was_shipped && may_be_its_own);
  }
  return replaced;
}

absl::StatusOr<bool> ExplainedIn(Host& host, const Distributions& distributions,
                                 const std::string& site, const std::string& fault,
                                 const std::string& path) {
  bool listed = false;
  for (const PythonDistribution& distribution : distributions) {
    const auto entry = distribution.record.find(path);
    if (entry == distribution.record.end()) continue;
    listed = true;
    if (!distribution.installed_since) continue;
    const absl::StatusOr<bool> vouched = IsVouchedFor(host, fault, path, entry->second);
    if (!vouched.ok() || *vouched) return vouched;
  }
  if (listed) return false;
  if (fault == "missing" && IsOfReplacedMetadata(distributions, site, path)) return true;
  return IsOfReplacedVersion(distributions, site, fault, path);
}

}  // namespace

PythonDistributions::PythonDistributions(Host& host, const ShippedFiles& shipped)
    : host_(host), shipped_(shipped) {
  for (const auto& [path, md5] : shipped.md5()) {
    const std::string site = SiteOf(path);
    if (!site.empty()) sites_.insert(site);
  }
}

absl::StatusOr<const Distributions*> PythonDistributions::In(const std::string& site) {
  const auto known = read_.find(site);
  if (known != read_.end()) return &known->second;
  absl::StatusOr<Distributions> distributions = ReadDistributions(host_, shipped_, site);
  if (!distributions.ok()) return distributions.status();
  return &(read_[site] = *std::move(distributions));
}

absl::StatusOr<bool> PythonDistributions::Explain(const std::string& fault,
                                                  const std::string& path) {
  const std::string own = SiteOf(path);
  // A file elsewhere, such as bin/pip3, may be of any of them.
  for (const std::string& site : own.empty() ? sites_ : std::set<std::string>{own}) {
    const absl::StatusOr<const Distributions*> distributions = In(site);
    if (!distributions.ok()) return distributions.status();
    const absl::StatusOr<bool> explained = ExplainedIn(host_, **distributions, site, fault, path);
    if (!explained.ok() || *explained) return explained;
  }
  return false;
}

}  // namespace connect_ha
