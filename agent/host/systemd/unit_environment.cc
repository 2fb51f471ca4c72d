#include "agent/host/systemd/unit_environment.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

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

}  // namespace

std::vector<std::string> ParseEnvironmentFile(std::string_view text) {
  std::vector<std::string> assignments;
  size_t at = 0;
  while (at < text.size()) {
    at = text.find_first_not_of(" \t\r\n", at);
    if (at == std::string_view::npos) break;
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
    assignments.push_back(absl::StrCat(name, "=", ValueReader(text, at).Read()));
  }
  return assignments;
}

}  // namespace connect_ha
