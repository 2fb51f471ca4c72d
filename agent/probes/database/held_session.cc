#include "agent/probes/database/held_session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/database/database_addresses.h"
#include "agent/probes/database/database_login.h"
#include "common/resolve.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, FreeResult>;

absl::Status StageError(const v1::DatabaseFacts& facts) {
  if (facts.stages().empty()) return absl::UnavailableError("not asked");
  const v1::DatabaseStage& last = *facts.stages().rbegin();
  return absl::UnavailableError(
      absl::StrCat(absl::AsciiStrToLower(v1::DatabaseStage::Name_Name(last.name())), ": ",
                   last.has_error() ? last.error() : "failed"));
}

void AddRows(const PGresult* result, std::vector<HeldSession::Row>& rows) {
  for (int i = 0; i < PQntuples(result); ++i) {
    HeldSession::Row& row = rows.emplace_back();
    for (int j = 0; j < PQnfields(result); ++j) row.emplace_back(PQgetvalue(result, i, j));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<HeldSession>> HeldSession::Open(const DatabaseTarget& target) {
  const auto addresses = ResolveHost(target.url.host, target.resolve_within);
  if (!addresses.ok()) return addresses.status();
  v1::DatabaseFacts facts;
  StageLog log(facts, target.url.password);
  AddressTrial trial(*addresses, target.url.port);
  pg_conn* connection = LogIn(target, trial.Best(target.connect_within / 2), log);
  if (connection == nullptr) return StageError(facts);
  // Not make_unique: it has no access.
  return std::unique_ptr<HeldSession>(new HeldSession(connection, target.url.password));
}

HeldSession::HeldSession(pg_conn* connection, const std::string& password)
    : connection_(connection), password_(password) {}

HeldSession::~HeldSession() { PQfinish(connection_); }

int HeldSession::process() const { return PQbackendPID(connection_); }

absl::Status HeldSession::Failed(const char* error) const {
  return absl::UnavailableError(WithoutPassword(error, password_));
}

absl::Status HeldSession::WaitForResult(Clock::time_point deadline) {
  while (PQisBusy(connection_) != 0) {
    if (!WaitForSocket(PQsocket(connection_), POLLIN, deadline)) {
      return absl::DeadlineExceededError("the database does not answer");
    }
    if (PQconsumeInput(connection_) == 0) return Failed(PQerrorMessage(connection_));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<HeldSession::Row>> HeldSession::Ask(const std::string& sql,
                                                               std::chrono::milliseconds within) {
  const Clock::time_point deadline = Clock::now() + within;
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Failed(PQerrorMessage(connection_));
  std::vector<Row> rows;
  absl::Status refused;
  while (true) {
    const absl::Status ready = WaitForResult(deadline);
    if (!ready.ok()) return ready;
    const ResultHandle result(PQgetResult(connection_));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
      AddRows(result.get(), rows);
    } else if (refused.ok()) {
      refused = Failed(PQresultErrorMessage(result.get()));
    }
  }
  if (!refused.ok()) return refused;
  return rows;
}

}  // namespace connect_ha
