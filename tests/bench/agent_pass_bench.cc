// One full warm pass of every probe but the verifying ones, on this machine, as the agent runs it,
// with a configuration that names a real PostgreSQL behind TLS: wall time, processor time, and the
// processes it started. The CA file holds what the distribution's does, and the server's; beside
// each pass runs the floor: libpq alone, which connects, asks and disconnects, with a CA file of
// the one certificate.
#include <libpq-fe.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/host/linux_host.h"
#include "agent/loop/gatherer.h"
#include "agent/read_node.h"
#include "common/connect/gcfg.h"
#include "common/spec/config_loader.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

constexpr int kPasses = 200;
constexpr int kWholeFilePasses = 20;
constexpr char kDistributionsCaFile[] = "/etc/ssl/certs/ca-certificates.crt";

// Of this process, all threads.
double ProcessorMilliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Children that ended; a pass that forks nothing adds none.
long ChildrenFaults() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_minflt;
}

// What something takes that is done again and again.
class Cost {
 public:
  template <typename Done>
  void Measure(Done done) {
    const double processor = ProcessorMilliseconds();
    const auto begin = std::chrono::steady_clock::now();
    done();
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - begin;
    processor_ += ProcessorMilliseconds() - processor;
    walls_.push_back(wall.count());
  }
  double Processor() const { return processor_ / static_cast<double>(walls_.size()); }
  double Wall(size_t percent) const {
    std::vector<double> sorted = walls_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() * percent / 100];
  }

 private:
  std::vector<double> walls_;
  double processor_ = 0;
};

void Pass(Gatherer& gatherer) {
  const uint64_t round = gatherer.StartAll(std::chrono::steady_clock::now());
  while (!gatherer.Done(round, std::chrono::steady_clock::now())) {
    gatherer.WaitForAll(std::chrono::milliseconds(100));
  }
  gatherer.Collect(std::chrono::steady_clock::now());
}

bool ConnectBare(const PostgresServer& database, const std::string& ca_file) {
  const std::string port = std::to_string(database.port());
  const char* const names[] = {"host",    "port",        "dbname",     "user",     "password",
                               "sslmode", "sslrootcert", "gssencmode", "passfile", nullptr};
  const char* const values[] = {
      "localhost",   port.c_str(),    "postgres", "connect",        database.password().c_str(),
      "verify-full", ca_file.c_str(), "disable",  "/dev/null/none", nullptr};
  PGconn* connection = PQconnectdbParams(names, values, 0);
  PQclear(PQexec(connection, "SELECT s.ssl, s.version, s.cipher FROM pg_stat_ssl s"));
  PQclear(PQexec(connection, "SELECT system_identifier FROM pg_control_system()"));
  const bool connected = PQstatus(connection) == CONNECTION_OK;
  PQfinish(connection);
  return connected;
}

struct Figures {
  size_t probes = 0;
  Cost pass;
  Cost bare;
  Cost bare_with_whole_file;
  bool connected = true;
  bool forked = false;
};

std::string Configuration(const PostgresServer& database) {
  return absl::StrCat(
      "[Database]\nProvider = postgres\n[Postgres]\nURL = \"postgres://connect@localhost:",
      database.port(), "/postgres?sslmode=verify-full\"\nPassword = \"", database.password(),
      "\"\n");
}

GathererOptions Options(LinuxHost& host, const v1::AgentConfig& config, const std::string& text) {
  GathererOptions options = MakeGathererOptions(
      host, config, [] { return std::make_shared<const v1::Assignment>(); }, std::string(32, 'k'));
  options.probes.erase(std::remove_if(options.probes.begin(), options.probes.end(),
                                      [](const Probe& p) { return p.pace == Pace::kVerify; }),
                       options.probes.end());
  // Without the environment of Connect's unit: this machine may have no systemd to ask.
  options.load_config = [text] {
    return LoadedConfig{
        std::make_shared<const ConnectConfig>(MergeConnectConfig(ParseGcfg(text).entries, {})),
        absl::OkStatus()};
  };
  return options;
}

Figures Measure() {
  const PostgresServer database;
  const TemporaryDirectory directory;
  const std::string ca_file = directory.path() + "/bundle.pem";
  std::ofstream(ca_file) << std::ifstream(kDistributionsCaFile).rdbuf()
                         << std::ifstream(database.ca_file()).rdbuf();
  v1::AgentConfig config;
  config.set_connect_config(directory.path() + "/rstudio-connect.gcfg");
  config.set_database_ca_file(ca_file);
  std::ofstream(config.connect_config()) << Configuration(database);
  SetAgentDefaults(config);
  LinuxHost host;
  Figures figures;
  GathererOptions options = Options(host, config, Configuration(database));
  figures.probes = options.probes.size();
  ProbeCache cache;
  Gatherer gatherer(std::move(options), host, cache);
  for (int i = 0; i < 5; ++i) Pass(gatherer);

  const long children = ChildrenFaults();
  for (int i = 0; i < kPasses; ++i) {
    figures.pass.Measure([&] { Pass(gatherer); });
    figures.bare.Measure([&] { figures.connected &= ConnectBare(database, database.ca_file()); });
  }
  for (int i = 0; i < kWholeFilePasses; ++i) {
    figures.bare_with_whole_file.Measure(
        [&] { figures.connected &= ConnectBare(database, ca_file); });
  }
  figures.forked = ChildrenFaults() != children;
  figures.connected &=
      gatherer.Collect(std::chrono::steady_clock::now()).database().has_server_version();
  return figures;
}

int Run(bool json) {
  const Figures figures = Measure();
  const double pass = figures.pass.Processor();
  const double bare = figures.bare.Processor();
  std::printf(
      "full warm pass, %zu probes: wall p50 %.2f ms (aim 20), p99 %.2f ms, processor %.2f ms (aim "
      "5)\n",
      figures.probes, figures.pass.Wall(50), figures.pass.Wall(99), pass);
  std::printf(
      "  its floor, libpq alone with a CA file of one certificate: wall p50 %.2f ms, processor "
      "%.2f ms; the pass takes %.2f ms more, %.2f times the floor (aim 1.2)\n",
      figures.bare.Wall(50), bare, pass - bare, pass / bare);
  std::printf("  libpq alone with the whole CA file, as the first pass: processor %.2f ms\n",
              figures.bare_with_whole_file.Processor());
  std::printf("processes ended during %d passes: %s\n", kPasses,
              figures.forked ? "SOME (aim: none)" : "none");
  if (!figures.connected) {
    std::printf("the database was NOT reached: the figures are of another pass\n");
  }
  if (json) {
    std::printf(
        "{\"pass_wall_ms\": %.3f, \"pass_processor_ms\": %.3f, \"pass_floor_processor_ms\": "
        "%.3f, \"pass_of_login\": %.3f}\n",
        figures.pass.Wall(50), pass, bare, pass / bare);
  }
  return figures.connected ? 0 : 1;
}

}  // namespace
}  // namespace connect_ha

// --json: one more line, for tests/bench/peers.
int main(int argc, char** argv) {
  return connect_ha::Run(argc > 1 && std::string(argv[1]) == "--json");
}
