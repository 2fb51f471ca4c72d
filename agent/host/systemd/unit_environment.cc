#include "agent/host/systemd/unit_environment.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

// Reads one value from `text` at `at`, and leaves `at` behind its end of line.
class ValueReader {
 public:
  ValueReader(std::string_view text, size_t& at) : text_(text), at_(at) {}

  std::string Read() {
    char quote = '\0';
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (quote == '\0' && c == '\n') break;
      if (c == '\\' && quote != '\'') {
        ReadEscaped(quote);
      } else if (c == quote) {
        quote = '\0';
      } else if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
        kept_ = value_.size();
      } else {
        value_ += c;
      }
      if (quote != '\0' || (c != ' ' && c != '\t' && c != '\r')) kept_ = value_.size();
    }
    value_.resize(kept_);
    return value_;
  }

 private:
  // A backslash joins lines; in double quotes it is kept before anything but " \ ` $.
  void ReadEscaped(char quote) {
    if (at_ == text_.size()) return;
    const char c = text_[at_++];
    if (c == '\n') return;
    const bool special = c == '"' || c == '\\' || c == '`' || c == '$';
    if (quote == '"' && !special) value_ += '\\';
    value_ += c;
  }

  std::string_view text_;
  size_t& at_;
  std::string value_;
  size_t kept_ = 0;  // blanks behind this are at the end of the line: dropped
};

void SkipLine(std::string_view text, size_t& at) {
  const size_t end = text.find('\n', at);
  at = end == std::string_view::npos ? text.size() : end + 1;
}

unsigned LineOf(std::string_view text, size_t offset) {
  return 1 + static_cast<unsigned>(std::count(text.begin(), text.begin() + offset, '\n'));
}

// Whether one of the words, in quotes or not, begins with NAME=.
bool Assigns(absl::string_view words, absl::string_view name) {
  char quote = '\0';
  bool at_start = true;
  for (size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    if (quote == '\0' && (c == ' ' || c == '\t' || c == '\n')) {
      at_start = true;
      continue;
    }
    if (at_start && quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
      continue;
    }
    if (at_start && absl::StartsWith(words.substr(i), name) &&
        words.substr(i + name.size(), 1) == "=") {
      return true;
    }
    at_start = false;
    if (c == '\\') {
      ++i;
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
    }
  }
  return false;
}

// The end of the line that begins at `at`, with those that a backslash joins to it.
size_t EndOfJoinedLine(std::string_view text, size_t at) {
  size_t end = text.find('\n', at);
  while (end != std::string_view::npos && end > at && text[end - 1] == '\\') {
    end = text.find('\n', end + 1);
  }
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

unsigned FindEnvironmentLine(std::string_view unit_file, std::string_view name) {
  unsigned found = 0;
  for (size_t at = 0; at < unit_file.size();) {
    const size_t end = EndOfJoinedLine(unit_file, at);
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::string_view(unit_file.data() + at, end - at), absl::MaxSplits('=', 1));
    if (absl::StripAsciiWhitespace(parts.first) == "Environment") {
      const std::string words = absl::StrReplaceAll(parts.second, {{"\\\n", " "}});
      if (Assigns(words, {name.data(), name.size()})) found = LineOf(unit_file, at);
    }
    at = end + 1;
  }
  return found;
}

std::vector<EnvironmentLine> ParseEnvironmentFile(std::string_view text) {
  std::vector<EnvironmentLine> assignments;
  size_t at = 0;
  while (at < text.size()) {
    at = text.find_first_not_of(" \t\r\n", at);
    if (at == std::string_view::npos) break;
    const size_t begin = at;
    const size_t stop = text.find_first_of("=\n", at);
    if (text[at] == '#' || text[at] == ';' || stop == std::string_view::npos ||
        text[stop] == '\n') {
      SkipLine(text, at);
      continue;
    }
    const std::string name(
        absl::StripTrailingAsciiWhitespace(absl::string_view(text.data() + at, stop - at)));
    at = text.find_first_not_of(" \t", stop + 1);
    if (at == std::string_view::npos) at = text.size();
    const unsigned line = LineOf(text, begin);
    assignments.push_back({absl::StrCat(name, "=", ValueReader(text, at).Read()), line});
  }
  return assignments;
}

}  // namespace connect_ha
