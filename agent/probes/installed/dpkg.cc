#include "agent/probes/installed/dpkg.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

constexpr char kInfoDirectory[] = "/var/lib/dpkg/info";

// The next line of `text` from `offset` on, which moves behind it.
absl::string_view NextLine(absl::string_view text, size_t& offset) {
  const size_t end = std::min(text.find('\n', offset), text.size());
  const absl::string_view line = text.substr(offset, end - offset);
  offset = end + 1;
  return line;
}

// The value when `line` is "Name: value" of this name.
std::optional<absl::string_view> FieldValue(absl::string_view line, absl::string_view name) {
  if (!absl::StartsWith(line, name) || line.size() <= name.size() || line[name.size()] != ':') {
    return std::nullopt;
  }
  line.remove_prefix(name.size() + 1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

void ReadField(absl::string_view line, v1::Package& package) {
  if (const auto name = FieldValue(line, "Package")) package.set_name(std::string(*name));
  if (const auto status = FieldValue(line, "Status")) package.set_status(std::string(*status));
  if (const auto version = FieldValue(line, "Version")) package.set_version(std::string(*version));
  if (const auto arch = FieldValue(line, "Architecture")) {
    package.set_architecture(std::string(*arch));
  }
}

}  // namespace

const v1::Package* PackageDatabase::Find(absl::string_view name) const {
  const auto it = packages.find(name);
  return it == packages.end() ? nullptr : &it->second;
}

PackageDatabase ParseDpkgStatus(absl::string_view status) {
  PackageDatabase database;
  v1::Package package;
  for (size_t offset = 0; offset <= status.size();) {
    const absl::string_view line = NextLine(status, offset);
    if (!line.empty()) {
      ReadField(line, package);
      continue;
    }
    const bool installed = !absl::EndsWith(package.status(), " config-files") &&
                           !absl::EndsWith(package.status(), " not-installed");
    if (!package.name().empty() && installed) database.packages.emplace(package.name(), package);
    package.Clear();
  }
  return database;
}

std::set<std::string> ParseConffiles(absl::string_view status, absl::string_view package) {
  std::set<std::string> paths;
  bool in_package = false;
  bool in_conffiles = false;
  for (size_t offset = 0; offset <= status.size();) {
    const absl::string_view line = NextLine(status, offset);
    if (const auto name = FieldValue(line, "Package")) in_package = *name == package;
    if (!absl::StartsWith(line, " ")) in_conffiles = absl::StartsWith(line, "Conffiles:");
    if (!in_package || !in_conffiles || !absl::StartsWith(line, " ")) continue;
    // " /etc/file md5" and, for one that is going away, " obsolete" behind it.
    const std::vector<absl::string_view> parts = absl::StrSplit(line.substr(1), ' ');
    paths.emplace(parts[0]);
  }
  return paths;
}

absl::StatusOr<std::vector<ShippedFile>> ParseMd5sums(absl::string_view md5sums) {
  constexpr size_t kHexDigits = 32;
  std::vector<ShippedFile> files;
  int number = 0;
  for (size_t offset = 0; offset < md5sums.size();) {
    const absl::string_view line = NextLine(md5sums, offset);
    ++number;
    if (line.empty()) continue;
    if (line.size() < kHexDigits + 3 || line.substr(kHexDigits, 2) != "  ") {
      return absl::InvalidArgumentError(absl::StrCat("line ", number, " is no checksum"));
    }
    files.push_back(
        {absl::StrCat("/", line.substr(kHexDigits + 2)), std::string(line.substr(0, kHexDigits))});
  }
  return files;
}

bool ListHas(absl::string_view list, absl::string_view path) {
  for (size_t at = list.find(path); at != absl::string_view::npos; at = list.find(path, at + 1)) {
    const size_t end = at + path.size();
    const bool starts_line = at == 0 || list[at - 1] == '\n';
    if (starts_line && (end == list.size() || list[end] == '\n')) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<const PackageDatabase>> ReadPackages(Host& host, ProbeCache& cache) {
  return cache.packages.Get(host, kDpkgStatusFile, [&host]() -> absl::StatusOr<PackageDatabase> {
    absl::StatusOr<std::string> text = host.ReadFile(kDpkgStatusFile);
    if (!text.ok()) return text.status();
    return ParseDpkgStatus(*text);
  });
}

absl::StatusOr<std::string> PackageInfoFile(Host& host, const v1::Package& package,
                                            const std::string& suffix) {
  const std::string plain = absl::StrCat(kInfoDirectory, "/", package.name(), suffix);
  const absl::StatusOr<FileStatus> found = host.Stat(plain);
  if (found.ok()) return plain;
  if (!absl::IsNotFound(found.status())) return found.status();
  return absl::StrCat(kInfoDirectory, "/", package.name(), ":", package.architecture(), suffix);
}

absl::StatusOr<bool> PackageOwns(Host& host, ProbeCache& cache, const v1::Package& package,
                                 const std::string& path) {
  const absl::StatusOr<std::string> file = PackageInfoFile(host, package, ".list");
  if (!file.ok()) return file.status();
  const auto read = [&]() -> absl::StatusOr<bool> {
    absl::StatusOr<std::string> list = host.ReadFile(*file);
    if (!list.ok()) return list.status();
    return ListHas(*list, path);
  };
  const auto owns = cache.owned_paths.Get(host, *file, read, path);
  if (absl::IsNotFound(owns.status())) return false;
  if (!owns.ok()) return owns.status();
  return **owns;
}

absl::StatusOr<std::optional<v1::Package>> FindOwner(Host& host, ProbeCache& cache,
                                                     const std::string& path) {
  const auto database = ReadPackages(host, cache);
  if (!database.ok()) return database.status();
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(kInfoDirectory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, ".list")) continue;
    const absl::StatusOr<std::string> list = host.ReadFile(absl::StrCat(kInfoDirectory, "/", name));
    if (absl::IsNotFound(list.status())) continue;  // its package has just been removed
    if (!list.ok()) return list.status();
    if (!ListHas(*list, path)) continue;
    const absl::string_view package = absl::string_view(name).substr(0, name.find(':'));
    const v1::Package* owner = (*database)->Find(
        absl::EndsWith(package, ".list")
            ? package.substr(0, package.size() - absl::string_view(".list").size())
            : package);
    if (owner != nullptr) return *owner;
  }
  return std::nullopt;
}

}  // namespace connect_ha
