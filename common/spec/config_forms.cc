#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/mount_unit.h"
#include "common/spec/config_checker.h"

namespace connect_ha {

void Checker::Require(bool holds, const std::string& path, const std::string& problem) {
  if (!holds) Add(Severity::kError, path, problem);
}

void Checker::Warn(const std::string& path, const std::string& problem) {
  Add(Severity::kWarning, path, problem);
}

void Checker::Note(const std::string& path, const std::string& problem) {
  Add(Severity::kNote, path, problem);
}

void Checker::Add(Severity severity, const std::string& path, const std::string& problem) {
  problems_.push_back({file_, Find(path), absl::StrCat(path, " ", problem), severity});
}

FilePosition Checker::Find(std::string path) const {
  for (;;) {
    const auto found = positions_.find(path);
    if (found != positions_.end()) return found->second;
    const size_t end = path.find_last_of(".[");
    if (end == std::string::npos) return positions_.empty() ? FilePosition{} : FilePosition{1, 1};
    path.resize(end);
  }
}

bool IsDigits(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool IsFullVersion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '.');
  return parts.size() == 3 && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
           return IsDigits(part) && (part == "0" || part[0] != '0');
         });
}

bool IsConnectVersion(const std::string& text) {
  const std::string numbers = text.substr(0, text.find('-'));
  const bool known_characters = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '-';
  });
  const std::vector<std::string> parts = absl::StrSplit(numbers, '.');
  return known_characters && parts.size() == 3 &&
         std::all_of(parts.begin(), parts.end(), IsDigits) && text.find('.') == 4 &&
         text.back() != '-';
}

bool IsPlainPath(const std::string& path) {
  if (!absl::StartsWith(path, "/") || (path.size() > 1 && absl::EndsWith(path, "/"))) return false;
  if (std::any_of(path.begin(), path.end(),
                  [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
    return false;
  }
  const std::vector<std::string> parts = absl::StrSplit(path.substr(1), '/');
  return path == "/" || std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
           return part.empty() || part == "." || part == "..";
         });
}

bool IsFileName(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         absl::ascii_isalnum(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-';
         });
}

bool IsAccountName(const std::string& text) {
  if (text.empty() || text.size() > 32) return false;
  const auto first = static_cast<unsigned char>(text[0]);
  return (absl::ascii_isalpha(first) || first == '_') &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-' || c == '@';
         });
}

bool HasBlank(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c <= ' ' || c == 127; });
}

bool IsHostName(const std::string& text) {
  return !text.empty() && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.' || c == ':' ||
                  c == '[' || c == ']' || c == '%';
         });
}

bool IsSecretFile(const std::string& path) {
  return IsPlainPath(path) && absl::StartsWith(path, absl::StrCat(kSecretsDirectory, "/"));
}

bool IsFileSystemId(const std::string& text) {
  return absl::StartsWith(text, "fs-") && (text.size() == 11 || text.size() == 20) &&
         std::all_of(text.begin() + 3, text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool IsAccessPointId(const std::string& text) {
  return absl::StartsWith(text, "fsap-") && text.size() == 22 &&
         std::all_of(text.begin() + 5, text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool IsMountPoint(const std::string& path) {
  constexpr size_t kLongestUnitName = 255;
  return IsPlainPath(path) && path != "/" && path.back() != '\\' && path.back() != ' ' &&
         MountUnitName(path).size() <= kLongestUnitName;
}

bool IsFileMode(const std::string& text) {
  return (text.size() == 3 || text.size() == 4) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '7'; });
}

bool IsRegion(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '-');
  return parts.size() >= 3 && IsDigits(parts.back()) &&
         std::all_of(parts.begin(), parts.end() - 1, [](const std::string& part) {
           return !part.empty() && std::all_of(part.begin(), part.end(), [](unsigned char c) {
             return absl::ascii_islower(c);
           });
         });
}

bool IsNameBelow(const std::string& path) {
  return !path.empty() && path[0] != '/' && IsPlainPath("/" + path);
}

bool IsSha256(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

}  // namespace connect_ha
