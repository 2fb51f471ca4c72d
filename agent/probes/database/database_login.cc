#include "agent/probes/database/database_login.h"

#include <libpq-fe.h>
#include <poll.h>

#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/probes/database/certificate_look.h"
#include "common/connect/connect_redaction.h"

namespace connect_ha {
namespace {

using Clock = std::chrono::steady_clock;
using Stage = v1::DatabaseStage;
using Parameters = std::vector<std::pair<const char*, std::string>>;

Parameters ConnectionParameters(const DatabaseTarget& target,
                                const std::vector<std::string>& addresses,
                                const std::string& ca_file) {
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
      {"sslrootcert", ca_file},
      {"gssencmode", "disable"},
      {"application_name", "connect-ha-agent"},
      {"keepalives_idle", "5"},
      {"keepalives_interval", "2"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "10000"},
      {"passfile", "/dev/null/none"},
  };
  // Nothing of ours is among "options": a pooler refuses a login that has them.
  for (const char* name : {"options", "sslcert", "sslkey"}) {
    const auto it = url.parameters.find(name);
    if (it != url.parameters.end()) parameters.emplace_back(name, it->second);
  }
  return parameters;
}

bool Wait(PGconn* connection, PostgresPollingStatusType what, Clock::time_point deadline) {
  return WaitForSocket(PQsocket(connection), what == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                       deadline);
}

const ssl_st* TlsOf(PGconn* connection) {
  return static_cast<const ssl_st*>(PQsslStruct(connection, "OpenSSL"));
}

// Where the login is; PQstatus is MADE both before and after TLS.
Stage::Name StageOf(PGconn* connection) {
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

// One login, in one try or two.
class Login {
 public:
  Login(std::chrono::milliseconds within, StageLog& log)
      : within_(within), deadline_(Clock::now() + within), log_(log) {}

  // True when the login passed; otherwise error() says why.
  bool Drive(PGconn* connection) {
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (PQstatus(connection) != CONNECTION_BAD && next != PGRES_POLLING_OK) {
      Enter(StageOf(connection), connection);
      if (!Wait(connection, next, deadline_)) {
        error_ = absl::StrCat("no answer in ", within_.count(), " ms");
        return false;
      }
      next = PQconnectPoll(connection);
    }
    error_ = PQerrorMessage(connection);
    if (PQstatus(connection) == CONNECTION_BAD) return false;
    Enter(Stage::AUTHENTICATE, connection);
    log_.Pass(Stage::AUTHENTICATE);
    return true;
  }

  Stage::Name stage() const { return stage_; }
  const std::string& error() const { return error_; }

 private:
  // The stages before `stage` have passed. One that is gone back to (the next address, a second
  // try, or sslmode=prefer without TLS) is not told twice.
  void Enter(Stage::Name stage, PGconn* connection) {
    while (stage_ < stage) {
      if (stage_ != Stage::TLS || PQsslInUse(connection) != 0) log_.Pass(stage_);
      stage_ = static_cast<Stage::Name>(stage_ + 1);
    }
  }

  const std::chrono::milliseconds within_;
  const Clock::time_point deadline_;
  StageLog& log_;
  Stage::Name stage_ = Stage::CONNECT;
  std::string error_;
};

PGconn* Begin(const Parameters& parameters) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name);
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  return PQconnectStartParams(names.data(), values.data(), 0);
}

// What is the matter with a certificate that was refused: the server is asked for it once more,
// without verifying it. Nothing is sent over the connection once it is there.
std::string LookAtCertificate(const DatabaseTarget& target,
                              const std::vector<std::string>& addresses, v1::DatabaseFacts& facts) {
  DatabaseTarget unverified = target;
  unverified.url.parameters["sslmode"] = "require";
  // A file that is there, its default's for one, would be verified with.
  PGconn* connection = Begin(ConnectionParameters(unverified, addresses, "/dev/null/none"));
  const Clock::time_point deadline = Clock::now() + target.connect_within;
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  std::string why;
  while (connection != nullptr && PQstatus(connection) != CONNECTION_BAD) {
    if (StageOf(connection) == Stage::AUTHENTICATE) {
      NoteCertificate(TlsOf(connection), facts);
      why = WhyNotVerified(TlsOf(connection), CaFile(target));
      break;
    }
    if (!Wait(connection, next, deadline)) break;
    next = PQconnectPoll(connection);
  }
  PQfinish(connection);
  return why;
}

}  // namespace

bool WaitForSocket(int socket, short what, Clock::time_point deadline) {
  pollfd one{socket, what, 0};
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  if (left <= 0) return false;
  const int ready = ::poll(&one, 1, static_cast<int>(left));
  return ready > 0 || (ready < 0 && errno == EINTR);
}

std::string WithoutPassword(absl::string_view text, const std::string& password) {
  const std::vector<absl::string_view> lines = absl::StrSplit(
      absl::StripAsciiWhitespace(text), absl::ByAnyChar("\n\t"), absl::SkipWhitespace());
  const std::string line = RedactPasswords(absl::StrJoin(lines, "; ")).text;
  return password.empty() ? line : absl::StrReplaceAll(line, {{password, "***"}});
}

void StageLog::Fail(Stage::Name name, absl::string_view error) {
  Add(name).set_error(WithoutPassword(error, password_));
}

Stage& StageLog::Add(Stage::Name name) {
  const Clock::time_point now = Clock::now();
  Stage& stage = *facts_.add_stages();
  stage.set_name(name);
  stage.set_duration_us(
      std::chrono::duration_cast<std::chrono::microseconds>(now - since_).count());
  since_ = now;
  return stage;
}

pg_conn* LogIn(const DatabaseTarget& target, const std::vector<std::string>& addresses,
               StageLog& log) {
  VerifiedChain* const chain = target.chain.get();
  const std::string shortcut = chain == nullptr ? "" : chain->path();
  const std::string ca_file = CaFile(target);
  Login login(target.connect_within, log);
  PGconn* connection =
      Begin(ConnectionParameters(target, addresses, shortcut.empty() ? ca_file : shortcut));
  bool done = connection != nullptr && login.Drive(connection);
  if (!done && !shortcut.empty() && login.stage() == Stage::TLS) {
    // Another certificate than the last time: it is the whole CA file that decides.
    PQfinish(connection);
    chain->Forget();
    connection = Begin(ConnectionParameters(target, addresses, ca_file));
    done = connection != nullptr && login.Drive(connection);
  }
  if (!done) {
    std::string error = connection == nullptr ? "out of memory" : login.error();
    PQfinish(connection);
    if (absl::StrContains(error, "certificate verify failed")) {
      const std::string why = LookAtCertificate(target, addresses, log.facts());
      if (!why.empty()) absl::StrAppend(&error, "\n", why);  // its lines become one
    }
    log.Fail(login.stage(), error);
    return nullptr;
  }
  NoteCertificate(TlsOf(connection), log.facts());
  if (chain != nullptr && chain->path().empty()) chain->Keep(TlsOf(connection));
  return connection;
}

}  // namespace connect_ha
