#include "common/connect/connect_redaction.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "common/connect/secret_parameters.h"

namespace connect_ha {
namespace {

constexpr char kMask[] = "***";
constexpr char kPlaceholder[] = "{$}";
constexpr absl::string_view kSchemeEnd = "://";

bool Contains(absl::string_view characters, char c) {
  return characters.find(c) != absl::string_view::npos;
}

bool IsMasked(absl::string_view text) {
  return text.empty() || text == kMask || text == kPlaceholder;
}

size_t FindFirst(absl::string_view text, absl::string_view characters, size_t from, size_t end) {
  return std::min(text.find_first_of(characters, from), end);
}

// Where the scheme begins whose "://" is at `scheme_end`.
size_t SchemeStart(absl::string_view text, size_t scheme_end) {
  size_t start = scheme_end;
  while (start > 0 && (absl::ascii_isalnum(static_cast<unsigned char>(text[start - 1])) ||
                       Contains("+-.", text[start - 1]))) {
    --start;
  }
  return start;
}

// Whether a scheme is one in use, and not a part of a password.
bool IsUsualScheme(absl::string_view scheme) {
  constexpr const char* kSchemes[] = {"http",     "https",      "git+http", "git+https", "git",
                                      "postgres", "postgresql", "ldap",     "ldaps",     "smtp",
                                      "smtps",    "ftp",        "ssh",      "s3",        "file"};
  return std::any_of(std::begin(kSchemes), std::end(kSchemes),
                     [&](const char* usual) { return absl::EqualsIgnoreCase(scheme, usual); });
}

// The end of the URL whose authority begins at `begin`. A blank does not end it, since a password
// may hold one, unless another URL follows.
size_t EndOfUrl(absl::string_view text, size_t begin) {
  for (size_t next = text.find(kSchemeEnd, begin); next != absl::string_view::npos;
       next = text.find(kSchemeEnd, next + 1)) {
    const size_t start = SchemeStart(text, next);
    if (start > begin && Contains(" \t\n,", text[start - 1]) &&
        IsUsualScheme(text.substr(start, next - start))) {
      return start;
    }
  }
  return text.size();
}

// scheme://user:PASSWORD@host and scheme://TOKEN@host.
void AddLogin(absl::string_view text, absl::string_view scheme, size_t begin, size_t at_sign,
              std::vector<TextRange>& secrets) {
  const size_t colon = text.find(':', begin);
  const bool has_password = colon < at_sign;
  if (has_password && IsMasked(text.substr(colon + 1, at_sign - colon - 1)) &&
      colon + 1 < at_sign) {
    return;  // someone has masked it, and shows the user on purpose
  }
  const bool database =
      absl::EqualsIgnoreCase(scheme, "postgres") || absl::EqualsIgnoreCase(scheme, "postgresql");
  if (!database) {
    secrets.push_back({begin, at_sign});
  } else if (has_password) {
    secrets.push_back({colon + 1, at_sign});
  }
}

// scheme://user:PASS, the rest of which a comment has cut off. A port is none.
void AddCutOff(absl::string_view text, size_t begin, size_t end, std::vector<TextRange>& secrets) {
  const size_t authority_end = FindFirst(text, "/?#", begin, end);
  size_t from = begin;
  if (text.substr(begin, 1) == "[") from = FindFirst(text, "]", begin, authority_end);
  const size_t colon = FindFirst(text, ":", from, authority_end);
  if (colon == authority_end) return;
  const size_t port_end = FindFirst(text, ",/?# \t\n\"'<>", colon, end);
  const absl::string_view port = text.substr(colon + 1, port_end - colon - 1);
  const bool is_port = std::all_of(port.begin(), port.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!is_port) secrets.push_back({colon + 1, end});
}

// user:PASSWORD@host without a scheme, before the first URL. A colon that a blank follows is one of
// a sentence.
void AddBareLogin(absl::string_view text, size_t first_url, std::vector<TextRange>& secrets) {
  const size_t at_sign = text.rfind('@');
  if (at_sign == absl::string_view::npos) return;
  for (size_t colon = text.find(':'); colon < std::min(at_sign, first_url);
       colon = text.find(':', colon + 1)) {
    if (colon == 0 || Contains(" \t\n", text[colon - 1]) || Contains(" \t\n", text[colon + 1])) {
      continue;
    }
    secrets.push_back({colon + 1, at_sign});
    return;
  }
}

std::vector<TextRange> FindLogins(absl::string_view text) {
  std::vector<TextRange> secrets;
  size_t scheme_end = text.find(kSchemeEnd);
  AddBareLogin(text,
               scheme_end == absl::string_view::npos ? scheme_end : SchemeStart(text, scheme_end),
               secrets);
  while (scheme_end != absl::string_view::npos) {
    const size_t start = SchemeStart(text, scheme_end);
    const size_t begin = scheme_end + kSchemeEnd.size();
    const size_t end = EndOfUrl(text, begin);
    const size_t at_sign = text.substr(0, end).rfind('@');
    if (at_sign != absl::string_view::npos && at_sign >= begin) {
      AddLogin(text, text.substr(start, scheme_end - start), begin, at_sign, secrets);
    } else {
      AddCutOff(text, begin, end, secrets);
    }
    scheme_end = text.find(kSchemeEnd, end);
  }
  return secrets;
}

Redacted Mask(absl::string_view text, std::vector<TextRange> secrets) {
  std::sort(secrets.begin(), secrets.end(),
            [](const TextRange& a, const TextRange& b) { return a.begin < b.begin; });
  Redacted redacted;
  size_t done = 0;
  for (size_t i = 0; i < secrets.size();) {
    const size_t begin = std::max(secrets[i].begin, done);
    size_t end = secrets[i].end;
    // Those that touch are one.
    for (++i; i < secrets.size() && secrets[i].begin <= end; ++i) {
      end = std::max(end, secrets[i].end);
    }
    if (end <= begin || IsMasked(text.substr(begin, end - begin))) continue;
    redacted.text += std::string(text.substr(done, begin - done)) + kMask;
    redacted.passwords += std::string(text.substr(begin, end - begin)) + "\n";
    done = end;
  }
  redacted.text += std::string(text.substr(done));
  return redacted;
}

Redacted Redact(absl::string_view text, std::vector<TextRange> secrets) {
  if (absl::StrContains(text, "PRIVATE KEY--")) return Mask(text, {{0, text.size()}});
  for (const TextRange& range : FindLogins(text)) secrets.push_back(range);
  for (const TextRange& range : FindSecretParameters(text)) secrets.push_back(range);
  return Mask(text, std::move(secrets));
}

bool NamesAUrl(absl::string_view name) {
  constexpr const char* kEndings[] = {"url", "urls", "uri", "address", "host", "proxy", "endpoint"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* ending) { return absl::EndsWithIgnoreCase(name, ending); });
}

}  // namespace

Redacted RedactPasswords(std::string_view value) {
  return Redact(absl::string_view(value.data(), value.size()), {});
}

Redacted RedactConfigValue(std::string_view name, std::string_view value) {
  const absl::string_view text(value.data(), value.size());
  std::vector<TextRange> secrets;
  const size_t at_sign = text.rfind('@');
  if (NamesAUrl({name.data(), name.size()}) && at_sign != absl::string_view::npos &&
      !absl::StrContains(text, kSchemeEnd)) {
    secrets.push_back({0, at_sign});
  }
  return Redact(text, std::move(secrets));
}

}  // namespace connect_ha
