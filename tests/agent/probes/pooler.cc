#include "tests/agent/probes/pooler.h"

#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace connect_ha {

Pooler::Pooler(const PostgresServer& server) : port_(FreePort()) {
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

Pooler::~Pooler() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace connect_ha
