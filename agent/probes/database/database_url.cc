#include "agent/probes/database/database_url.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr char kDefaultSslMode[] = "require";

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(static_cast<unsigned char>(c));
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<std::string> PercentDecode(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

// "user:password"
absl::Status ParseUserInfo(absl::string_view text, DatabaseUrl& url) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  const auto user = PercentDecode(parts.first);
  const auto password = PercentDecode(parts.second);
  if (!user || !password) return Wrong("user or password is not percent-encoded");
  url.user = *user;
  url.password = *password;
  return absl::OkStatus();
}

// "host:port" or "[2001:db8::1]:port"
absl::Status ParsePort(absl::string_view text, DatabaseUrl& url) {
  if (absl::SimpleAtoi(text, &url.port) && url.port != 0 && url.port <= 65535) {
    return absl::OkStatus();
  }
  return Wrong("the port is not a number from 1 to 65535");
}

absl::Status ParseHostPort(absl::string_view text, DatabaseUrl& url) {
  if (absl::StrContains(text, ",")) return Wrong("it names several hosts");
  absl::string_view port;
  if (absl::StartsWith(text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return Wrong("no ] behind the address");
    url.host = std::string(text.substr(1, end - 1));
    port = text.substr(end + 1);
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    const auto host = PercentDecode(text.substr(0, colon));
    if (!host) return Wrong("the host is not percent-encoded");
    url.host = *host;
    port = text.substr(colon);
  }
  if (url.host.empty()) url.host = "localhost";
  if (port.empty() || port == ":") return absl::OkStatus();
  return ParsePort(port[0] == ':' ? port.substr(1) : port, url);
}

absl::Status ParseParameters(absl::string_view text, DatabaseUrl& url) {
  for (const absl::string_view part : absl::StrSplit(text, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    const auto name = PercentDecode(pair.first);
    // A form-encoded blank; a plus sign itself is %2B.
    const auto value = PercentDecode(pair.second);
    if (!name || !value) return Wrong("a parameter is not percent-encoded");
    url.parameters[*name] = *value;
  }
  return absl::OkStatus();
}

// Of who, where and what, the parameters hold against the rest of the URL: so do libpq and the
// drivers for Go.
absl::Status TakeParameters(DatabaseUrl& url) {
  const std::pair<const char*, std::string*> kParts[] = {{"user", &url.user},
                                                         {"password", &url.password},
                                                         {"host", &url.host},
                                                         {"dbname", &url.database}};
  for (const auto& [name, part] : kParts) {
    const auto it = url.parameters.find(name);
    if (it == url.parameters.end()) continue;
    if (!it->second.empty()) *part = it->second;
    url.parameters.erase(it);
  }
  if (absl::StrContains(url.host, ",")) return Wrong("it names several hosts");
  const auto port = url.parameters.find("port");
  if (port == url.parameters.end()) return absl::OkStatus();
  const absl::Status status = ParsePort(port->second, url);
  url.parameters.erase(port);
  return status;
}

}  // namespace

std::string DatabaseUrl::SslMode() const {
  const auto it = parameters.find("sslmode");
  return it == parameters.end() || it->second.empty() ? kDefaultSslMode : it->second;
}

std::string DatabaseUrl::SearchPath() const {
  const std::string name = "search_path=";
  if (const auto it = parameters.find("search_path"); it != parameters.end()) return it->second;
  const auto options = parameters.find("options");
  if (options == parameters.end()) return "";
  const size_t at = options->second.find(name);
  if (at == std::string::npos) return "";
  const std::string rest = options->second.substr(at + name.size());
  return rest.substr(0, rest.find(' '));
}

absl::StatusOr<DatabaseUrl> ParseDatabaseUrl(absl::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == absl::string_view::npos) return Wrong("it does not begin with postgres://");
  const absl::string_view name = text.substr(0, scheme);
  if (name != "postgres" && name != "postgresql") {
    return Wrong("it does not begin with postgres://");
  }
  text.remove_prefix(scheme + 3);
  const size_t question = std::min(text.find('?'), text.size());
  absl::string_view authority = text.substr(0, question);
  const absl::string_view query = text.substr(std::min(question + 1, text.size()));
  const size_t slash = std::min(authority.find('/'), authority.size());
  const absl::string_view path = authority.substr(std::min(slash + 1, authority.size()));
  authority = authority.substr(0, slash);

  DatabaseUrl url;
  if (const size_t at = authority.rfind('@'); at != absl::string_view::npos) {
    const absl::Status status = ParseUserInfo(authority.substr(0, at), url);
    if (!status.ok()) return status;
    authority.remove_prefix(at + 1);
  }
  // The end of a password: what stands before it would be taken for a host and a port.
  if (absl::StrContains(path, "@") ||
      (!absl::StrContains(authority, "@") && absl::StrContains(query, "@"))) {
    return Wrong("an @ stands behind the first / or ?; in a password / is %2F, ? is %3F, @ is %40");
  }
  absl::Status status = ParseHostPort(authority, url);
  if (status.ok()) status = ParseParameters(query, url);
  if (!status.ok()) return status;
  const auto database = PercentDecode(path);
  if (!database) return Wrong("the database's name is not percent-encoded");
  url.database = *database;
  status = TakeParameters(url);
  if (!status.ok()) return status;
  if (url.database.empty()) url.database = url.user;
  return url;
}

}  // namespace connect_ha
