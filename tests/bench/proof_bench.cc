// What the proofs cost a node: a round of work on a shared mount, a round of beacons, a look at the
// locks in the database over the connection that is held, one with which that is exchanged for a
// new one, and a look at the cluster's mark; and that a steady agent starts no process for them,
// and holds one connection.
//
// The shared directory is one of this machine's own disk that is said to be on NFS: what is
// measured is the agent and its process for it, not the kernel's NFS client, nor a server.
#include <libpq-fe.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/host/linux_host.h"
#include "agent/host/processes/shared_reader.h"
#include "agent/probes/connect/connect_config.h"
#include "agent/proof/beacons.h"
#include "agent/proof/mark_rounds.h"
#include "agent/proof/presence.h"
#include "agent/proof/storage_rounds.h"
#include "common/connect/gcfg.h"
#include "common/spec/config_loader.h"
#include "tests/agent/probes/postgres_server.h"
#include "tests/fakes/temporary_directory.h"
#include "tests/fakes/test_ca.h"

namespace connect_ha {
namespace {

constexpr int kRounds = 200;
constexpr int kWarmUp = 5;
constexpr int kNodes = 3;
constexpr double kSecondsAnHour = 3600;
constexpr char kChallenge[] = "0123456789abcdef0123456789abcdef";

double Milliseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Of a process that runs, and is a child of this one.
double ProcessorMilliseconds(pid_t pid) {
  clockid_t clock{};
  return pid > 0 && clock_getcpuclockid(pid, &clock) == 0 ? Milliseconds(clock) : 0;
}

// Children that ended; who starts none adds none.
long ChildrenFaults() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_minflt;
}

// This machine, with one directory of it on NFS.
class SharingHost : public LinuxHost {
 public:
  explicit SharingHost(std::string directory)
      : directory_(std::move(directory)), worker_(SharedReaderOptions()) {}

  absl::StatusOr<std::string> ReadFile(const std::string& path) override {
    absl::StatusOr<std::string> text = LinuxHost::ReadFile(path);
    if (!text.ok() || path != "/proc/self/mountinfo") return text;
    struct stat found {};
    if (stat(directory_.c_str(), &found) != 0) return absl::NotFoundError(directory_);
    absl::StrAppend(&*text, "99999 1 ", major(found.st_dev), ":", minor(found.st_dev), " / ",
                    directory_, " rw - nfs4 files.example.com:/ rw\n");
    return text;
  }
  absl::StatusOr<std::string> WorkOnStorage(char operation, const std::string& directory,
                                            const std::string& request) override {
    return worker_.Work(operation, directory, request);
  }
  // Files are root's, which whoever measures need not be.
  absl::Status WriteFile(const std::string& path, const std::string& content,
                         const FileAttributes& attributes) override {
    FileAttributes own = attributes;
    own.uid = geteuid();
    own.gid = getegid();
    return LinuxHost::WriteFile(path, content, own);
  }
  pid_t worker() { return worker_.pid(); }

 private:
  const std::string directory_;
  SharedReader worker_;
};

// Of a round, in this process and the one that works for it.
struct Cost {
  double wall_ms = 0;  // the median
  double processor_ms = 0;

  double PercentOfACore(std::chrono::seconds pace) const {
    return processor_ms / 1e3 / static_cast<double>(pace.count()) * 100;
  }
};

Cost Measure(SharingHost& host, ProofRounds& rounds, const ProofOrder& order) {
  for (int i = 0; i < kWarmUp; ++i) rounds.Run(order);
  const auto processor = [&host] {
    return Milliseconds(CLOCK_PROCESS_CPUTIME_ID) + ProcessorMilliseconds(host.worker());
  };
  std::vector<double> walls;
  const double before = processor();
  for (int i = 0; i < kRounds; ++i) {
    const auto began = std::chrono::steady_clock::now();
    rounds.Run(order);
    const std::chrono::duration<double, std::milli> wall = std::chrono::steady_clock::now() - began;
    walls.push_back(wall.count());
  }
  Cost cost;
  cost.processor_ms = (processor() - before) / kRounds;
  std::sort(walls.begin(), walls.end());
  cost.wall_ms = walls[walls.size() / 2];
  return cost;
}

// The server's processes for connections of agents: "4711 ".
std::string AgentsConnections(const PostgresServer& database) {
  const std::string port = std::to_string(database.port());
  const char* const names[] = {"host", "port", "dbname", "user", "password", "sslmode", nullptr};
  const char* const values[] = {
      "localhost", port.c_str(), "postgres", "connect", database.password().c_str(),
      "require",   nullptr};
  PGconn* connection = PQconnectdbParams(names, values, 0);
  PGresult* result = PQexec(connection,
                            "SELECT pid FROM pg_stat_activity "
                            "WHERE application_name = 'connect-ha-agent' ORDER BY pid");
  std::string pids;
  for (int i = 0; i < PQntuples(result); ++i) absl::StrAppend(&pids, PQgetvalue(result, i, 0), " ");
  PQclear(result);
  PQfinish(connection);
  return pids;
}

std::shared_ptr<const ConnectConfig> Configuration(const std::string& data_dir,
                                                   const PostgresServer& database) {
  const std::string text = absl::StrCat(
      "[Server]\nDataDir = ", data_dir,
      "\n[Database]\nProvider = postgres\n[Postgres]\nURL = \"postgres://connect@localhost:",
      database.port(), "/postgres?sslmode=verify-full\"\nPassword = \"", database.password(),
      "\"\n");
  return std::make_shared<const ConnectConfig>(MergeConnectConfig(ParseGcfg(text).entries, {}));
}

// That has its file system marked.
std::shared_ptr<const v1::Assignment> Orders(const std::string& mount_point) {
  auto orders = std::make_shared<v1::Assignment>();
  v1::ClusterSpec& spec = *orders->mutable_desired()->mutable_spec();
  spec.set_cluster("bench");
  spec.mutable_storage()->set_mount_point(mount_point);
  spec.mutable_prove()->set_storage(true);
  return orders;
}

struct Figures {
  Cost work;
  Cost beacons;
  Cost presence;
  Cost renewal;
  Cost mark;
  bool all_right = false;  // the rounds did what they are for
  int connections = 0;
  bool reconnected = false;
  bool started = false;
};

bool DidWhatTheyAreFor(ProbeCache& cache) {
  const auto work = cache.storage_rounds.Get();
  const auto beacons = cache.beacons.Get();
  const auto presence = cache.presence.Get();
  if (!work || work->rounds.size() != 1 || !beacons || !beacons->ok() || !presence || !*presence) {
    return false;
  }
  const v1::StorageRound& round = work->rounds.front();
  // Whether an owner can be changed is root's to try.
  const bool worked = round.steps_size() > 0 &&
                      round.steps(round.steps_size() - 1).name() == v1::StorageStep::UNLINK;
  const bool seen = (*beacons)->directories_size() == 1 &&
                    (*beacons)->directories(0).error().empty() &&
                    (*beacons)->directories(0).seen_size() == kNodes - 1;
  return worked && seen && (*presence)->error().empty() && (*presence)->seen_keys_size() == 1;
}

bool IsMarked(Host& host, ProbeCache& cache, const std::string& state_dir) {
  const auto mark = cache.mark.Get();
  return mark && mark->ok() && cache.mark_fault.Get().value_or("").empty() &&
         host.ReadFile(state_dir + "/mark").ok();
}

Figures Measure() {
  const PostgresServer database;
  const TemporaryDirectory directory;
  const TemporaryDirectory state;
  state.Write("ca.crt", kTestCa);
  SharingHost host(directory.path());
  v1::AgentConfig config;
  config.set_database_ca_file(database.ca_file());
  SetAgentDefaults(config);
  ProbeCache cache;
  const ProofContext context{host, cache, config};
  ProofOrder order;
  order.storage = true;
  order.database = true;
  order.cluster = "bench";
  order.machine_id = "4f2a9c1e7b3d4a5f8e6c0b1d2f3a4c5e";
  order.boot_id = "b7e1c0de-5a3f-4c1b-9d2e-1f0a2b3c4d5e";
  order.challenge = kChallenge;
  order.config = Configuration(directory.path(), database);
  for (int number = kNodes; number > 0; --number) {
    order.node = absl::StrCat("node-", number);
    if (number > 1) Beacons(context).Run(order);
  }
  StorageRounds work(context);
  Beacons beacons(context);
  MarkRounds mark(context, state.path(), [orders = Orders(directory.path())] { return orders; });
  const std::unique_ptr<ProofRounds> presence = MakePresence(context);
  for (ProofRounds* rounds : {static_cast<ProofRounds*>(&work), static_cast<ProofRounds*>(&beacons),
                              static_cast<ProofRounds*>(&mark), presence.get()}) {
    rounds->Run(order);
  }

  Figures figures;
  const pid_t worker = host.worker();
  const long children = ChildrenFaults();
  const std::string connections = AgentsConnections(database);
  figures.work = Measure(host, work, order);
  figures.beacons = Measure(host, beacons, order);
  figures.mark = Measure(host, mark, order);
  figures.presence = Measure(host, *presence, order);
  figures.all_right = DidWhatTheyAreFor(cache) && IsMarked(host, cache, state.path());
  figures.connections = static_cast<int>(std::count(connections.begin(), connections.end(), ' '));
  figures.reconnected = AgentsConnections(database) != connections;
  figures.started = host.worker() != worker || ChildrenFaults() != children;
  presence->Stop();
  // Of another node: the server may not have noticed yet that the lock of this one is free.
  order.node = "node-0";
  PresencePaces paces;
  paces.renew = std::chrono::milliseconds(0);
  const std::unique_ptr<ProofRounds> renewing = MakePresence(context, paces);
  figures.renewal = Measure(host, *renewing, order);
  const auto renewed = cache.presence.Get();
  figures.all_right = figures.all_right && renewed && *renewed && (*renewed)->error().empty();
  renewing->Stop();
  return figures;
}

void Print(const char* what, const Cost& cost, std::chrono::seconds pace) {
  std::printf("%s: wall p50 %.2f ms, processor %.3f ms; %.0f an hour, %.1f ms of a core, %.4f %%\n",
              what, cost.wall_ms, cost.processor_ms,
              kSecondsAnHour / static_cast<double>(pace.count()),
              cost.processor_ms * kSecondsAnHour / static_cast<double>(pace.count()),
              cost.PercentOfACore(pace));
}

int Run(bool json) {
  // As the rounds have it: storage_rounds.cc, mark_rounds.cc, beacons.cc, presence.h.
  constexpr std::chrono::seconds kWorkPace{60};
  constexpr std::chrono::seconds kMarkPace{60};
  constexpr std::chrono::seconds kRenewalPace{300};
  constexpr std::chrono::seconds kPace{30};
  const Figures figures = Measure();
  Print("a round of work on a mount", figures.work, kWorkPace);
  Print("a round of beacons, of three nodes", figures.beacons, kPace);
  Print("a look at the cluster's mark", figures.mark, kMarkPace);
  Print("a look at the locks", figures.presence, kPace);
  Print("a look with which the session is renewed", figures.renewal, kRenewalPace);
  const double percent =
      figures.work.PercentOfACore(kWorkPace) + figures.beacons.PercentOfACore(kPace) +
      figures.mark.PercentOfACore(kMarkPace) + figures.presence.PercentOfACore(kPace) +
      figures.renewal.PercentOfACore(kRenewalPace);
  std::printf("together, per node: %.4f %% of a core (aim 0.05)\n", percent);
  std::printf("connections held: %d, %s (aim: 1, the same)\n", figures.connections,
              figures.reconnected ? "MADE ANEW meanwhile" : "the same all the time");
  std::printf("processes started in the steady state: %s\n",
              figures.started ? "SOME (aim: none)" : "none");
  if (!figures.all_right) std::printf("the rounds did NOT succeed: the figures are of others\n");
  if (json) {
    std::printf(
        "{\"work_ms\": %.4f, \"beacons_ms\": %.4f, \"mark_ms\": %.4f, \"presence_ms\": %.4f, "
        "\"renewal_ms\": %.4f, \"proof_percent\": %.5f, \"proof_connections\": %d, "
        "\"proof_processes\": %d}\n",
        figures.work.processor_ms, figures.beacons.processor_ms, figures.mark.processor_ms,
        figures.presence.processor_ms, figures.renewal.processor_ms, percent, figures.connections,
        figures.started ? 1 : 0);
  }
  return figures.all_right ? 0 : 1;
}

}  // namespace
}  // namespace connect_ha

// --json: one more line, for tests/bench/aims. As read-shared it is the process that works.
int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "read-shared") return connect_ha::ServeSharedReads(0);
  return connect_ha::Run(first == "--json");
}
