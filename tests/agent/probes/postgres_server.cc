#include "tests/agent/probes/postgres_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

void WriteText(const fs::path& path, const std::string& text, fs::perms mode) {
  std::ofstream(path) << text;
  fs::permissions(path, mode);
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Output goes to `log`.
pid_t Spawn(const std::vector<std::string>& arguments, const fs::path& log) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execvp(argv[0], argv.data());
  _exit(127);
}

void Run(const std::vector<std::string>& arguments, const fs::path& log) {
  int status = 0;
  waitpid(Spawn(arguments, log), &status, 0);
  if (status != 0) throw std::runtime_error(arguments[0] + " failed: " + ReadText(log));
}

// The newest that is installed: the distributions have one each.
std::string FindPrograms() {
  std::string newest;
  if (fs::exists("/usr/lib/postgresql")) {
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql")) {
      const std::string programs = entry.path().string() + "/bin";
      if (fs::exists(programs + "/initdb")) newest = std::max(newest, programs);
    }
  }
  if (newest.empty()) throw std::runtime_error("no PostgreSQL server; fix: ./dev deps");
  return newest;
}

std::string ServerAccount() {
  if (getuid() != 0) return "";
  return getpwnam("postgres") != nullptr ? "postgres" : "nobody";
}

}  // namespace

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  bind(fd, reinterpret_cast<sockaddr*>(&address), length);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  close(fd);
  return ntohs(address.sin_port);
}

PostgresServer::PostgresServer(const PostgresOptions& options)
    : options_(options), programs_(FindPrograms()), account_(ServerAccount()) {
  MakeDirectory();
  Run(AsServer({programs_ + "/initdb", "--pgdata=" + data_, "--username=connect",
                "--auth=scram-sha-256", "--pwfile=" + directory_ + "/password", "--no-sync",
                "--locale=C", "--encoding=UTF8"}),
      directory_ + "/log");
  if (!options_.access.empty()) {
    WriteText(data_ + "/pg_hba.conf", options_.access, fs::perms(0644));
  }
  Start();
}

PostgresServer::PostgresServer(const PostgresOptions& options, const std::string& data_to_copy)
    : options_(options), programs_(FindPrograms()), account_(ServerAccount()) {
  MakeDirectory();
  Run({"cp", "-a", data_to_copy, data_}, directory_ + "/log");
}

void PostgresServer::MakeDirectory() {
  port_ = FreePort();
  std::string name = (fs::temp_directory_path() / "connect-ha-postgres-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  data_ = name + "/data";
  fs::permissions(directory_, fs::perms(0755));
  WriteText(directory_ + "/password", password_ + "\n", fs::perms(0644));
  MakeCertificates();
  if (account_.empty()) return;
  const passwd* user = getpwnam(account_.c_str());
  for (const std::string& path : {directory_, directory_ + "/server.key"}) {
    if (chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("cannot give " + path + " to " + account_);
    }
  }
}

PostgresServer::~PostgresServer() {
  Stop();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

std::vector<std::string> PostgresServer::AsServer(std::vector<std::string> arguments) const {
  // The server does not outlive this process, however that ends.
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "INT"};
  if (!account_.empty()) {
    const passwd* user = getpwnam(account_.c_str());
    all.insert(all.end(), {"--reuid", std::to_string(user->pw_uid), "--regid",
                           std::to_string(user->pw_gid), "--clear-groups"});
  }
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}

void PostgresServer::MakeCertificates() {
  const std::string log = directory_ + "/log";
  ca_file_ = directory_ + "/ca.crt";
  const std::string key = directory_ + "/server.key";
  const std::string days = std::to_string(options_.certificate_days);
  const std::vector<std::string> new_key = {
      "openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), new_key.begin(), new_key.end());
    Run(arguments, log);
  };
  WriteText(directory_ + "/san", "subjectAltName=DNS:localhost\n", fs::perms(0644));
  run({"-x509", "-keyout", directory_ + "/ca.key", "-out", ca_file_, "-days", "2", "-subj",
       "/CN=connect-ha test CA"});
  if (options_.self_signed) {
    run({"-x509", "-keyout", key, "-out", directory_ + "/server.crt", "-days", days, "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"});
  } else {
    run({"-keyout", key, "-out", directory_ + "/server.csr", "-subj", "/CN=localhost"});
    Run({"openssl", "x509", "-req", "-in", directory_ + "/server.csr", "-CA", ca_file_, "-CAkey",
         directory_ + "/ca.key", "-set_serial", "1", "-days", days, "-extfile", directory_ + "/san",
         "-out", directory_ + "/server.crt"},
        log);
  }
  fs::permissions(key, fs::perms(0600));
}

void PostgresServer::Start() {
  std::vector<std::string> arguments = {programs_ + "/postgres", "-D", data_};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1",
                                       "port=" + std::to_string(port_),
                                       "unix_socket_directories=",
                                       std::string("ssl=") + (options_.tls ? "on" : "off"),
                                       "ssl_cert_file=" + directory_ + "/server.crt",
                                       "ssl_key_file=" + directory_ + "/server.key",
                                       "fsync=off",
                                       "shared_buffers=16MB",
                                       "max_connections=20"};
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) {
    arguments.push_back("-c");
    arguments.push_back(setting);
  }
  pid_ = Spawn(AsServer(std::move(arguments)), directory_ + "/log");
  for (int tries = 0; tries < 600; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    // The last line of the file says how far it is.
    const std::string state = ReadText(data_ + "/postmaster.pid");
    if (state.find("ready") != std::string::npos) return;
    if (state.find("standby") != std::string::npos) return;
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) break;
  }
  throw std::runtime_error("PostgreSQL did not start: " + ReadText(directory_ + "/log"));
}

void PostgresServer::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGINT);  // fast shutdown
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void PostgresServer::RestartAsStandby() {
  Stop();
  WriteText(data_ + "/standby.signal", "", fs::perms(0644));
  Start();
}

std::unique_ptr<PostgresServer> PostgresServer::Copy() {
  Stop();
  // Not make_unique: it has no access.
  std::unique_ptr<PostgresServer> copy(new PostgresServer(options_, data_));
  Start();
  return copy;
}

void PostgresServer::TakeOver(int port) {
  port_ = port;
  WriteText(data_ + "/standby.signal", "", fs::perms(0644));
  Start();
  Execute("SELECT pg_promote()");
}

std::vector<std::string> PostgresServer::Psql(const std::string& sql) const {
  return {programs_ + "/psql",
          "-X",
          "-q",
          "-A",
          "-t",
          "-v",
          "ON_ERROR_STOP=1",
          "-o",
          directory_ + "/answer",
          "-h",
          "127.0.0.1",
          "-p",
          std::to_string(port_),
          "-U",
          "connect",
          "-d",
          "postgres",
          "-c",
          sql};
}

void PostgresServer::Execute(const std::string& sql) {
  setenv("PGPASSWORD", password_.c_str(), 1);
  Run(Psql(sql), directory_ + "/log");
  unsetenv("PGPASSWORD");
}

std::string PostgresServer::Ask(const std::string& sql) {
  Execute(sql);
  std::string answer = ReadText(directory_ + "/answer");
  while (!answer.empty() && answer.back() == '\n') answer.pop_back();
  return answer;
}

}  // namespace connect_ha
