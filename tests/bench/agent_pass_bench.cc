// One full warm pass of every probe but the verifying ones, on this machine, as the agent runs it,
// with a configuration that names a real PostgreSQL behind TLS: wall time, processor time, and the
// processes it started.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/gatherer.h"
#include "agent/host/linux_host.h"
#include "agent/read_node.h"
#include "common/config_loader.h"
#include "common/gcfg.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

constexpr int kPasses = 200;

double Milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

double ProcessorMilliseconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return Milliseconds(usage.ru_utime) + Milliseconds(usage.ru_stime);
}

// Children that ended; a pass that forks nothing adds none.
long ChildrenFaults() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_minflt;
}

void Pass(Gatherer& gatherer) {
  const uint64_t round = gatherer.StartAll(std::chrono::steady_clock::now());
  while (!gatherer.Done(round, std::chrono::steady_clock::now())) {
    gatherer.WaitForAll(std::chrono::milliseconds(100));
  }
  gatherer.Collect(std::chrono::steady_clock::now());
}

int Run(bool json) {
  const PostgresServer database;
  const TemporaryDirectory directory;
  v1::AgentConfig config;
  config.set_connect_config(directory.path() + "/rstudio-connect.gcfg");
  config.set_database_ca_file(database.ca_file());
  const std::string text = absl::StrCat(
      "[Database]\nProvider = postgres\n[Postgres]\nURL = \"postgres://connect@localhost:",
      database.port(), "/postgres?sslmode=verify-full\"\nPassword = \"", database.password(),
      "\"\n");
  std::ofstream(config.connect_config()) << text;
  SetAgentDefaults(config);
  LinuxHost host;
  GathererOptions options = MakeGathererOptions(host, config, std::string(32, 'k'));
  options.probes.erase(std::remove_if(options.probes.begin(), options.probes.end(),
                                      [](const Probe& p) { return p.pace == Pace::kVerify; }),
                       options.probes.end());
  // Without the environment of Connect's unit: this machine may have no systemd to ask.
  options.load_config = [text] {
    return LoadedConfig{
        std::make_shared<const ConnectConfig>(MergeConnectConfig(ParseGcfg(text).entries, {})),
        absl::OkStatus()};
  };
  const size_t probes = options.probes.size();
  ProbeCache cache;
  Gatherer gatherer(std::move(options), host, cache);
  for (int i = 0; i < 5; ++i) Pass(gatherer);

  const double processor_before = ProcessorMilliseconds(RUSAGE_SELF);
  const long children_before = ChildrenFaults();
  std::vector<double> walls;
  for (int i = 0; i < kPasses; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    Pass(gatherer);
    walls.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
  }
  const bool connected =
      gatherer.Collect(std::chrono::steady_clock::now()).database().has_server_version();
  const double processor = (ProcessorMilliseconds(RUSAGE_SELF) - processor_before) / kPasses;
  std::sort(walls.begin(), walls.end());
  std::printf(
      "full warm pass, %zu probes: wall p50 %.2f ms (aim 20), p99 %.2f ms, processor %.2f ms (aim "
      "5)\n",
      probes, walls[kPasses / 2], walls[kPasses * 99 / 100], processor);
  std::printf("processes ended during %d passes: %s\n", kPasses,
              ChildrenFaults() == children_before ? "none" : "SOME (aim: none)");
  if (!connected) std::printf("the database was NOT reached: the figures are of another pass\n");
  if (json) {
    std::printf("{\"pass_wall_ms\": %.3f, \"pass_processor_ms\": %.3f}\n", walls[kPasses / 2],
                processor);
  }
  return connected ? 0 : 1;
}

}  // namespace
}  // namespace connect_ha

// --json: one more line, for tests/bench/peers.
int main(int argc, char** argv) {
  return connect_ha::Run(argc > 1 && std::string(argv[1]) == "--json");
}
