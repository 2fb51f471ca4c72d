// A connection to PostgreSQL that is kept, and asked now and then. libpq's own: libpqxx waits for
// an answer without end where the server's machine lives and the server does not, and connects anew
// behind its caller's back, which would be another session.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/probes/database/database_session.h"

struct pg_conn;

namespace connect_ha {

class HeldSession {
 public:
  using Row = std::vector<std::string>;  // as the server writes values: "t", "42"; NULL is ""

  // Logs in, in about target.resolve_within + four times target.connect_within. Unavailable: "tls:
  // ...", the stage that failed and why; a password is in none of it.
  static absl::StatusOr<std::unique_ptr<HeldSession>> Open(const DatabaseTarget& target);
  ~HeldSession();
  HeldSession(const HeldSession&) = delete;
  HeldSession& operator=(const HeldSession&) = delete;

  // One statement, in a transaction of its own. Unavailable: the server refused it, or is gone;
  // DeadlineExceeded: it has not answered. After either there is nothing to do but to close.
  absl::StatusOr<std::vector<Row>> Ask(const std::string& sql, std::chrono::milliseconds within);

  // The server's process that the login named; a pooler makes one up.
  int process() const;

 private:
  HeldSession(pg_conn* connection, const std::string& password);
  absl::Status WaitForResult(std::chrono::steady_clock::time_point deadline);
  absl::Status Failed(const char* error) const;

  pg_conn* const connection_;
  const std::string password_;  // to be left out of what the server says
};

}  // namespace connect_ha
