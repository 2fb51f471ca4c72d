#include "common/spec/connect_template_text.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kEscapedOpen = "$${";
constexpr std::string_view kSecret = "secret.";

// Of a line and a column, both from 1.
size_t OffsetOf(std::string_view text, unsigned line, unsigned column) {
  size_t start = 0;
  for (unsigned passed = 1; passed < line; ++passed) {
    start = text.find('\n', start);
    if (start == std::string_view::npos) return text.size();
    ++start;
  }
  return std::min(start + column - 1, text.size());
}

FilePosition PositionOfOffset(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

}  // namespace

absl::StatusOr<std::vector<TemplatePiece>> SplitTemplateValue(std::string_view value) {
  std::vector<TemplatePiece> pieces;
  std::string text;
  size_t at = 0;
  while (at < value.size()) {
    if (value.substr(at, kEscapedOpen.size()) == kEscapedOpen) {
      text += kOpen;
      at += kEscapedOpen.size();
    } else if (value.substr(at, kOpen.size()) == kOpen) {
      const size_t end = value.find('}', at);
      if (end == std::string_view::npos) {
        return absl::InvalidArgumentError("${ is not closed with }; write $${ for the characters");
      }
      if (!text.empty()) pieces.push_back({std::move(text)});
      text.clear();
      const size_t begin = at + kOpen.size();
      pieces.push_back({std::string(value.substr(begin, end - begin)), true});
      at = end + 1;
    } else {
      text += value[at++];
    }
  }
  if (!text.empty()) pieces.push_back({std::move(text)});
  return pieces;
}

std::string SecretNameOf(std::string_view placeholder) {
  if (placeholder.substr(0, kSecret.size()) != kSecret) return "";
  return std::string(placeholder.substr(kSecret.size()));
}

FilePosition PositionOfPlaceholder(std::string_view text, const GcfgEntry& entry,
                                   std::string_view name) {
  const size_t begin = OffsetOf(text, entry.line, entry.column);
  const size_t found = text.find(absl::StrCat("${", std::string(name)), begin);
  if (found == std::string_view::npos) {
    return {static_cast<int>(entry.line), static_cast<int>(entry.column)};
  }
  return PositionOfOffset(text, found);
}

std::string GcfgHeader(const std::string& section, const std::string& subsection) {
  if (subsection.empty()) return absl::StrCat("[", section, "]");
  return absl::StrCat("[", section, " \"",
                      absl::StrReplaceAll(subsection, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"]");
}

std::string GcfgQuoted(std::string_view value) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(absl::string_view(value.data(), value.size()),
                          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\t", "\\t"}}),
      "\"");
}

absl::Status CheckGcfgCanHold(std::string_view value) {
  const size_t bad = FindInvalidUtf8OrNul(value, 0);
  if (bad < value.size()) {
    return absl::InvalidArgumentError(value[bad] == '\0' ? "a NUL" : "bytes that are not UTF-8");
  }
  if (value.find('\r') != std::string_view::npos) {
    return absl::InvalidArgumentError("a carriage return");
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
