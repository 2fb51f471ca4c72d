// What a person meets on the way to a database, each with a real PostgreSQL: which stage fails, and
// with which words, since the checklist tells causes by them
// (common/checklist/rules/database/stage_sign.cc).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/host/fd.h"
#include "agent/probes/database/database_addresses.h"
#include "agent/probes/database/database_session.h"
#include "gmock/gmock.h"
#include "tests/agent/probes/postgres_server.h"

namespace connect_ha {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

v1::DatabaseFacts ReadFrom(const PostgresServer& server, const std::string& parameters) {
  DatabaseTarget target;
  target.url = *ParseDatabaseUrl("postgres://connect@localhost:" + std::to_string(server.port()) +
                                 "/postgres?" + parameters);
  target.url.password = server.password();
  target.ca_file = server.ca_file();
  v1::DatabaseFacts facts;
  ReadDatabaseServer(
      target, [] { return Time(); }, [](const char*, const std::string&) {}, facts);
  return facts;
}

// "TLS: server does not support SSL, ..."; "" where all passed.
std::string Failure(const v1::DatabaseFacts& facts) {
  for (const v1::DatabaseStage& stage : facts.stages()) {
    if (!stage.passed()) return v1::DatabaseStage::Name_Name(stage.name()) + ": " + stage.error();
  }
  return "";
}

TEST(DatabaseFailures, AnExpiredCertificateIsSaidToBe) {
  PostgresOptions options;
  options.certificate_days = -1;
  const PostgresServer server(options);
  const v1::DatabaseFacts facts = ReadFrom(server, "sslmode=verify-full");
  EXPECT_THAT(Failure(facts), HasSubstr("TLS: "));
  EXPECT_THAT(Failure(facts), HasSubstr("certificate verify failed; the certificate expired on 2"));
  EXPECT_TRUE(facts.has_certificate_expires_at());
  // It is not verified, and so does not matter.
  EXPECT_EQ(Failure(ReadFrom(server, "sslmode=require")), "");
}

TEST(DatabaseFailures, ASelfSignedCertificateIsSaidToBe) {
  PostgresOptions options;
  options.self_signed = true;
  const PostgresServer server(options);
  EXPECT_THAT(Failure(ReadFrom(server, "sslmode=verify-full")),
              HasSubstr("certificate verify failed; the certificate is self-signed"));
}

TEST(DatabaseFailures, AServerWithoutTlsSaysSo) {
  PostgresOptions options;
  options.tls = false;
  const PostgresServer server(options);
  EXPECT_THAT(Failure(ReadFrom(server, "sslmode=require")),
              AllOf(HasSubstr("TLS: "), HasSubstr("server does not support SSL")));
  EXPECT_EQ(Failure(ReadFrom(server, "sslmode=disable")), "");
}

TEST(DatabaseFailures, WhoComesWithoutTlsIsNotLetInWhereItIsAskedFor) {
  PostgresOptions options;
  options.access = "hostssl all all all scram-sha-256\n";
  PostgresServer server(options);
  EXPECT_THAT(Failure(ReadFrom(server, "sslmode=disable")),
              AllOf(HasSubstr("AUTHENTICATE: "), HasSubstr("no pg_hba.conf entry"),
                    AnyOf(HasSubstr("no encryption"), HasSubstr("SSL off"))));
  EXPECT_EQ(Failure(ReadFrom(server, "sslmode=require")), "");
  // Stopped, and started again.
  server.Stop();
  EXPECT_THAT(Failure(ReadFrom(server, "sslmode=require")), HasSubstr("CONNECT: "));
  server.Start();
  EXPECT_EQ(Failure(ReadFrom(server, "sslmode=require")), "");
}

// Listens on 127.0.0.1 alone, and never answers.
class Listener {
 public:
  Listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length);
    getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    listen(socket_.get(), 8);
  }
  uint32_t port() const { return port_; }

 private:
  Fd socket_;
  uint32_t port_ = 0;
};

std::string Tried(AddressTrial& trial, v1::DatabaseFacts facts = {}) {
  trial.Tell(std::chrono::milliseconds(500), facts);
  std::string text;
  for (const v1::DatabaseAddress& one : facts.tried()) {
    text += one.address() + (one.connected() ? " ok; " : " " + one.error() + "; ");
  }
  return text;
}

TEST(AddressTrial, LogsInWhereThereIsAWayAndTellsOfAll) {
  const Listener listener;
  AddressTrial trial({"127.0.0.9", "127.0.0.1"}, listener.port());
  EXPECT_THAT(trial.Best(std::chrono::seconds(5)), ElementsAre("127.0.0.1"));
  EXPECT_EQ(Tried(trial), "127.0.0.1 ok; 127.0.0.9 Connection refused; ");
}

TEST(AddressTrial, TriesAllWhereThereIsNoWayToAny) {
  const uint32_t port = static_cast<uint32_t>(FreePort());
  AddressTrial trial({"127.0.0.9", "127.0.0.1"}, port);
  EXPECT_THAT(trial.Best(std::chrono::seconds(5)), ElementsAre("127.0.0.9", "127.0.0.1"));
  EXPECT_EQ(Tried(trial), "127.0.0.1 Connection refused; 127.0.0.9 Connection refused; ");
}

TEST(AddressTrial, LeavesASingleAddressToTheLogin) {
  AddressTrial trial({"127.0.0.1"}, 1);
  EXPECT_THAT(trial.Best(std::chrono::seconds(5)), ElementsAre("127.0.0.1"));
  v1::DatabaseFacts facts;
  v1::DatabaseStage& stage = *facts.add_stages();
  stage.set_name(v1::DatabaseStage::CONNECT);
  stage.set_error("no answer in 5000 ms");
  EXPECT_EQ(Tried(trial, facts), "127.0.0.1 no answer in 5000 ms; ");
}

}  // namespace
}  // namespace connect_ha
