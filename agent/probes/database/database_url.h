// Connect's Postgres.URL: postgres://user:password@host:port/database?sslmode=...&options=...
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace connect_ha {

struct DatabaseUrl {
  std::string user;
  std::string password;  // secret
  std::string host;      // without the brackets of an IPv6 address
  uint32_t port = 5432;
  std::string database;  // the user's name when the URL has none
  std::map<std::string, std::string> parameters;

  // "require" when the URL does not say, as Connect assumes (Admin Guide, "PostgreSQL").
  std::string SslMode() const;
  // From the parameter `search_path`, or -c search_path= in `options`; "" when not given.
  std::string SearchPath() const;
};

// InvalidArgument says what is wrong with the URL, without any part of it: it may hold a password.
absl::StatusOr<DatabaseUrl> ParseDatabaseUrl(absl::string_view url);

}  // namespace connect_ha
