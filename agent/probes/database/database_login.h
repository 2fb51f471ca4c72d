// Logs in to PostgreSQL step by step, so that the step that fails is known.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "agent/probes/database/database_session.h"
#include "connect_ha/v1/facts.pb.h"

struct pg_conn;

namespace connect_ha {

// One line, and without the password, whoever's words these are.
std::string WithoutPassword(absl::string_view text, const std::string& password);

// Times the stages: each begins when the one before it passed.
class StageLog {
 public:
  StageLog(v1::DatabaseFacts& facts, const std::string& password)
      : facts_(facts), password_(password) {}

  void Pass(v1::DatabaseStage::Name name) { Add(name).set_passed(true); }
  void Fail(v1::DatabaseStage::Name name, absl::string_view error);
  // For what else a login shows.
  v1::DatabaseFacts& facts() { return facts_; }

 private:
  v1::DatabaseStage& Add(v1::DatabaseStage::Name name);

  v1::DatabaseFacts& facts_;
  const std::string& password_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

// Until the socket can be read (POLLIN) or written (POLLOUT), or fails, or a signal came. False:
// the deadline came first.
bool WaitForSocket(int socket, short what, std::chrono::steady_clock::time_point deadline);

// The stages from CONNECT to AUTHENTICATE, within target.connect_within; where a certificate is
// refused, three times that at the most. Null: one of them failed, as `log` then has it, with what
// is the matter with the certificate. To be closed with PQfinish.
pg_conn* LogIn(const DatabaseTarget& target, const std::vector<std::string>& addresses,
               StageLog& log);

}  // namespace connect_ha
