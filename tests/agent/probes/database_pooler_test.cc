// The database probe through a real PgBouncer.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "agent/probes/database/database_session.h"
#include "tests/agent/probes/pooler.h"
#include "tests/agent/probes/postgres_server.h"

namespace connect_ha {
namespace {

v1::DatabaseFacts ReadAt(int port, const std::string& password, const std::string& parameters) {
  DatabaseTarget target;
  target.url = *ParseDatabaseUrl("postgres://connect@localhost:" + std::to_string(port) +
                                 "/postgres?" + parameters);
  target.url.password = password;
  v1::DatabaseFacts facts;
  ReadDatabaseServer(
      target, [] { return Time(); }, [](const char*, const std::string&) {}, facts);
  return facts;
}

TEST(DatabasePooler, IsLoggedInToAndRecognised) {
  PostgresServer server;
  server.Execute("CREATE SCHEMA content");
  const Pooler pooler(server);
  v1::DatabaseFacts facts;
  for (int tries = 0; tries < 100; ++tries) {
    facts = ReadAt(pooler.port(), "any", "sslmode=disable");
    if (facts.stages_size() > 2) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  ASSERT_EQ(facts.stages_size(), 4) << facts.DebugString();
  EXPECT_TRUE(facts.stages(3).passed()) << facts.DebugString();
  EXPECT_EQ(facts.pooler(), "a connection pooler");
  EXPECT_EQ(facts.pooler_seen_by(), "another process answers than the one that the login named");
  EXPECT_GT(facts.max_connections(), 0u);
  EXPECT_EQ(facts.current_schema(), "public");
  // What one login sets is gone in the next one, which may have the same server's connection.
  facts = ReadAt(pooler.port(), "any", "sslmode=disable&search_path=content,public");
  EXPECT_EQ(facts.current_schema(), "content");
  EXPECT_EQ(ReadAt(pooler.port(), "any", "sslmode=disable").current_schema(), "public");

  const v1::DatabaseFacts direct = ReadAt(server.port(), server.password(), "sslmode=require");
  EXPECT_FALSE(direct.has_pooler());
  EXPECT_EQ(direct.system_identifier(), facts.system_identifier());
  ASSERT_GE(direct.addresses_size(), 1);
  EXPECT_TRUE(std::is_sorted(direct.addresses().begin(), direct.addresses().end()));
}

}  // namespace
}  // namespace connect_ha
