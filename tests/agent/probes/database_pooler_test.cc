// The database probe through a real PgBouncer.
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "agent/probes/database/database_session.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

// In front of `server`, for as long as the object lives. It gives a transaction whichever of the
// server's connections is free.
class Pooler {
 public:
  explicit Pooler(const PostgresServer& server) : port_(FreePort()) {
    directory_.Write(
        "pooler.ini",
        "[databases]\npostgres = host=127.0.0.1 port=" + std::to_string(server.port()) +
            " user=connect password=" + server.password() +
            "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
            "\nauth_type = any\nserver_tls_sslmode = require\n"
            "unix_socket_dir =\npool_mode = transaction\n");
    std::filesystem::permissions(directory_ / "", std::filesystem::perms(0755));
    process_ = fork();
    if (process_ != 0) return;
    // It refuses to run as root.
    const passwd* account = getuid() == 0 ? getpwnam("nobody") : nullptr;
    if (account != nullptr && setuid(account->pw_uid) != 0) _exit(126);
    const std::string settings = directory_ / "pooler.ini";
    execlp("pgbouncer", "pgbouncer", "--quiet", settings.c_str(), nullptr);
    execl("/usr/sbin/pgbouncer", "pgbouncer", "--quiet", settings.c_str(), nullptr);
    _exit(127);
  }
  ~Pooler() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

  int port() const { return port_; }

 private:
  TemporaryDirectory directory_;
  const int port_;
  pid_t process_ = -1;
};

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
