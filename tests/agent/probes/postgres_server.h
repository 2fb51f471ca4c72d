// A real PostgreSQL with TLS on a loopback port, for as long as the object lives. Its certificate
// names "localhost" and nothing else. Run by root, it runs as postgres or nobody.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

namespace connect_ha {

struct PostgresOptions {
  bool tls = true;
  bool self_signed = false;                // the certificate is its own authority
  int certificate_days = 2;                // -1: it ended a day ago
  std::vector<std::string> settings = {};  // "max_connections=5": over those that it has otherwise
  std::string access = {};                 // the text of pg_hba.conf; "": everybody, by password
};

class PostgresServer {
 public:
  // Makes the cluster and starts it; throws std::runtime_error with the reason when it cannot.
  explicit PostgresServer(const PostgresOptions& options = PostgresOptions());
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  int port() const { return port_; }
  const std::string& ca_file() const { return ca_file_; }
  // Superuser "connect" of the database "postgres".
  const std::string& password() const { return password_; }

  // As the superuser, in the database "postgres".
  void Execute(const std::string& sql);
  // What it answers: a line for a row, "|" between its values.
  std::string Ask(const std::string& sql);

  void Stop();
  // On the port that it had.
  void Start();
  // Stops it and starts it as a standby, which only reads.
  void RestartAsStandby();
  // A physical copy, stopped; the original is started anew. It has the same accounts, and another
  // certificate.
  std::unique_ptr<PostgresServer> Copy();
  // In the place of another one, which is stopped: as a standby of it that takes over.
  void TakeOver(int port);

 private:
  PostgresServer(const PostgresOptions& options, const std::string& data_to_copy);
  std::vector<std::string> Psql(const std::string& sql) const;
  void MakeDirectory();
  void MakeCertificates();
  // As the unprivileged account when this process is root.
  std::vector<std::string> AsServer(std::vector<std::string> arguments) const;

  const PostgresOptions options_;
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
