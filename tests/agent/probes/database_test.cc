// The database probe against a real PostgreSQL with TLS.
#include "agent/probes/database/database.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <thread>

#include "agent/probes/database/database_session.h"
#include "common/time.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/agent/probes/probe_bench.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string ReadText(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Takes one connection, answers its first packet with `answer`, and holds it open until the end.
class OneAnswerServer {
 public:
  explicit OneAnswerServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    listen(listener_, 1);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswerServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    char bytes[64];
    if (recv(connection, bytes, sizeof(bytes), 0) > 0) {
      send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
    }
    while (recv(connection, bytes, sizeof(bytes), 0) > 0) {
    }
    close(connection);
  }

  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

class DatabaseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new PostgresServer();
    server_->Execute("CREATE SCHEMA content");
    server_->Execute("CREATE ROLE reader LOGIN PASSWORD 'reader'");
    server_->Execute("ALTER ROLE reader SET default_transaction_read_only = on");
    server_->Execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
    // As of PostgreSQL 15 it is to begin with.
    server_->Execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    server_->Execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static std::string Url(const std::string& user, const std::string& host, int port,
                         const std::string& parameters) {
    return "postgres://" + user + "@" + host + ":" + std::to_string(port) + "/postgres?" +
           parameters;
  }
  static std::string VerifiedUrl(const std::string& user) {
    return Url(user, "localhost", server_->port(),
               "sslmode=verify-full&sslrootcert=" + server_->ca_file());
  }

  v1::Facts Read(Settings settings) {
    settings.emplace_back("Database.Provider", "postgres");
    bench_.Configure(settings);
    return bench_.Run(ReadDatabase, "database");
  }
  // "RESOLVE ok, CONNECT failed: ..."
  static std::string Stages(const v1::Facts& facts) {
    std::string text;
    for (const v1::DatabaseStage& stage : facts.database().stages()) {
      if (!text.empty()) text += ", ";
      text += v1::DatabaseStage::Name_Name(stage.name());
      text += stage.passed() ? " ok" : " failed: " + stage.error();
    }
    return text;
  }

  // With the certificate authorities of `ca_file`, and what is kept of them from time to time.
  static v1::Facts ReadVerified(const PostgresServer& server, const std::string& ca_file,
                                std::shared_ptr<VerifiedChain> chain) {
    DatabaseTarget target;
    target.url =
        *ParseDatabaseUrl(Url("connect", "localhost", server.port(), "sslmode=verify-full"));
    target.url.password = server.password();
    target.ca_file = ca_file;
    target.chain = std::move(chain);
    v1::Facts facts;
    ReadDatabaseServer(
        target, [] { return Time(); }, [](const char*, const std::string&) {},
        *facts.mutable_database());
    return facts;
  }

  static PostgresServer* server_;
  ProbeBench bench_;
};

PostgresServer* DatabaseTest::server_ = nullptr;

constexpr char kAllPassed[] = "RESOLVE ok, CONNECT ok, TLS ok, AUTHENTICATE ok, QUERY ok";

TEST_F(DatabaseTest, ReportsTheServerOverAVerifiedConnection) {
  v1::Facts facts =
      Read({{"Postgres.URL", VerifiedUrl("connect") + "&options=-csearch_path%3Dcontent"},
            {"Postgres.Password", server_->password()}});

  v1::DatabaseFacts& database = *facts.mutable_database();
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_GE(database.server_version(), 130000u);
  EXPECT_GT(database.database_oid(), 0u);
  EXPECT_GE(database.used_connections(), 1u);
  EXPECT_EQ(database.system_identifier().size(), 19u);
  EXPECT_EQ(database.tls_version(), "TLSv1.3");
  EXPECT_FALSE(database.tls_cipher().empty());
  database.clear_stages();
  database.clear_server_version();
  database.clear_database_oid();
  database.clear_used_connections();
  database.clear_system_identifier();
  database.clear_clock_offset_us();
  database.clear_clock_error_us();
  database.clear_tls_cipher();
  database.clear_port();
  EXPECT_GT(database.addresses_size(), 0);  // which, this machine decides
  EXPECT_EQ(database.tried_size(), database.addresses_size());
  database.clear_addresses();
  database.clear_tried();
  const Time ends = FromProto(database.certificate_expires_at());
  const auto now = std::chrono::system_clock::now();
  EXPECT_GT(ends, now + std::chrono::hours(47));
  EXPECT_LT(ends, now + std::chrono::hours(49));
  database.clear_certificate_expires_at();
  EXPECT_EQ(Text(facts), R"(database {
  host: "localhost"
  database: "postgres"
  user: "connect"
  search_path: "content"
  ssl_mode: "verify-full"
  in_recovery: false
  read_only: false
  tls_in_use: true
  tls_version: "TLSv1.3"
  current_schema: "content"
  max_connections: 20
  reserved_connections: 3
  encoding: "UTF8"
  can_create: true
  create_schema: "content"
  connect_tables: 0
  other_tables: 0
  pinned_unknown: "it is read where the specification that this node holds names runtimes"
}
)");
}

TEST_F(DatabaseTest, TheConfiguredPasswordWinsOverTheUrls) {
  const v1::Facts facts = Read(
      {{"Postgres.URL", VerifiedUrl("connect:wrong")}, {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), kAllPassed);
}

TEST_F(DatabaseTest, TakesTheCertificateAuthorityFromTheAgentsConfiguration) {
  bench_.agent_config.set_database_ca_file(server_->ca_file());
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect", "localhost", server_->port(), "sslmode=verify-full")},
            {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), kAllPassed);
}

TEST_F(DatabaseTest, RequiresTlsWhenTheUrlDoesNotSay) {
  const v1::Facts facts = Read({{"Postgres.URL", Url("connect", "127.0.0.1", server_->port(), "")},
                                {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_EQ(facts.database().ssl_mode(), "require");
  EXPECT_TRUE(facts.database().tls_in_use());
}

TEST_F(DatabaseTest, WithoutTlsThereIsNoTlsStage) {
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect", "127.0.0.1", server_->port(), "sslmode=disable")},
            {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), "RESOLVE ok, CONNECT ok, AUTHENTICATE ok, QUERY ok");
  EXPECT_FALSE(facts.database().tls_in_use());
}

TEST_F(DatabaseTest, AWrongPasswordFailsAtAuthenticationAndIsNotRepeated) {
  const v1::Facts facts =
      Read({{"Postgres.URL", VerifiedUrl("connect")}, {"Postgres.Password", "hunter2"}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT ok, TLS ok, AUTHENTICATE failed: "), 0u) << stages;
  EXPECT_NE(stages.find("password authentication failed for user \"connect\""), std::string::npos)
      << stages;
  EXPECT_EQ(Text(facts).find("hunter2"), std::string::npos);
  EXPECT_FALSE(facts.database().has_server_version());
}

TEST_F(DatabaseTest, ACertificateForAnotherNameFailsAtTls) {
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect", "127.0.0.1", server_->port(),
                                 "sslmode=verify-full&sslrootcert=" + server_->ca_file())},
            {"Postgres.Password", server_->password()}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT ok, TLS failed: "), 0u) << stages;
  EXPECT_NE(stages.find("does not match host name \"127.0.0.1\""), std::string::npos) << stages;
}

TEST_F(DatabaseTest, AnUnknownCertificateAuthorityFailsAtTls) {
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect", "localhost", server_->port(), "sslmode=verify-full")},
            {"Postgres.Password", server_->password()}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT ok, TLS failed: "), 0u) << stages;
  EXPECT_NE(stages.find("certificate verify failed; the certificate was signed by "
                        "\"/CN=connect-ha test CA\", whom /etc/ssl/certs/ca-certificates.crt does "
                        "not lead to"),
            std::string::npos)
      << stages;
  EXPECT_TRUE(facts.database().has_certificate_expires_at());
}

TEST_F(DatabaseTest, KeepsOfACaFileTheCertificatesThatTheServerNeeds) {
  const TemporaryDirectory directory;
  const std::string bundle = directory.path() + "/bundle.pem";
  const std::string authority = ReadText(server_->ca_file());
  std::ofstream(bundle) << ReadText("/etc/ssl/certs/ca-certificates.crt") << authority;
  const auto chain = std::make_shared<VerifiedChain>();

  const v1::Facts first = ReadVerified(*server_, bundle, chain);
  const std::string kept = ReadText(chain->path());
  const v1::Facts second = ReadVerified(*server_, "/nonexistent", chain);

  EXPECT_EQ(Stages(first), kAllPassed);
  EXPECT_EQ(kept, authority);
  EXPECT_EQ(Stages(second), kAllPassed);  // without a look at the whole file
}

TEST_F(DatabaseTest, ReadsTheWholeCaFileWhenWhatWasKeptDoesNotFit) {
  const auto chain = std::make_shared<VerifiedChain>();
  const PostgresServer another;
  ReadVerified(another, another.ca_file(), chain);
  ASSERT_EQ(ReadText(chain->path()), ReadText(another.ca_file()));

  const v1::Facts facts = ReadVerified(*server_, server_->ca_file(), chain);

  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_EQ(ReadText(chain->path()), ReadText(server_->ca_file()));
}

TEST_F(DatabaseTest, AServerThatRefusesTlsFailsAtTls) {
  const OneAnswerServer plain("N");
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect:secret", "127.0.0.1", plain.port(), "sslmode=require")}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT ok, TLS failed: "), 0u) << stages;
  EXPECT_NE(stages.find("server does not support SSL, but SSL was required"), std::string::npos)
      << stages;
}

TEST_F(DatabaseTest, AServerThatDoesNotAnswerFailsInTime) {
  const OneAnswerServer silent("");
  DatabaseTarget target;
  target.url = *ParseDatabaseUrl(Url("connect", "127.0.0.1", silent.port(), ""));
  target.connect_within = std::chrono::milliseconds(200);
  v1::Facts facts;
  ReadDatabaseServer(
      target, [] { return Time(); }, [](const char*, const std::string&) {},
      *facts.mutable_database());
  EXPECT_EQ(Stages(facts), "RESOLVE ok, CONNECT ok, TLS failed: no answer in 200 ms");
}

TEST_F(DatabaseTest, AClosedPortFailsAtConnect) {
  const v1::Facts facts =
      Read({{"Postgres.URL", Url("connect:secret", "127.0.0.1", FreePort(), "")}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT failed: "), 0u) << stages;
  EXPECT_NE(stages.find("Connection refused"), std::string::npos) << stages;
}

TEST_F(DatabaseTest, AnUnknownNameFailsAtResolve) {
  const v1::Facts facts =
      Read({{"Postgres.URL", "postgres://connect:secret@no-such-host.invalid/connect"}});
  EXPECT_EQ(Stages(facts).find("RESOLVE failed: could not resolve \"no-such-host.invalid\": "), 0u)
      << Stages(facts);
  EXPECT_EQ(facts.database().stages_size(), 1);
}

TEST_F(DatabaseTest, AnUnknownDatabaseFailsAtAuthentication) {
  const v1::Facts facts =
      Read({{"Postgres.URL",
             "postgres://connect@localhost:" + std::to_string(server_->port()) + "/nowhere"},
            {"Postgres.Password", server_->password()}});
  const std::string stages = Stages(facts);
  EXPECT_EQ(stages.find("RESOLVE ok, CONNECT ok, TLS ok, AUTHENTICATE failed: "), 0u) << stages;
  EXPECT_NE(stages.find("database \"nowhere\" does not exist"), std::string::npos) << stages;
}

TEST_F(DatabaseTest, SeesThatTheSessionIsReadOnly) {
  const v1::Facts facts = Read({{"Postgres.URL", VerifiedUrl("reader:reader")}});
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_TRUE(facts.database().read_only());
  EXPECT_FALSE(facts.database().in_recovery());
}

TEST_F(DatabaseTest, AnIdentifierThatTheServerRefusesIsUnobserved) {
  const v1::Facts facts = Read({{"Postgres.URL", VerifiedUrl("plain:plain")}});
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_TRUE(facts.database().has_server_version());
  EXPECT_FALSE(facts.database().has_system_identifier());
  ASSERT_EQ(facts.unobserved_size(), 1);
  EXPECT_EQ(facts.unobserved(0).path(), "database.system_identifier");
  EXPECT_EQ(facts.unobserved(0).reason(),
            "ERROR:  permission denied for function pg_control_system");
}

TEST_F(DatabaseTest, CountsTheTablesAndKnowsConnects) {
  server_->Execute("CREATE SCHEMA used");
  for (const char* name : {"apps", "users", "bundles_of_mine"}) {
    server_->Execute(std::string("CREATE TABLE used.") + name + " (id int)");
  }
  const v1::Facts facts = Read({{"Postgres.URL", VerifiedUrl("connect") + "&search_path=used"},
                                {"Postgres.Password", server_->password()}});
  EXPECT_EQ(facts.database().create_schema(), "used");
  EXPECT_EQ(facts.database().connect_tables(), 2u);
  EXPECT_EQ(facts.database().other_tables(), 1u);
}

TEST_F(DatabaseTest, SeesThatItMayMakeNoTable) {
  const v1::Facts facts = Read({{"Postgres.URL", VerifiedUrl("plain:plain")}});
  EXPECT_EQ(facts.database().create_schema(), "public");
  EXPECT_TRUE(facts.database().has_can_create());
  EXPECT_FALSE(facts.database().can_create());
}

TEST_F(DatabaseTest, SeesThatThereIsNoSchemaForTables) {
  const v1::Facts facts = Read({{"Postgres.URL", VerifiedUrl("connect") + "&search_path=nowhere"},
                                {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_EQ(facts.database().encoding(), "UTF8");
  EXPECT_FALSE(facts.database().has_create_schema());
  EXPECT_FALSE(facts.database().has_can_create());
}

TEST_F(DatabaseTest, ReadsTheEncodingOfTheDatabaseItself) {
  server_->Execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0");
  const v1::Facts facts =
      Read({{"Postgres.URL",
             "postgres://connect@localhost:" + std::to_string(server_->port()) + "/latin"},
            {"Postgres.Password", server_->password()}});
  EXPECT_EQ(facts.database().encoding(), "LATIN1");
}

TEST_F(DatabaseTest, OneMachinesClocksDifferByNoMoreThanTheErrorBar) {
  DatabaseTarget target;
  target.url = *ParseDatabaseUrl(VerifiedUrl("reader:reader"));
  v1::DatabaseFacts database;
  const auto now = [] {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
  };
  ReadDatabaseServer(
      target, now, [](const char*, const std::string&) {}, database);
  EXPECT_GT(database.clock_error_us(), 0);
  EXPECT_LE(std::abs(database.clock_offset_us()), database.clock_error_us() + 1);
}

TEST_F(DatabaseTest, TheInstrumentationDatabaseHasItsOwnFacts) {
  bench_.Configure({{"Database.Provider", "Postgres"},
                    {"Postgres.URL", VerifiedUrl("connect")},
                    {"Postgres.InstrumentationURL", VerifiedUrl("plain")},
                    {"Postgres.InstrumentationPassword", "plain"}});
  const v1::Facts facts = bench_.Run(ReadInstrumentationDatabase, "instrumentation_database");
  EXPECT_EQ(facts.instrumentation_database().user(), "plain");
  EXPECT_EQ(facts.instrumentation_database().stages_size(), 5);
  EXPECT_FALSE(facts.has_database());
}

TEST(DatabaseProbe, IsAbsentWithSqlite) {
  ProbeBench bench;
  bench.Configure({{"Database.Provider", "sqlite"}});
  EXPECT_EQ(Text(bench.Run(ReadDatabase, "database")), "");
}

TEST(DatabaseProbe, IsAbsentWithoutAConfiguration) {
  ProbeBench bench;
  EXPECT_EQ(Text(bench.Run(ReadDatabase, "database")), "");
}

TEST(DatabaseProbe, IsUnobservedWhenTheConfigurationIs) {
  ProbeBench bench;
  bench.config_status = absl::PermissionDeniedError("permission denied");
  EXPECT_EQ(Text(bench.Run(ReadDatabase, "database")),
            "unobserved {\n  path: \"database\"\n  reason: \"permission denied\"\n}\n");
}

TEST(DatabaseProbe, SaysWhatIsWrongWithTheUrlWithoutRepeatingIt) {
  ProbeBench bench;
  bench.Configure({{"Database.Provider", "postgres"},
                   {"Postgres.URL", "postgres://connect:hunter2@db:port/connect"}});
  EXPECT_EQ(
      Text(bench.Run(ReadDatabase, "database")),
      "unobserved {\n  path: \"database\"\n  reason: \"Postgres.URL: the port is not a number "
      "from 1 to 65535\"\n}\n");
}

// Last: the server stays a standby.
TEST_F(DatabaseTest, SeesThatTheServerIsAStandby) {
  server_->RestartAsStandby();
  const v1::Facts facts =
      Read({{"Postgres.URL", VerifiedUrl("connect")}, {"Postgres.Password", server_->password()}});
  EXPECT_EQ(Stages(facts), kAllPassed);
  EXPECT_TRUE(facts.database().in_recovery());
  EXPECT_TRUE(facts.database().read_only());
}

}  // namespace
}  // namespace connect_ha
