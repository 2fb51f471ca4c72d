#include "common/connect/secret_parameters.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"

namespace connect_ha {
namespace {

constexpr absl::string_view kBlanks = " \t\n";

// How parameters that hold a secret may end beside what EndsAsASecret knows.
constexpr const char* kParameterEndings[] = {"pass",          "signature", "sig", "auth",
                                             "authorization", "jwt",       "sas", "cookie"};
// libpq's, which name a file or a method.
constexpr const char* kNotSecret[] = {"sslkey", "require_auth"};

constexpr const char* kConnectionParameters[] = {
    "application_name", "client_encoding", "connect_timeout", "dbname",  "host",
    "hostaddr",         "options",         "password",        "port",    "search_path",
    "sslcert",          "sslcrl",          "sslkey",          "sslmode", "sslpassword",
    "sslrootcert",      "sslsni",          "timezone",        "user",    "target_session_attrs"};

bool IsBlank(char c) { return kBlanks.find(c) != absl::string_view::npos; }
bool IsQuote(char c) { return c == '\'' || c == '"'; }

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.' ||
         c == '%';
}

// %41 is A.
std::string PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 1])) &&
        absl::ascii_isxdigit(static_cast<unsigned char>(text[i + 2]))) {
      decoded += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

bool NamesASecret(absl::string_view text) {
  const std::string name = PercentDecoded(text);
  if (std::any_of(std::begin(kNotSecret), std::end(kNotSecret),
                  [&](const char* other) { return absl::EqualsIgnoreCase(name, other); })) {
    return false;
  }
  return EndsAsASecret(name) ||
         std::any_of(std::begin(kParameterEndings), std::end(kParameterEndings),
                     [&](const char* ending) { return absl::EndsWithIgnoreCase(name, ending); });
}

size_t SkipBlanks(absl::string_view text, size_t at) {
  while (at < text.size() && IsBlank(text[at])) ++at;
  return at;
}

// Whether NAME= of a parameter of PostgreSQL stands at `at`: any other name may be a part of the
// secret before it.
bool ParameterBegins(absl::string_view text, size_t at) {
  const size_t begin = at;
  while (at < text.size() && IsNameCharacter(text[at])) ++at;
  const absl::string_view name = text.substr(begin, at - begin);
  at = SkipBlanks(text, at);
  return at < text.size() && text[at] == '=' &&
         std::any_of(std::begin(kConnectionParameters), std::end(kConnectionParameters),
                     [&](const char* known) { return name == known; });
}

// From `at` to the next parameter behind a blank or an &, or to the end.
size_t EndOfUnquoted(absl::string_view text, size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '&' && ParameterBegins(text, at + 1)) return at;
    if (IsBlank(text[at]) && ParameterBegins(text, SkipBlanks(text, at))) return at;
  }
  return text.size();
}

// The closing quote of the value that begins behind an opening one at `at`, when what follows it
// shows that it is the closing one; else npos.
size_t FindClosingQuote(absl::string_view text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      const size_t next = SkipBlanks(text, at + 1);
      const bool ends = next == text.size() ||
                        absl::string_view("&,;})").find(text[next]) != absl::string_view::npos ||
                        (next > at + 1 && ParameterBegins(text, next));
      return ends ? at : absl::string_view::npos;
    }
  }
  return absl::string_view::npos;
}

// The value behind a = or a : at `separator`.
TextRange ValueBehind(absl::string_view text, size_t separator) {
  const size_t begin = SkipBlanks(text, separator + 1);
  if (begin < text.size() && IsQuote(text[begin])) {
    const size_t closing = FindClosingQuote(text, begin);
    if (closing != absl::string_view::npos) return {begin + 1, closing};
  }
  return {begin, text[separator] == '=' ? EndOfUnquoted(text, begin) : text.size()};
}

// The name before a = or a : at `separator`, in quotes or not.
absl::string_view NameBefore(absl::string_view text, size_t separator) {
  size_t end = separator;
  while (end > 0 && (IsBlank(text[end - 1]) || IsQuote(text[end - 1]))) --end;
  size_t begin = end;
  while (begin > 0 && IsNameCharacter(text[begin - 1])) --begin;
  // https://token:8080: a user or a host, whose password was looked for already.
  if (text[separator] == ':' && absl::EndsWith(text.substr(0, begin), "//")) return "";
  return text.substr(begin, end - begin);
}

}  // namespace

bool EndsAsASecret(absl::string_view name) {
  constexpr const char* kEndings[] = {"Password",   "Passwd", "Pwd",   "Secret",
                                      "Passphrase", "Key",    "Token", "Credential"};
  while (!name.empty() && absl::ascii_isdigit(static_cast<unsigned char>(name.back()))) {
    name.remove_suffix(1);
  }
  absl::string_view singular = name;
  if (absl::EndsWithIgnoreCase(singular, "s")) singular.remove_suffix(1);
  return std::any_of(std::begin(kEndings), std::end(kEndings), [&](const char* ending) {
    return absl::EndsWithIgnoreCase(name, ending) || absl::EndsWithIgnoreCase(singular, ending);
  });
}

std::vector<TextRange> FindSecretParameters(absl::string_view text) {
  std::vector<TextRange> secrets;
  for (size_t at = text.find_first_of("=:"); at < text.size();
       at = text.find_first_of("=:", at + 1)) {
    if (absl::StartsWith(text.substr(at), "://") || !NamesASecret(NameBefore(text, at))) continue;
    const TextRange range = ValueBehind(text, at);
    if (range.begin < range.end) secrets.push_back(range);
  }
  // "Authorization" may be implied.
  const std::string lower = absl::AsciiStrToLower(text);
  const size_t bearer = lower.find("bearer ");
  if (bearer != std::string::npos) secrets.push_back({bearer + 7, text.size()});
  return secrets;
}

}  // namespace connect_ha
