// libpqxx's exceptions end here. libpqxx 6 leaves the way a connection is made to a policy: ours
// drives libpq's own PQconnectPoll, whose status tells the stages apart.
#include "agent/probes/database_session.h"

#include <libpq-fe.h>
#include <poll.h>

#include <optional>
#include <pqxx/pqxx>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/probes/resolve.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;
using Stage = v1::DatabaseStage;

// Certificate authorities of the distribution, which Connect's own driver trusts by default.
constexpr char kSystemCaFile[] = "/etc/ssl/certs/ca-certificates.crt";

// One line, and without the password, whoever's words these are.
std::string Words(absl::string_view text, const std::string& password) {
  const std::vector<absl::string_view> lines = absl::StrSplit(
      absl::StripAsciiWhitespace(text), absl::ByAnyChar("\n\t"), absl::SkipWhitespace());
  const std::string line = absl::StrJoin(lines, "; ");
  return password.empty() ? line : absl::StrReplaceAll(line, {{password, "***"}});
}

// Times the stages: each begins when the one before it passed.
class StageLog {
 public:
  StageLog(v1::DatabaseFacts& facts, const std::string& password)
      : facts_(facts), password_(password) {}

  void Pass(Stage::Name name) { Add(name).set_passed(true); }
  void Fail(Stage::Name name, absl::string_view error) {
    Add(name).set_error(Words(error, password_));
  }

 private:
  Stage& Add(Stage::Name name) {
    const Clock::time_point now = Clock::now();
    Stage& stage = *facts_.add_stages();
    stage.set_name(name);
    stage.set_duration_us(
        std::chrono::duration_cast<std::chrono::microseconds>(now - since_).count());
    since_ = now;
    return stage;
  }

  v1::DatabaseFacts& facts_;
  const std::string& password_;
  Clock::time_point since_ = Clock::now();
};

using Parameters = std::vector<std::pair<const char*, std::string>>;

// Backslash escapes a blank inside one option (libpq, "options").
std::string ServerOptions(const DatabaseUrl& url) {
  std::string options = "-c statement_timeout=5000 -c lock_timeout=2000";
  if (const auto it = url.parameters.find("options"); it != url.parameters.end()) {
    options = absl::StrCat(it->second, " ", options);
  }
  if (const auto it = url.parameters.find("search_path"); it != url.parameters.end()) {
    absl::StrAppend(&options, " -c search_path=",
                    absl::StrReplaceAll(it->second, {{"\\", "\\\\"}, {" ", "\\ "}}));
  }
  return options;
}

std::string CaFile(const DatabaseTarget& target) {
  const auto it = target.url.parameters.find("sslrootcert");
  if (it != target.url.parameters.end()) return it->second;
  // libpq verifies more than Connect would when it is given a file in any other mode.
  const std::string mode = target.url.SslMode();
  if (mode != "verify-ca" && mode != "verify-full") return "";
  return target.ca_file.empty() ? kSystemCaFile : target.ca_file;
}

Parameters ConnectionParameters(const DatabaseTarget& target,
                                const std::vector<std::string>& addresses) {
  const DatabaseUrl& url = target.url;
  Parameters parameters = {
      // One name for each address; the name is what the certificate is compared with.
      {"host", absl::StrJoin(std::vector<std::string>(addresses.size(), url.host), ",")},
      {"hostaddr", absl::StrJoin(addresses, ",")},
      {"port", absl::StrCat(url.port)},
      {"dbname", url.database},
      {"user", url.user},
      {"password", url.password},
      {"sslmode", url.SslMode()},
      {"sslrootcert", CaFile(target)},
      {"gssencmode", "disable"},
      {"application_name", "connect-ha-agent"},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},
      {"options", ServerOptions(url)},
      {"passfile", "/dev/null/none"},
  };
  for (const char* name : {"sslcert", "sslkey"}) {
    const auto it = url.parameters.find(name);
    if (it != url.parameters.end()) parameters.emplace_back(name, it->second);
  }
  return parameters;
}

// Makes the connection and writes its stages.
class StagedPolicy : public pqxx::connectionpolicy {
 public:
  StagedPolicy(const Parameters& parameters, std::chrono::milliseconds within, StageLog& log)
      : pqxx::connectionpolicy(""), parameters_(parameters), within_(within), log_(log) {}

  handle do_startconnect(handle original) override {
    if (original != nullptr) return original;
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : parameters_) {
      names.push_back(name);
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    PGconn* connection = PQconnectStartParams(names.data(), values.data(), 0);
    if (connection == nullptr) throw std::bad_alloc();
    Drive(connection);
    return connection;
  }

 private:
  // Where the login is; PQstatus is MADE both before and after TLS.
  static Stage::Name StageOf(PGconn* connection) {
    switch (PQstatus(connection)) {
      case CONNECTION_STARTED:
      case CONNECTION_NEEDED:
        return Stage::CONNECT;
      case CONNECTION_SSL_STARTUP:
        return Stage::TLS;
      case CONNECTION_MADE:
        return PQsslInUse(connection) != 0 ? Stage::AUTHENTICATE : Stage::TLS;
      default:
        return Stage::AUTHENTICATE;
    }
  }

  void Drive(PGconn* connection) {
    const Clock::time_point deadline = Clock::now() + within_;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (PQstatus(connection) != CONNECTION_BAD && next != PGRES_POLLING_OK) {
      Enter(StageOf(connection), connection);
      if (!Wait(PQsocket(connection), next, deadline)) {
        throw Fail("no answer in " + std::to_string(within_.count()) + " ms", connection);
      }
      next = PQconnectPoll(connection);
    }
    if (PQstatus(connection) == CONNECTION_BAD) throw Fail(PQerrorMessage(connection), connection);
    Enter(Stage::AUTHENTICATE, connection);
    log_.Pass(Stage::AUTHENTICATE);
  }

  // The stages before `stage` have passed. One that is gone back to (the next address, or
  // sslmode=prefer without TLS) is not told twice.
  void Enter(Stage::Name stage, PGconn* connection) {
    while (stage_ < stage) {
      if (stage_ != Stage::TLS || PQsslInUse(connection) != 0) log_.Pass(stage_);
      stage_ = static_cast<Stage::Name>(stage_ + 1);
    }
  }

  pqxx::broken_connection Fail(const std::string& error, PGconn* connection) {
    log_.Fail(stage_, error);
    PQfinish(connection);
    return pqxx::broken_connection(error);
  }

  static bool Wait(int socket, PostgresPollingStatusType what, Clock::time_point deadline) {
    pollfd one{socket, static_cast<short>(what == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    const int ready = ::poll(&one, 1, static_cast<int>(left));
    return ready > 0 || (ready < 0 && errno == EINTR);
  }

  const Parameters& parameters_;
  const std::chrono::milliseconds within_;
  StageLog& log_;
  Stage::Name stage_ = Stage::CONNECT;
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
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid())";
constexpr char kIdentifierQuery[] = "SELECT system_identifier FROM pg_control_system()";

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

}  // namespace

void ReadDatabaseServer(
    const DatabaseTarget& target, const std::function<Time()>& now,
    const std::function<void(const char* field, const std::string& why)>& refused,
    v1::DatabaseFacts& facts) {
  const std::string& password = target.url.password;
  facts.set_host(target.url.host);
  facts.set_port(target.url.port);
  facts.set_database(target.url.database);
  facts.set_user(target.url.user);
  facts.set_search_path(target.url.SearchPath());
  facts.set_ssl_mode(target.url.SslMode());

  StageLog log(facts, password);
  const auto addresses = ResolveHost(target.url.host, target.resolve_within);
  if (!addresses.ok()) return log.Fail(Stage::RESOLVE, addresses.status().message());
  log.Pass(Stage::RESOLVE);
  const Parameters parameters = ConnectionParameters(target, *addresses);
  StagedPolicy policy(parameters, target.connect_within, log);
  std::optional<StagedConnection> connection;
  try {
    connection.emplace(policy);
  } catch (const std::exception&) {
    return;  // the policy has written which stage failed, and why
  }
  try {
    pqxx::nontransaction session(*connection);
    const Time before = now();
    const pqxx::row row = session.exec1(kServerQuery);
    const Time after = now();
    SetServerFacts(row, facts);
    SetClockOffset(row[11].as<int64_t>(), before, after, facts);
    log.Pass(Stage::QUERY);
    try {
      facts.set_system_identifier(session.exec1(kIdentifierQuery)[0].c_str());
    } catch (const std::exception& error) {
      refused("system_identifier", Words(error.what(), password));
    }
  } catch (const std::exception& error) {
    log.Fail(Stage::QUERY, error.what());
  }
}

}  // namespace connect_ha
