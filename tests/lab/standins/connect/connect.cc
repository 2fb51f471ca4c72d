// A stand-in for Posit Connect, which no registry carries. It keeps the documented contract as far
// as a cluster can see it: configuration file and its reload, database and its migration, data
// directory, encryption key, health and version over HTTP. What it has of content is content.h.
// Usage: connect [--config FILE] | --version
#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>

#include "content.h"
#include "gcfg.h"
#include "http_api.h"
#include "release.h"

namespace {

constexpr char kInstallPrefix[] = "/opt/rstudio-connect";
constexpr char kLogFile[] = "/var/log/rstudio/rstudio-connect/rstudio-connect.log";

volatile std::sig_atomic_t stop = 0;
volatile std::sig_atomic_t reload = 0;

void Log(const std::string& line) {
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
  std::filesystem::create_directories(std::filesystem::path(kLogFile).parent_path());
  std::ofstream(kLogFile, std::ios::app) << line << '\n';
}

// As the real server: with an address that is none it does not start.
void RefuseBadAddress(const Config& config) {
  const std::string address = config.Get("server", "senderemail", "");
  if (!address.empty() && address.find('@') == std::string::npos)
    throw std::runtime_error("Server.SenderEmail is no e-mail address: " + address);
}

// The real server refuses data directories inside its installation, which an upgrade replaces.
void RefuseInsideInstallation(const std::string& key, const std::string& path) {
  if (path.rfind(kInstallPrefix, 0) == 0)
    throw std::runtime_error(key + " must not be below " + kInstallPrefix);
}

void WriteNewKey(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0 && errno == EEXIST) return;
  if (fd < 0) throw std::runtime_error("cannot create " + path + ": " + std::strerror(errno));
  std::random_device random;
  std::string key;
  constexpr size_t kKeyCharacters = 1024;
  while (key.size() < kKeyCharacters) key += "0123456789abcdef"[random() % 16];
  const bool written =
      ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!written) throw std::runtime_error("cannot write " + path);
}

void PrepareDataDir(const Config& config) {
  const std::string data_dir = config.Get("server", "datadir", "/var/lib/rstudio-connect");
  const std::string database_dir = config.Get("database", "dir", data_dir + "/db");
  const std::string metrics_path = config.Get("metrics", "datapath", data_dir + "/metrics/rrd");
  RefuseInsideInstallation("Server.DataDir", data_dir);
  RefuseInsideInstallation("Database.Dir", database_dir);
  for (const std::string& dir :
       {data_dir + "/apps", data_dir + "/bundles", database_dir, metrics_path})
    std::filesystem::create_directories(dir);

  const std::string key_file = config.Get("server", "encryptionkeyfile", "");
  const std::string key = config.Get("server", "encryptionkey", "");
  if (!key.empty() && !key_file.empty())
    throw std::runtime_error(
        "Server.EncryptionKey and Server.EncryptionKeyFile are both set: give one");
  if (key.empty() && key_file.empty()) WriteNewKey(database_dir + "/secret.key");
  if (!key_file.empty() && ::access(key_file.c_str(), R_OK) != 0)
    throw std::runtime_error("cannot read Server.EncryptionKeyFile " + key_file);
}

PGconn* ConnectDatabase(const Config& config) {
  if (config.Get("database", "provider", "sqlite") != "postgres")
    throw std::runtime_error("the stand-in has Database.Provider = postgres only");
  std::string url = config.Get("postgres", "url", "");
  if (url.find("sslmode=") == std::string::npos)
    url += (url.find('?') == std::string::npos ? "?" : "&") + std::string("sslmode=require");
  const std::string password = config.Get("postgres", "password", "");
  const std::array<const char*, 4> keys = {"dbname", "application_name",
                                           password.empty() ? nullptr : "password", nullptr};
  const std::array<const char*, 4> values = {url.c_str(), "rstudio-connect " STANDIN_VERSION,
                                             password.c_str(), nullptr};
  PGconn* connection = PQconnectdbParams(keys.data(), values.data(), /*expand_dbname=*/1);
  if (PQstatus(connection) != CONNECTION_OK)
    throw std::runtime_error(std::string("cannot connect to the database: ") +
                             PQerrorMessage(connection));
  return connection;
}

int Listen(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in socket_address{};
  socket_address.sin_family = AF_INET;
  socket_address.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
  const std::string host = address.substr(0, colon);
  socket_address.sin_addr.s_addr = host.empty() ? INADDR_ANY : inet_addr(host.c_str());
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(fd, reinterpret_cast<sockaddr*>(&socket_address), sizeof(socket_address)) != 0 ||
      ::listen(fd, 64) != 0)
    throw std::runtime_error("cannot listen on " + address + ": " + std::strerror(errno));
  return fd;
}

// What is not reloadable stays as it was, and so does all of it where the file cannot be read.
void Reload(const std::string& config_file, Config& config) {
  try {
    config.TakeReloadable(Config::Load(config_file));
    Log("Configuration reloaded");
  } catch (const std::exception& error) {
    Log(std::string("Error: cannot reload the configuration: ") + error.what());
  }
}

void Respond(int client, const Request& request, const Config& config, PGconn* database) {
  if (const int seconds = SecondsOfContent(request.path); seconds > 0) {
    StartContent(client, seconds, config.Get("applications", "runas", "rstudio-connect"));
    return;
  }
  const std::string response = Written(Answer(config, database, request));
  if (::send(client, response.data(), response.size(), MSG_NOSIGNAL) < 0) Log("client went away");
}

void Serve(int listener, const std::string& config_file, Config& config, PGconn* database) {
  while (stop == 0) {
    if (reload != 0) {
      reload = 0;
      Reload(config_file, config);
    }
    pollfd ready{listener, POLLIN, 0};
    if (::poll(&ready, 1, /*timeout ms=*/1000) <= 0) continue;
    const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    timeval limit{2, 0};
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    std::array<char, 4096> buffer{};
    const ssize_t size = ::recv(client, buffer.data(), buffer.size(), 0);
    if (size > 0) {
      const std::string text(buffer.data(), static_cast<size_t>(size));
      Respond(client, ParseRequest(text), config, database);
    }
    ::close(client);
  }
}

void Run(const std::string& config_file) {
  Config config = Config::Load(config_file);
  Log("Starting Posit Connect stand-in v" STANDIN_VERSION);
  RefuseBadAddress(config);
  PGconn* database = ConnectDatabase(config);
  Release release(database, STANDIN_VERSION, Hostname(), stop, Log);
  release.MakeTables();
  release.Meet();
  release.Migrate();
  PrepareDataDir(config);
  release.TakeTime();
  if (stop == 0) {
    const int listener = Listen(config.Get("http", "listen", ":3939"));
    Log("Startup complete");
    release.Note("serves");
    Serve(listener, config_file, config, database);
  }
  PQfinish(database);
  Log("Stopped");
}

}  // namespace

int main(int argc, char** argv) {
  std::string config_file = "/etc/rstudio-connect/rstudio-connect.gcfg";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--version") {
      std::puts("Posit Connect v" STANDIN_VERSION);
      return 0;
    }
    if (argument == "--config" && i + 1 < argc) config_file = argv[++i];
  }
  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  std::signal(SIGCHLD, SIG_IGN);  // content that has ended is waited for by nobody
  action.sa_handler = [](int) { reload = 1; };
  ::sigaction(SIGHUP, &action, nullptr);
  try {
    Run(config_file);
  } catch (const std::exception& error) {
    Log(std::string("Error: ") + error.what());
    return 1;
  }
  return 0;
}
