// What lies in a distribution's metadata directory.
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/probes/installed/integrity/python_distributions.h"

namespace connect_ha {
namespace {

// Modules that are not named like their distribution, where no metadata is left to tell.
constexpr absl::string_view kSetuptools = "setuptools";
constexpr absl::string_view kOfSetuptools[] = {"pkg_resources", "_distutils_hack",
                                               "distutils-precedence", "easy_install"};

// "Flit_Core" and "flit.core" are "flit-core".
std::string Normalised(absl::string_view name) {
  return absl::AsciiStrToLower(
      absl::StrJoin(absl::StrSplit(name, absl::ByAnyChar("-_."), absl::SkipEmpty()), "-"));
}

// "/a/b/../../bin/pip3" is "/bin/pip3".
std::string Straightened(absl::string_view path) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (part != ".") {
      parts.push_back(part);
    }
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

// "sha256=URL-SAFE-BASE64" as hex; "" for none.
std::string Sha256Of(absl::string_view field) {
  std::string bytes;
  if (!absl::ConsumePrefix(&field, "sha256=") || !absl::WebSafeBase64Unescape(field, &bytes)) {
    return "";
  }
  return absl::BytesToHexString(bytes);
}

// Lines "path,checksum,size", the path in quotes where it has a comma. Empty unless all of it can
// be read and it lists itself: what was cut off or overwritten is no evidence.
std::map<std::string, std::string> ParseRecord(absl::string_view text, const std::string& site,
                                               const std::string& own_path) {
  std::map<std::string, std::string> record;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const size_t size = line.rfind(',');
    const size_t checksum = size == absl::string_view::npos || size == 0
                                ? absl::string_view::npos
                                : line.rfind(',', size - 1);
    if (checksum == absl::string_view::npos) return {};
    absl::string_view path = line.substr(0, checksum);
    if (absl::ConsumePrefix(&path, "\"")) absl::ConsumeSuffix(&path, "\"");
    const std::string whole =
        absl::StartsWith(path, "/") ? std::string(path) : absl::StrCat(site, "/", path);
    record[Straightened(whole)] = Sha256Of(line.substr(checksum + 1, size - checksum - 1));
  }
  return record.count(own_path) > 0 ? record : std::map<std::string, std::string>();
}

// Absent (nullopt) when it is not there.
absl::StatusOr<std::optional<std::string>> ReadIfThere(Host& host, const std::string& path) {
  absl::StatusOr<std::string> text = host.ReadFile(path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  return *std::move(text);
}

absl::StatusOr<bool> HasMetadata(Host& host, const std::string& directory) {
  for (const char* name : {"METADATA", "PKG-INFO"}) {
    const absl::StatusOr<FileStatus> status = host.Stat(absl::StrCat(directory, "/", name));
    if (status.ok()) return true;
    if (!absl::IsNotFound(status.status())) return status.status();
  }
  return false;
}

// A directory that the package did not ship must say something of itself. One that it did ship
// holds another installation only when its RECORD is another whole one.
absl::StatusOr<bool> WasInstalledSince(Host& host, const ShippedFiles& shipped,
                                       const PythonDistribution& distribution) {
  const bool has_record = !distribution.record.empty();
  if (!shipped.HasBelow(distribution.directory)) {
    return has_record ? absl::StatusOr<bool>(true) : HasMetadata(host, distribution.directory);
  }
  const std::string path = absl::StrCat(distribution.directory, "/RECORD");
  const std::string shipped_md5 = shipped.Md5(path);
  if (!has_record || shipped_md5.empty()) return false;
  const absl::StatusOr<std::string> md5 = host.HashFile(path, "md5");
  if (!md5.ok()) return md5.status();
  return *md5 != shipped_md5;
}

absl::Status ReadRecord(Host& host, const ShippedFiles& shipped, const std::string& site,
                        PythonDistribution& distribution) {
  const std::string path = absl::StrCat(distribution.directory, "/RECORD");
  const absl::StatusOr<std::optional<std::string>> text = ReadIfThere(host, path);
  if (!text.ok()) return text.status();
  distribution.record = ParseRecord(text->value_or(""), site, path);
  const absl::StatusOr<bool> since = WasInstalledSince(host, shipped, distribution);
  if (!since.ok()) return since.status();
  distribution.installed_since = *since;
  return absl::OkStatus();
}

absl::Status ReadModules(Host& host, const std::string& site, PythonDistribution& distribution) {
  distribution.modules.insert(absl::StrJoin(absl::StrSplit(distribution.name, '-'), "_"));
  if (distribution.name == kSetuptools) {
    for (const absl::string_view module : kOfSetuptools) distribution.modules.emplace(module);
  }
  for (const auto& [path, sha256] : distribution.record) {
    const std::string module = ModuleOf(site, path);
    if (!module.empty()) distribution.modules.insert(module);
  }
  const absl::StatusOr<std::optional<std::string>> top =
      ReadIfThere(host, absl::StrCat(distribution.directory, "/top_level.txt"));
  if (!top.ok()) return top.status();
  for (const auto line : absl::StrSplit(top->value_or(""), '\n', absl::SkipWhitespace())) {
    distribution.modules.emplace(absl::StripAsciiWhitespace(line));
  }
  return absl::OkStatus();
}

// The names of the distributions whose metadata the package shipped into the directory.
std::set<std::string> ShippedNames(const ShippedFiles& shipped, const std::string& site) {
  std::set<std::string> names;
  const std::string prefix = absl::StrCat(site, "/");
  for (auto it = shipped.md5().lower_bound(prefix);
       it != shipped.md5().end() && absl::StartsWith(it->first, prefix); ++it) {
    absl::string_view path = it->first;
    path.remove_prefix(prefix.size());
    const std::string name = DistributionName(path.substr(0, path.find('/')));
    if (!name.empty()) names.insert(name);
  }
  return names;
}

}  // namespace

std::string ModuleOf(const std::string& site, absl::string_view path) {
  if (!absl::ConsumePrefix(&path, absl::StrCat(site, "/"))) return "";
  absl::ConsumePrefix(&path, "__pycache__/");
  const absl::string_view name = path.substr(0, path.find('/'));
  if (absl::EndsWith(name, ".dist-info") || absl::EndsWith(name, ".egg-info")) return "";
  return std::string(name.substr(0, name.find('.')));
}

std::string DistributionName(absl::string_view directory) {
  if (!absl::ConsumeSuffix(&directory, ".dist-info") &&
      !absl::ConsumeSuffix(&directory, ".egg-info")) {
    return "";
  }
  return Normalised(directory.substr(0, directory.find('-')));
}

absl::StatusOr<std::vector<PythonDistribution>> ReadDistributions(Host& host,
                                                                  const ShippedFiles& shipped,
                                                                  const std::string& site) {
  std::vector<PythonDistribution> distributions;
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(site);
  if (absl::IsNotFound(names.status())) return distributions;
  if (!names.ok()) return names.status();
  const std::set<std::string> shipped_names = ShippedNames(shipped, site);
  for (const std::string& name : *names) {
    PythonDistribution distribution;
    distribution.name = DistributionName(name);
    if (distribution.name.empty()) continue;
    distribution.directory = absl::StrCat(site, "/", name);
    distribution.was_shipped = shipped_names.count(distribution.name) > 0;
    absl::Status status = ReadRecord(host, shipped, site, distribution);
    if (status.ok()) status = ReadModules(host, site, distribution);
    if (!status.ok()) return status;
    distributions.push_back(std::move(distribution));
  }
  return distributions;
}

}  // namespace connect_ha
