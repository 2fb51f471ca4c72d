// What a node has around its agent, for tests/bench/agent_bench: a bus with a systemd on it and a
// PostgreSQL behind TLS. Prints the bus's address, the PostgreSQL's CA file, and Connect's
// configuration for it up to an empty line; stays until its standard input ends.
#include <cstdio>
#include <iostream>
#include <string>

#include "tests/agent/host/fake_systemd.h"
#include "tests/agent/probes/postgres_server.h"

int main() {
  const connect_ha::FakeSystemd systemd;
  const connect_ha::PostgresServer database;
  std::printf(
      "%s\n%s\n[Database]\nProvider = postgres\n[Postgres]\nURL = "
      "\"postgres://connect@localhost:%d/postgres?sslmode=verify-full\"\nPassword = \"%s\"\n\n",
      systemd.address().c_str(), database.ca_file().c_str(), database.port(),
      database.password().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  return 0;
}
