#include "common/connect/gcfg.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

constexpr int kEnd = -1;

bool IsBlank(int c) { return c == ' ' || c == '\t' || c == '\r'; }

bool IsNameCharacter(int c) {
  return c != kEnd && (c == '-' || absl::ascii_isalnum(static_cast<unsigned char>(c)));
}

struct Token {
  enum Kind { kEndOfFile, kEndOfLine, kName, kString, kOpen, kClose, kEquals, kBad };
  Kind kind = kEndOfFile;
  size_t offset = 0;
  std::string text;  // of a name or string
  // Set when the token itself is wrong.
  std::string error;
  size_t error_offset = 0;

  bool EndsStatement() const { return kind == kEndOfFile || kind == kEndOfLine; }
};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    line_starts_.push_back(0);
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  GcfgFile Parse() {
    FindBadBytes();
    for (Token token = Next(); token.kind != Token::kEndOfFile; token = Next()) {
      if (token.kind == Token::kEndOfLine) {
        ++cursor_;
      } else if (!Statement(token)) {
        SkipLine();
      }
    }
    std::stable_sort(errors_.begin(), errors_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [offset, message] : errors_) {
      const auto [line, column] = Position(offset);
      file_.errors.push_back({line, column, std::move(message)});
    }
    return std::move(file_);
  }

 private:
  // Header and assignment return false after Fail; the cursor is then at the end of what was
  // understood, never behind the end of that line.
  bool Statement(const Token& first) {
    if (first.kind == Token::kOpen) return Header();
    if (!in_section_) return Unexpected(first, "expected a section header, as [Server]");
    if (first.kind == Token::kName) return Assignment(first);
    return Unexpected(first, "expected a section header or NAME = VALUE");
  }

  bool Header() {
    in_section_ = true;
    Token name = Next();
    if (name.kind != Token::kName) return Unexpected(name, "expected a section name after [");
    section_ = std::move(name.text);
    subsection_.clear();
    Token next = Next();
    if (next.kind == Token::kString && next.error.empty()) {
      if (next.text.empty()) {
        return Fail(next.offset, "empty subsection name; leave the quotes out for none");
      }
      subsection_ = std::move(next.text);
      next = Next();
    }
    if (next.kind != Token::kClose) {
      return Unexpected(next, subsection_.empty() ? "expected ] or a quoted subsection name"
                                                  : "expected ] after the subsection name");
    }
    const Token end = Next();
    return end.EndsStatement() ||
           Fail(end.offset, "expected nothing but a comment after the section header");
  }

  bool Assignment(const Token& name) {
    const Token equals = Next();
    cut_by_comment_ = false;
    if (equals.EndsStatement()) return AddEntry(name, std::nullopt);
    if (equals.kind != Token::kEquals) return Unexpected(equals, "expected = after the name");
    SkipBlanks();
    std::string value;
    return Value(value) && AddEntry(name, std::move(value));
  }

  bool Value(std::string& value) {
    const size_t start = cursor_;
    bool quoted = false;
    size_t kept = 0;  // without the blanks at the end of an unquoted value
    for (;;) {
      const int c = Peek();
      if (!quoted && (c == kEnd || c == '\n' || c == ';' || c == '#')) {
        cut_by_comment_ = (c == ';' || c == '#') && cursor_ > start && !IsBlank(text_[cursor_ - 1]);
        break;
      }
      if (c == kEnd || c == '\n') return Fail(start, "the value's quote is not closed on its line");
      ++cursor_;
      if (c == '\r') continue;
      if (c == '\\') {
        if (!(quoted ? QuotedEscape(value) : UnquotedEscape(start, value))) return false;
      } else if (c == '"') {
        quoted = !quoted;
      } else {
        value += static_cast<char>(c);
        if (!quoted && IsBlank(c)) continue;
      }
      kept = value.size();
    }
    value.resize(kept);
    return true;
  }

  bool QuotedEscape(std::string& value) {
    switch (Peek()) {
      case '\\':
        value += '\\';
        break;
      case '"':
        value += '"';
        break;
      case 'n':
        value += '\n';
        break;
      case 't':
        value += '\t';
        break;
      default:
        return Fail(cursor_, "unknown escape; in quotes there are \\\\ \\\" \\n \\t");
    }
    ++cursor_;
    return true;
  }

  // Outside quotes a backslash continues the line or stands before a quote.
  bool UnquotedEscape(size_t value_start, std::string& value) {
    if (Peek() == '\r') ++cursor_;
    const int c = Peek();
    if (c != '\n' && c != '"') {
      return Fail(value_start, "a value with a backslash must be quoted, and it doubled");
    }
    if (c == '"') value += '"';
    ++cursor_;
    return true;
  }

  // The next token of a header or before a value. An end of line is not passed over.
  Token Next() {
    SkipBlanks();
    while (Peek() == ';' || Peek() == '#') SkipLine();
    Token token;
    token.offset = cursor_;
    const int c = Peek();
    if (c == kEnd) return token;
    if (c == '\n') {
      token.kind = Token::kEndOfLine;
    } else if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
      Name(token);
    } else if (c == '"') {
      String(token);
    } else {
      Symbol(c, token);
    }
    return token;
  }

  void Name(Token& token) {
    token.kind = Token::kName;
    while (IsNameCharacter(Peek())) token.text += text_[cursor_++];
  }

  void String(Token& token) {
    token.kind = Token::kString;
    for (++cursor_; Peek() != '"'; ++cursor_) {
      if (Peek() == kEnd || Peek() == '\n') {
        token.error = "the quote is not closed on its line";
        token.error_offset = token.offset;
        return;
      }
      if (Peek() == '\\') {
        ++cursor_;
        if (Peek() != '"' && Peek() != '\\') {
          token.error = "unknown escape; in a subsection name there are \\\\ \\\"";
          token.error_offset = cursor_;
          return;
        }
      }
      token.text += text_[cursor_];
    }
    ++cursor_;
  }

  void Symbol(int c, Token& token) {
    ++cursor_;
    if (c == '[') {
      token.kind = Token::kOpen;
    } else if (c == ']') {
      token.kind = Token::kClose;
    } else if (c == '=') {
      token.kind = Token::kEquals;
    } else {
      token.kind = Token::kBad;
      token.error_offset = token.offset;
      token.error = absl::ascii_isprint(static_cast<unsigned char>(c))
                        ? absl::StrCat("unexpected character ", std::string(1, c))
                        : "unexpected character; names are ASCII letters, digits and hyphens";
    }
  }

  // Go on at the end of the current line.
  void SkipLine() { cursor_ = std::min(text_.find('\n', cursor_), text_.size()); }

  void SkipBlanks() {
    while (IsBlank(Peek())) ++cursor_;
  }

  int Peek() const {
    return cursor_ < text_.size() ? static_cast<unsigned char>(text_[cursor_]) : kEnd;
  }

  bool Unexpected(const Token& token, const char* message) {
    if (!token.error.empty()) return Fail(token.error_offset, token.error);
    return Fail(token.offset, message);
  }

  bool Fail(size_t offset, std::string message) {
    first_error_ = std::min(first_error_, offset);
    errors_.emplace_back(offset, std::move(message));
    return false;
  }

  // The first byte of each line that is NUL or not UTF-8.
  void FindBadBytes() {
    for (size_t bad = FindInvalidUtf8OrNul(text_, 0); bad < text_.size();) {
      Fail(bad, text_[bad] == '\0' ? "a NUL byte" : "not UTF-8");
      const size_t line_end = std::min(text_.find('\n', bad), text_.size());
      bad = FindInvalidUtf8OrNul(text_, line_end);
    }
  }

  bool AddEntry(const Token& name, std::optional<std::string> value) {
    if (cursor_ > first_error_) return true;
    const auto [line, column] = Position(name.offset);
    file_.entries.push_back(
        {section_, subsection_, name.text, std::move(value), cut_by_comment_, line, column});
    return true;
  }

  std::pair<unsigned, unsigned> Position(size_t offset) const {
    const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    return {next - line_starts_.begin(), offset - *(next - 1) + 1};
  }

  const std::string_view text_;
  std::vector<size_t> line_starts_;
  size_t cursor_ = 0;
  bool in_section_ = false;
  std::string section_;
  std::string subsection_;
  bool cut_by_comment_ = false;  // the latest value
  size_t first_error_ = std::string_view::npos;
  std::vector<std::pair<size_t, std::string>> errors_;
  GcfgFile file_;
};

}  // namespace

GcfgFile ParseGcfg(std::string_view text) { return Parser(WithoutByteOrderMark(text)).Parse(); }

std::string_view WithoutByteOrderMark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  const bool is_there = text.substr(0, kByteOrderMark.size()) == kByteOrderMark;
  return is_there ? text.substr(kByteOrderMark.size()) : text;
}

}  // namespace connect_ha
