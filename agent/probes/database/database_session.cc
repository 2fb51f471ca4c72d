// libpqxx's exceptions end here. libpqxx 6 leaves the way a connection is made to a policy: ours is
// LogIn, which drives libpq's own PQconnectPoll, whose status tells the stages apart.
#include "agent/probes/database/database_session.h"

#include <optional>
#include <pqxx/pqxx>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "agent/probes/database/connect_tables.h"
#include "agent/probes/database/database_addresses.h"
#include "agent/probes/database/database_login.h"
#include "common/connect/connect_redaction.h"
#include "common/resolve.h"

namespace connect_ha {
namespace {

using Stage = v1::DatabaseStage;

// Certificate authorities of the distribution, which Connect's own driver trusts by default.
constexpr char kSystemCaFile[] = "/etc/ssl/certs/ca-certificates.crt";

// Where libpqxx makes its connection, with the stages of it written.
class StagedPolicy : public pqxx::connectionpolicy {
 public:
  StagedPolicy(const DatabaseTarget& target, const std::vector<std::string>& addresses,
               StageLog& log)
      : pqxx::connectionpolicy(""), target_(target), addresses_(addresses), log_(log) {}

  handle do_startconnect(handle original) override {
    if (original != nullptr) return original;
    pg_conn* connection = LogIn(target_, addresses_, log_);
    if (connection == nullptr) throw pqxx::broken_connection();
    return connection;
  }

 private:
  const DatabaseTarget& target_;
  const std::vector<std::string>& addresses_;
  StageLog& log_;
};

class StagedConnection : public pqxx::connection_base {
 public:
  explicit StagedConnection(StagedPolicy& policy) : pqxx::connection_base(policy) { init(); }
  ~StagedConnection() noexcept { close(); }
};

// pg_stat_database counts the connections of all roles for any role; pg_stat_activity hides them.
// reserved_connections is PostgreSQL 16's, rds.* Amazon's.
constexpr char kServerQuery[] = R"(
SELECT current_setting('server_version_num')::int,
       pg_is_in_recovery(),
       current_setting('transaction_read_only')::bool,
       s.ssl, s.version, s.cipher,
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       current_schema(),
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
         + coalesce(current_setting('reserved_connections', true), '0')::int
         + coalesce(current_setting('rds.rds_superuser_reserved_connections', true), '0')::int,
       (SELECT sum(numbackends) FROM pg_stat_database),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       pg_backend_pid()
  FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid())";
constexpr char kIdentifierQuery[] = "SELECT system_identifier FROM pg_control_system()";
constexpr char kProcessQuery[] = "SELECT pg_backend_pid()";

constexpr std::chrono::milliseconds kLastAddressesWithin{500};

void SetServerFacts(const pqxx::row& row, v1::DatabaseFacts& facts) {
  facts.set_server_version(row[0].as<uint32_t>());
  facts.set_in_recovery(row[1].as<bool>());
  facts.set_read_only(row[2].as<bool>());
  facts.set_tls_in_use(row[3].as<bool>());
  if (!row[4].is_null()) facts.set_tls_version(row[4].c_str());
  if (!row[5].is_null()) facts.set_tls_cipher(row[5].c_str());
  facts.set_database_oid(row[6].as<uint32_t>());
  if (!row[7].is_null()) facts.set_current_schema(row[7].c_str());
  facts.set_max_connections(row[8].as<uint32_t>());
  facts.set_reserved_connections(row[9].as<uint32_t>());
  facts.set_used_connections(row[10].as<uint32_t>());
}

// The database's clock is read some time between the two looks at the node's.
void SetClockOffset(int64_t database_us, Time before, Time after, v1::DatabaseFacts& facts) {
  const int64_t before_us = before.time_since_epoch().count();
  const int64_t round_trip_us = after.time_since_epoch().count() - before_us;
  facts.set_clock_offset_us(before_us + round_trip_us / 2 - database_us);
  facts.set_clock_error_us((round_trip_us + 1) / 2);
}

// RDS Proxy's endpoints: NAME.proxy-ID.REGION.rds.amazonaws.com.
const char* PoolerByName(const std::string& host) {
  return absl::StrContains(host, ".proxy-") && absl::StrContains(host, ".rds.amazonaws.com")
             ? "RDS Proxy"
             : nullptr;
}

void SetPooler(const char* pooler, const char* seen_by, v1::DatabaseFacts& facts) {
  if (facts.has_pooler()) return;
  facts.set_pooler(pooler);
  facts.set_pooler_seen_by(seen_by);
}

// A pooler, PgBouncer for one, invents the key for cancelling: the process that it names is not the
// server's. One that passes the server's on may still give the next transaction to another.
void RecognisePooler(pqxx::connection_base& connection, int first, v1::DatabaseFacts& facts) {
  constexpr char kPooler[] = "a connection pooler";
  if (first != connection.backendpid()) {
    SetPooler(kPooler, "another process answers than the one that the login named", facts);
  }
  if (facts.has_pooler()) return;
  pqxx::nontransaction next(connection);
  if (next.exec1(kProcessQuery)[0].as<int>() != first) {
    SetPooler(kPooler, "two transactions of one session are answered by two processes", facts);
  }
}

// After the login, since a pooler refuses a login with settings that it does not know.
void SetLocally(const DatabaseUrl& url, pqxx::transaction_base& session) {
  session.exec("SET LOCAL statement_timeout = 5000; SET LOCAL lock_timeout = 2000");
  const auto it = url.parameters.find("search_path");
  if (it == url.parameters.end()) return;
  session.exec("SELECT set_config('search_path', " + session.quote(it->second) + ", true)");
}

// In one transaction, which a pooler gives one server: what SET LOCAL sets ends with it. Returns
// the process that answers.
int AskServer(const DatabaseTarget& target, const std::function<Time()>& now,
              const std::function<void(const char* field, const std::string& why)>& refused,
              pqxx::connection_base& connection, StageLog& log) {
  v1::DatabaseFacts& facts = log.facts();
  pqxx::work session(connection);
  SetLocally(target.url, session);
  const Time before = now();
  const pqxx::row row = session.exec1(kServerQuery);
  const Time after = now();
  SetServerFacts(row, facts);
  SetClockOffset(row[11].as<int64_t>(), before, after, facts);
  CountTables(session, facts);
  log.Pass(Stage::QUERY);
  try {
    // A refusal ends the transaction: nothing is asked after it.
    facts.set_system_identifier(session.exec1(kIdentifierQuery)[0].c_str());
  } catch (const std::exception& error) {
    refused("system_identifier", WithoutPassword(error.what(), target.url.password));
  }
  return row[12].as<int>();
}

// Nothing else is less true where this cannot be told.
void AskTables(const DatabaseTarget& target,
               const std::function<void(const char* field, const std::string& why)>& refused,
               pqxx::connection_base& connection, v1::DatabaseFacts& facts) {
  const BeginSession begin = [&target](pqxx::transaction_base& session) {
    SetLocally(target.url, session);
  };
  try {
    ReadMigration(connection, begin, facts);
  } catch (const std::exception& error) {
    refused("migration", WithoutPassword(error.what(), target.url.password));
  }
  if (!target.pinned) return;
  facts.clear_pinned_unknown();
  try {
    ReadPinned(connection, begin, facts);
  } catch (const std::exception& error) {
    facts.clear_pinned();
    facts.set_pinned_unknown(WithoutPassword(error.what(), target.url.password));
  }
}

void LogInAndAsk(const DatabaseTarget& target, const std::vector<std::string>& addresses,
                 const std::function<Time()>& now,
                 const std::function<void(const char* field, const std::string& why)>& refused,
                 StageLog& log) {
  StagedPolicy policy(target, addresses, log);
  std::optional<StagedConnection> connection;
  try {
    connection.emplace(policy);
  } catch (const std::exception&) {
    return;  // LogIn has written which stage failed, and why
  }
  bool asked = false;
  try {
    const int process = AskServer(target, now, refused, *connection, log);
    asked = true;
    RecognisePooler(*connection, process, log.facts());
    AskTables(target, refused, *connection, log.facts());
  } catch (const std::exception& error) {
    // One that goes away between two questions is met again by the next look.
    if (!asked) log.Fail(Stage::QUERY, error.what());
  }
}

}  // namespace

std::string CaFile(const DatabaseTarget& target) {
  const auto it = target.url.parameters.find("sslrootcert");
  if (it != target.url.parameters.end()) return it->second;
  // libpq verifies more than Connect would when it is given a file in any other mode.
  const std::string mode = target.url.SslMode();
  if (mode != "verify-ca" && mode != "verify-full") return "";
  return target.ca_file.empty() ? kSystemCaFile : target.ca_file;
}

void ReadDatabaseServer(
    const DatabaseTarget& target, const std::function<Time()>& now,
    const std::function<void(const char* field, const std::string& why)>& refused,
    v1::DatabaseFacts& facts) {
  const std::string& password = target.url.password;
  // A URL that is not written as it should be may have a part of a password in any place.
  const auto shown = [](const std::string& text) { return RedactPasswords(text).text; };
  facts.set_host(shown(target.url.host));
  facts.set_port(target.url.port);
  facts.set_database(shown(target.url.database));
  facts.set_user(shown(target.url.user));
  facts.set_search_path(shown(target.url.SearchPath()));
  facts.set_ssl_mode(shown(target.url.SslMode()));

  if (target.pinned) facts.set_pinned_unknown("the database could not be asked");

  StageLog log(facts, password);
  const auto addresses = ResolveHost(target.url.host, target.resolve_within);
  if (!addresses.ok()) return log.Fail(Stage::RESOLVE, addresses.status().message());
  log.Pass(Stage::RESOLVE);
  const std::set<std::string> sorted(addresses->begin(), addresses->end());
  for (const std::string& address : sorted) facts.add_addresses(address);
  if (const char* pooler = PoolerByName(target.url.host)) {
    SetPooler(pooler, "the name is one of its endpoints'", facts);
  }
  AddressTrial trial(*addresses, target.url.port);
  LogInAndAsk(target, trial.Best(target.connect_within / 2), now, refused, log);
  trial.Tell(kLastAddressesWithin, facts);
}

}  // namespace connect_ha
