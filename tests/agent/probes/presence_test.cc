// Nodes that see each other's locks in a real PostgreSQL, and what keeps them from it.
#include "agent/proof/presence.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "agent/probes/database/database.h"
#include "agent/probes/database/database_session.h"
#include "common/checklist/view/proof_matrix.h"
#include "common/proof/presence_key.h"
#include "gmock/gmock.h"
#include "tests/agent/probes/pooler.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr PresencePaces kQuickly = {milliseconds(200), milliseconds(20), milliseconds(1'000)};
// Another session in each round.
constexpr PresencePaces kRenewing = {milliseconds(200), milliseconds(20), milliseconds(1'000),
                                     milliseconds(0)};

// Each test has a cluster of its own: a session of the one before may still be on its way out.
std::string ClusterOfTest() {
  return testing::UnitTest::GetInstance()->current_test_info()->name();
}

std::string UrlOf(int port, const std::string& database, const std::string& user = "connect") {
  return "postgres://" + user + "@localhost:" + std::to_string(port) + "/" + database;
}

// Until it is so, for a time that no machine needs.
bool Becomes(const std::function<bool()>& so) {
  const auto end = steady_clock::now() + seconds(30);
  while (!so()) {
    if (steady_clock::now() > end) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

class Node {
 public:
  Node(const std::string& name, const std::string& url, const std::string& password,
       const std::string& cluster = ClusterOfTest(), const PresencePaces& paces = kQuickly) {
    rounds_ = MakePresence({*bench_.host, bench_.cache, bench_.agent_config}, paces);
    order_.database = true;
    order_.cluster = cluster;
    order_.node = name;
    Configure(url, password);
  }

  void Configure(const std::string& url, const std::string& password) {
    bench_.Configure({{"Database.Provider", "postgres"},
                      {"Postgres.URL", url},
                      {"Postgres.Password", password}});
    order_.config = bench_.config;
  }
  void Ask(bool database) { order_.database = database; }
  bool Run() { return rounds_->Run(order_); }
  void Stop() { rounds_->Stop(); }
  milliseconds Pace() const { return rounds_->Pace(); }

  v1::Facts All() { return bench_.Run(ReadPresence, "presence"); }
  v1::PresenceFacts Presence() { return All().presence(); }
  uint32_t key() const { return PresenceKey(order_.cluster, order_.node); }
  bool Sees(const Node& other) {
    const v1::PresenceFacts facts = Presence();
    return std::count(facts.seen_keys().begin(), facts.seen_keys().end(), other.key()) > 0;
  }
  bool Holds() { return Presence().rounds() > 0 && !Presence().has_error(); }

 private:
  ProbeBench bench_;
  ProofOrder order_;
  std::unique_ptr<ProofRounds> rounds_;
};

class PresenceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_ = new PostgresServer();
    server_->Execute("CREATE DATABASE other");
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static Node On(const PostgresServer& server, const std::string& name,
                 const std::string& database = "postgres") {
    return Node(name, UrlOf(server.port(), database), server.password());
  }
  // All sessions that the agent has there, and all locks.
  static bool HasSessions(const std::string& count) {
    return Becomes([&] {
      return server_->Ask(
                 "SELECT count(*) FROM pg_stat_activity"
                 " WHERE application_name = 'connect-ha-agent'") == count;
    });
  }
  static bool HasLocks(const std::string& count) {
    return Becomes([&] {
      return server_->Ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == count;
    });
  }

  static PostgresServer* server_;
};

PostgresServer* PresenceTest::server_ = nullptr;

TEST_F(PresenceTest, NodesOfOneDatabaseSeeEachOther) {
  Node one = On(*server_, "node-1");
  Node two = On(*server_, "node-2");
  EXPECT_TRUE(one.Run());
  EXPECT_TRUE(two.Run());
  EXPECT_TRUE(one.Run());
  EXPECT_TRUE(one.Sees(two));
  EXPECT_TRUE(two.Sees(one));
  const v1::PresenceFacts facts = one.Presence();
  EXPECT_EQ(facts.host(), "localhost");
  EXPECT_EQ(facts.port(), static_cast<uint32_t>(server_->port()));
  EXPECT_EQ(facts.database(), "postgres");
  EXPECT_EQ(facts.own_key(), one.key());
  EXPECT_GE(facts.rounds(), 1u);
  EXPECT_FALSE(facts.has_error());
  EXPECT_FALSE(facts.shared_session());
  ASSERT_EQ(facts.seen_keys_size(), 2);
  EXPECT_LT(facts.seen_keys(0), facts.seen_keys(1));
}

// By its own clock, up to the report; that it grows is nothing new.
TEST_F(PresenceTest, SaysHowLongAgoItSawThem) {
  Node one = On(*server_, "node-1");
  Node two = On(*server_, "node-2");
  two.Run();
  one.Run();
  ASSERT_TRUE(one.Sees(two));
  const auto before = steady_clock::now();
  std::this_thread::sleep_for(milliseconds(50));
  const v1::PresenceFacts facts = one.Presence();
  ASSERT_EQ(facts.seen_ages_ms_size(), facts.seen_keys_size());
  const auto waited = std::chrono::duration_cast<milliseconds>(steady_clock::now() - before);
  for (const uint32_t age_ms : facts.seen_ages_ms()) {
    EXPECT_GE(age_ms, 50u);
    EXPECT_LE(age_ms, static_cast<uint64_t>(waited.count()) + 30'000);
  }
}

TEST_F(PresenceTest, ReportsNothingNewOnceItHasSettled) {
  Node one = On(*server_, "node-1");
  ASSERT_TRUE(Becomes([&] {
    one.Run();
    return one.Presence().rounds() == 5;
  }));
  EXPECT_EQ(one.Pace(), kQuickly.steady);
  EXPECT_FALSE(one.Run());
  EXPECT_FALSE(one.Run());
}

// Else it would stay with a server that the name does not lead to any more.
TEST_F(PresenceTest, TheLockGoesOverToANewSessionAndNobodySeesIt) {
  Node one("node-1", UrlOf(server_->port(), "postgres"), server_->password(), ClusterOfTest(),
           kRenewing);
  Node two = On(*server_, "node-2");
  two.Run();
  ASSERT_TRUE(Becomes([&] {
    one.Run();
    return one.Presence().rounds() == 5;
  }));
  const auto process = [] {
    return server_->Ask(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        " AND pid IN (SELECT pid FROM pg_stat_activity WHERE state = 'idle')"
        " ORDER BY (SELECT backend_start FROM pg_stat_activity a WHERE a.pid = pg_locks.pid)"
        " DESC LIMIT 1");
  };
  const std::string before = process();
  EXPECT_FALSE(one.Run());
  EXPECT_NE(process(), before);
  EXPECT_EQ(one.Presence().rounds(), 5u);
  EXPECT_TRUE(one.Sees(two));
  two.Run();
  EXPECT_TRUE(two.Sees(one));
  EXPECT_TRUE(HasSessions("2"));
  EXPECT_TRUE(HasLocks("2"));
}

TEST_F(PresenceTest, IsOneIdleSessionWithoutATransaction) {
  Node one = On(*server_, "node-1");
  one.Run();
  one.Run();
  ASSERT_TRUE(HasSessions("1"));
  EXPECT_EQ(server_->Ask("SELECT state, xact_start IS NULL, backend_xmin IS NULL"
                         "  FROM pg_stat_activity WHERE application_name = 'connect-ha-agent'"),
            "idle|t|t");
}

TEST_F(PresenceTest, OtherDatabasesAndOtherClustersAreNotSeen) {
  Node one = On(*server_, "node-1");
  Node other_database = On(*server_, "node-2", "other");
  Node other_cluster("node-3", UrlOf(server_->port(), "postgres"), server_->password(), "payroll");
  for (Node* node : {&other_database, &other_cluster, &one}) node->Run();
  EXPECT_EQ(one.Presence().seen_keys_size(), 1);
  EXPECT_EQ(other_database.Presence().seen_keys_size(), 1);
  EXPECT_EQ(other_cluster.Presence().seen_keys_size(), 1);
}

TEST_F(PresenceTest, WhoIsOnAPhysicalCopyIsNotSeen) {
  const std::unique_ptr<PostgresServer> copy = server_->Copy();
  copy->Start();
  EXPECT_EQ(copy->Ask("SELECT system_identifier FROM pg_control_system()"),
            server_->Ask("SELECT system_identifier FROM pg_control_system()"));
  Node one = On(*server_, "node-1");
  Node two = On(*copy, "node-2");
  one.Run();
  two.Run();
  one.Run();
  EXPECT_TRUE(one.Holds());
  EXPECT_TRUE(two.Holds());
  EXPECT_FALSE(one.Sees(two));
  EXPECT_FALSE(two.Sees(one));
}

TEST_F(PresenceTest, WhatIsHeldIsTakenBack) {
  Node one = On(*server_, "node-1");
  Node two = On(*server_, "node-2");
  two.Run();
  one.Run();
  one.Stop();
  EXPECT_FALSE(one.All().has_presence());
  two.Ask(false);
  EXPECT_TRUE(two.Run());
  EXPECT_FALSE(two.All().has_presence());
  EXPECT_TRUE(HasLocks("0"));
}

TEST_F(PresenceTest, ANodeThatLeavesIsForgottenAfterAWhile) {
  constexpr PresencePaces kSlowly = {seconds(2), milliseconds(20), seconds(5)};
  Node one("node-1", UrlOf(server_->port(), "postgres"), server_->password(), ClusterOfTest(),
           kSlowly);
  Node two = On(*server_, "node-2");
  two.Run();
  one.Run();
  ASSERT_TRUE(one.Sees(two));
  two.Stop();
  ASSERT_TRUE(HasLocks("1"));
  one.Run();
  EXPECT_TRUE(one.Sees(two));  // it may only have lost its session, and say so soon
  EXPECT_TRUE(Becomes([&] {
    one.Run();
    return !one.Sees(two);
  }));
}

TEST_F(PresenceTest, GoesWhereTheConfigurationLeads) {
  Node one = On(*server_, "node-1");
  Node two = On(*server_, "node-2");
  two.Run();
  one.Run();
  one.Configure(UrlOf(server_->port(), "other"), server_->password());
  EXPECT_TRUE(one.Run());
  EXPECT_EQ(one.Presence().database(), "other");
  EXPECT_FALSE(one.Sees(two));
  ASSERT_TRUE(HasSessions("2"));
  EXPECT_EQ(server_->Ask("SELECT string_agg(datname, ',' ORDER BY datname) FROM pg_stat_activity"
                         " WHERE application_name = 'connect-ha-agent' AND state = 'idle'"),
            "other,postgres");
}

TEST_F(PresenceTest, ARestartOfTheServerBeginsItAnew) {
  Node one = On(*server_, "node-1");
  ASSERT_TRUE(Becomes([&] {
    one.Run();
    return one.Presence().rounds() == 5;
  }));
  server_->Stop();
  EXPECT_TRUE(one.Run());
  EXPECT_EQ(one.Presence().rounds(), 0u);
  EXPECT_EQ(one.Presence().seen_keys_size(), 0);
  EXPECT_THAT(one.Presence().error(), AllOf(HasSubstr("connect: "), HasSubstr("refused")));
  EXPECT_LE(one.Pace(), kQuickly.steady);
  server_->Start();
  ASSERT_TRUE(Becomes([&] {
    one.Run();
    return one.Holds();
  }));
  EXPECT_LT(one.Presence().rounds(), 5u);
}

// As a failover of RDS is: one name, another machine, the same system.
TEST_F(PresenceTest, AFailoverBringsTheNodesTogetherAgain) {
  PostgresServer primary;
  const std::unique_ptr<PostgresServer> standby = primary.Copy();
  Node one = On(primary, "node-1");
  Node two = On(primary, "node-2");
  one.Run();
  two.Run();
  primary.Stop();
  one.Run();
  two.Run();
  EXPECT_FALSE(one.Holds());
  standby->TakeOver(primary.port());
  EXPECT_TRUE(Becomes([&] {
    one.Run();
    two.Run();
    return one.Holds() && two.Holds() && one.Sees(two) && two.Sees(one);
  }));
}

TEST_F(PresenceTest, ARefusedLoginIsSaidWithoutThePassword) {
  Node one("node-1", UrlOf(server_->port(), "postgres"), "hunter2");
  EXPECT_TRUE(one.Run());
  EXPECT_EQ(one.Presence().rounds(), 0u);
  EXPECT_THAT(one.Presence().error(),
              AllOf(HasSubstr("authenticate: "), HasSubstr("password authentication failed"),
                    Not(HasSubstr("hunter2"))));
}

TEST_F(PresenceTest, NothingIsSetOrLockedThroughAPooler) {
  const Pooler pooler(*server_);
  Node one("node-1", UrlOf(pooler.port(), "postgres") + "?sslmode=disable", "any");
  ASSERT_TRUE(Becomes([&] {
    one.Run();
    return one.Presence().shared_session();
  }));
  EXPECT_EQ(one.Presence().rounds(), 0u);
  EXPECT_EQ(one.Presence().error(), "another process answers than the one that the login named");
  EXPECT_TRUE(HasLocks("0"));
}

TEST_F(PresenceTest, AServerThatFallsSilentHoldsNobodyUp) {
  Node one = On(*server_, "node-1");
  one.Run();
  ASSERT_TRUE(HasSessions("1"));
  const pid_t process = std::stoi(
      server_->Ask("SELECT pid FROM pg_stat_activity WHERE application_name = 'connect-ha-agent'"));
  ASSERT_EQ(kill(process, SIGSTOP), 0);
  const auto began = steady_clock::now();
  one.Run();
  const auto took = steady_clock::now() - began;
  EXPECT_EQ(one.Presence().error(), kLockIsHeld);
  EXPECT_EQ(kill(process, SIGCONT), 0);
  EXPECT_GE(took, kQuickly.ask_within);
  EXPECT_LT(took, seconds(15));
  EXPECT_TRUE(Becomes([&] {
    one.Run();
    return one.Holds();
  }));
}

// Also where it is time for another: here in each round.
TEST_F(PresenceTest, WhoHoldsASessionGoesOnWhereThereIsNoOther) {
  PostgresOptions options;
  options.settings = {"max_connections=5"};  // three of them for the superuser
  PostgresServer server(options);
  server.Execute("CREATE ROLE plain LOGIN PASSWORD 'plain'");
  Node one("node-1", UrlOf(server.port(), "postgres", "plain"), "plain", ClusterOfTest(),
           kRenewing);
  Node two("node-2", UrlOf(server.port(), "postgres", "plain"), "plain");
  Node three("node-3", UrlOf(server.port(), "postgres", "plain"), "plain");
  one.Run();
  two.Run();
  three.Run();
  EXPECT_THAT(three.Presence().error(),
              AllOf(HasSubstr("authenticate: "), HasSubstr("remaining connection slots")));
  one.Run();
  EXPECT_TRUE(one.Holds());
  EXPECT_TRUE(one.Sees(two));
  EXPECT_FALSE(one.Sees(three));
}

TEST(Presence, WithoutPostgresThereIsNothingToProve) {
  ProbeBench bench;
  bench.Configure({{"Database.Provider", "sqlite"}});
  const auto rounds = MakePresence({*bench.host, bench.cache, bench.agent_config}, kQuickly);
  ProofOrder order;
  order.database = true;
  order.config = bench.config;
  EXPECT_FALSE(rounds->Run(order));
  EXPECT_FALSE(bench.Run(ReadPresence, "presence").has_presence());
  EXPECT_EQ(rounds->Pace(), kQuickly.steady);
}

}  // namespace
}  // namespace connect_ha
