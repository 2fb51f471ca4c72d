// A real PostgreSQL with TLS on a loopback port, for as long as the object lives. Its certificate
// names "localhost" and nothing else. Run by root, it runs as postgres or nobody.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace connect_ha {

class PostgresServer {
 public:
  // Makes the cluster and starts it; throws std::runtime_error with the reason when it cannot.
  PostgresServer();
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  int port() const { return port_; }
  const std::string& ca_file() const { return ca_file_; }
  // Superuser "connect" of the database "postgres".
  const std::string& password() const { return password_; }

  void Execute(const std::string& sql);
  // Stops it and starts it as a standby, which only reads.
  void RestartAsStandby();

 private:
  void Start();
  void Stop();
  void MakeCertificates();
  // As the unprivileged account when this process is root.
  std::vector<std::string> AsServer(std::vector<std::string> arguments) const;

  std::string directory_;
  std::string data_;
  std::string programs_;
  std::string account_;  // "" when not root
  std::string ca_file_;
  std::string password_ = "pa:ss/w@rd#1";
  int port_ = 0;
  pid_t pid_ = -1;
};

// A port of the loopback that nothing listens on.
int FreePort();

}  // namespace connect_ha
