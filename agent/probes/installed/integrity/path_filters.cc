#include "agent/probes/installed/integrity/path_filters.h"

#include <fnmatch.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr char kFile[] = "/etc/dpkg/dpkg.cfg";
constexpr char kDirectory[] = "/etc/dpkg/dpkg.cfg.d";

bool IsOptionCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
}

// dpkg passes over the others: "excludes.dpkg-old", "docker.disabled".
bool IsConfigurationName(const std::string& name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsOptionCharacter(c) || c == '_'; });
}

absl::string_view WithoutQuotes(absl::string_view value) {
  const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                      value.back() == value.front();
  return quoted ? value.substr(1, value.size() - 2) : value;
}

absl::Status AddFiltersOf(Host& host, const std::string& path, std::vector<PathFilter>& filters) {
  const absl::StatusOr<std::string> text = host.ReadFile(path);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  if (!text.ok()) return text.status();
  const std::vector<PathFilter> more = ParsePathFilters(*text);
  filters.insert(filters.end(), more.begin(), more.end());
  return absl::OkStatus();
}

}  // namespace

std::vector<PathFilter> ParsePathFilters(absl::string_view text) {
  std::vector<PathFilter> filters;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripTrailingAsciiWhitespace(line);
    // "option=value" or "option value".
    const size_t end = static_cast<size_t>(
        std::find_if_not(line.begin(), line.end(), IsOptionCharacter) - line.begin());
    const absl::string_view option = line.substr(0, end);
    if (end == line.size() || (option != "path-exclude" && option != "path-include")) continue;
    absl::string_view value = line.substr(end + 1);
    if (!value.empty() && value.front() == '=') value.remove_prefix(1);
    value = WithoutQuotes(absl::StripLeadingAsciiWhitespace(value));
    filters.push_back({std::string(value), option == "path-include"});
  }
  return filters;
}

absl::StatusOr<std::vector<PathFilter>> ReadPathFilters(Host& host) {
  std::vector<PathFilter> filters;
  absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(kDirectory);
  if (!names.ok() && !absl::IsNotFound(names.status())) return names.status();
  if (names.ok()) {
    std::sort(names->begin(), names->end());
    for (const std::string& name : *names) {
      if (!IsConfigurationName(name)) continue;
      absl::Status status = AddFiltersOf(host, absl::StrCat(kDirectory, "/", name), filters);
      if (!status.ok()) return status;
    }
  }
  absl::Status status = AddFiltersOf(host, kFile, filters);
  if (!status.ok()) return status;
  return filters;
}

bool Excludes(const std::vector<PathFilter>& filters, const std::string& path) {
  bool excluded = false;
  for (const PathFilter& filter : filters) {
    if (fnmatch(filter.pattern.c_str(), path.c_str(), 0) == 0) excluded = !filter.include;
  }
  return excluded;
}

}  // namespace connect_ha
