// What the coordinator costs, each figure beside its aim and, where there is one, the bare floor of
// the same run. See README.md here.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "connect_ha/v1/admin_service.grpc.pb.h"
#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/bench/bench_cluster.h"
#include "tests/bench/bench_nodes.h"
#include "tests/bench/bench_roster.h"

namespace connect_ha {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kCallers = 64;
constexpr seconds kRun{6};
// What is compared is measured in turn, so often; of the figures, medians.
constexpr int kRounds = 3;

double Since(Steady::time_point begun) { return duration<double>(Steady::now() - begun).count(); }

void Row(const std::string& what, const std::string& measured, const std::string& aim) {
  std::printf("%-58s %-26s aim %s\n", what.c_str(), measured.c_str(), aim.c_str());
  std::fflush(stdout);
}

std::map<std::string, double> figures;  // printed by --json, for tests/bench/peers

template <typename... Values>
std::string Text(const char* format, Values... values) {
  char text[128];
  std::snprintf(text, sizeof text, format, values...);
  return text;
}

struct Load {
  double per_second = 0;
  double cpu_us_each = 0;  // of the server
  int failed = 0;
};

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<long>(at), values.end());
  return values[at];
}

double Median(std::vector<double> values) { return Percentile(values, 0.5); }

enum class Facts { kUnchanged, kChanged };

// Calls from `kCallers` nodes, each with its own connection, one call at a time, as fast as they
// can.
Load CallHeartbeats(BenchCluster& cluster, Facts facts) {
  const auto identities = cluster.IssueNodes(kCallers);
  std::atomic<bool> go{false}, stop{false};
  std::atomic<int> failed{0};
  std::vector<std::future<int>> callers;
  for (const BenchIdentity& identity : identities) {
    callers.push_back(std::async(std::launch::async, [&, identity] {
      const auto stub = v1::NodeService::NewStub(cluster.Connect(identity));
      v1::HeartbeatRequest report = BenchReport(identity.name);
      v1::HeartbeatResponse response;
      const auto beat = [&] {
        grpc::ClientContext context;
        if (!stub->Heartbeat(&context, report, &response).ok()) ++failed;
      };
      beat();
      if (facts == Facts::kUnchanged) report.clear_facts_bytes();
      int calls = 0;
      while (!go) std::this_thread::sleep_for(milliseconds(1));
      while (!stop) {
        ++calls;
        if (facts == Facts::kChanged) ChangeReport(report, calls);
        beat();
      }
      return calls;
    }));
  }
  std::this_thread::sleep_for(seconds(2));  // every caller is connected
  const double cpu = cluster.CpuSeconds();
  const auto begun = Steady::now();
  go = true;
  std::this_thread::sleep_for(kRun);
  stop = true;
  double count = 0;
  for (auto& caller : callers) count += caller.get();
  Load load;
  load.per_second = count / Since(begun);
  load.cpu_us_each = (cluster.CpuSeconds() - cpu) / count * 1e6;
  load.failed = failed;
  return load;
}

v1::NodeReport StoredReport(const std::string& node) {
  v1::HeartbeatRequest request = BenchReport(node);
  v1::NodeReport report;
  report.set_node(node);
  report.set_facts_digest(request.facts_digest());
  report.set_facts_bytes(std::move(*request.mutable_facts_bytes()));
  return report;
}

void AddToStore(Store& store, const std::string& node) {
  v1::NodeRecord record;
  record.set_name(node);
  if (!store.AddNode(record).ok()) std::abort();
}

// Reports into the store without gRPC.
double BareStore(const std::string& path) {
  const auto store = SqliteStore::Open(path);
  if (!store.ok()) return 0;
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::vector<std::thread> writers;
  for (int i = 0; i < kCallers; ++i) {
    writers.emplace_back([&, i] {
      const v1::NodeReport report = StoredReport("node-" + std::to_string(i));
      AddToStore(**store, report.node());
      while (!stop) {
        if ((*store)->PutReport(report).ok()) ++written;
      }
    });
  }
  const auto begun = Steady::now();
  std::this_thread::sleep_for(kRun);
  stop = true;
  const double per_second = written / Since(begun);
  for (std::thread& writer : writers) writer.join();
  return per_second;
}

// The calls of several rounds of one kind.
struct Loads {
  std::vector<double> per_second, cpu_us_each;
  int failed = 0;

  void Add(const Load& load) {
    per_second.push_back(load.per_second);
    cpu_us_each.push_back(load.cpu_us_each);
    failed += load.failed;
  }
};

// Of each round its own ratio: what else the machine did in it is in both.
double RatioOf(const Loads& loads, const Loads& floor) {
  std::vector<double> ratios;
  for (size_t i = 0; i < floor.per_second.size(); ++i) {
    ratios.push_back(loads.per_second[i] / floor.per_second[i]);
  }
  return Median(ratios);
}

void MeasureHeartbeats(int) {
  BenchCluster bare, cluster;
  bare.StartServer("echo");
  cluster.StartServer("serve");
  Loads echo, unchanged, changed;
  for (int round = 0; round < kRounds; ++round) {
    echo.Add(CallHeartbeats(bare, Facts::kUnchanged));
    unchanged.Add(CallHeartbeats(cluster, Facts::kUnchanged));
    changed.Add(CallHeartbeats(cluster, Facts::kChanged));
  }
  bare.KillServer();
  cluster.KillServer();
  const double store = BareStore(bare.dir() + "/bare.db");
  const double of_echo = RatioOf(unchanged, echo), of_unchanged = RatioOf(changed, unchanged);
  figures["unchanged_of_echo"] = of_echo;
  figures["changed_of_unchanged"] = of_unchanged;
  figures["unchanged_cpu_us"] = Median(unchanged.cpu_us_each);
  figures["changed_cpu_us"] = Median(changed.cpu_us_each);
  const double changed_per_second = Median(changed.per_second);
  Row("floor: bare gRPC echo over mTLS, 64 callers", Text("%.0f/s", Median(echo.per_second)), "-");
  Row("floor: group commit alone, 64 writers", Text("%.0f/s", store), "-");
  Row("unchanged heartbeats", Text("%.0f/s (%.2f of echo)", Median(unchanged.per_second), of_echo),
      ">= 10,000/s, 0.8 of echo");
  Row("changed reports, durable",
      Text("%.0f/s (%.2f of store)", changed_per_second, changed_per_second / store), ">= 5,000/s");
  Row("  of unchanged heartbeats", Text("%.2f", of_unchanged), ">= 0.5");
  Row("  server CPU each, unchanged / changed",
      Text("%.0f / %.0f us", Median(unchanged.cpu_us_each), Median(changed.cpu_us_each)), "-");
  Row("calls that failed", Text("%d", echo.failed + unchanged.failed + changed.failed), "0");
}

void RequireAllReported(BenchNodes& nodes) {
  if (nodes.WaitUntilAllReported(120) >= 0) return;
  std::fprintf(stderr, "bench: the nodes did not connect\n");
  std::exit(1);
}

void MeasureAcknowledge(int count) {
  BenchCluster cluster;
  const auto identities = cluster.EnrolNodes(count);
  cluster.StartServer("serve");
  BenchNodes nodes(cluster, identities);
  RequireAllReported(nodes);
  nodes.ReportChangesEvery(seconds(1));
  const double cpu = cluster.CpuSeconds();
  std::vector<double> times = nodes.AcknowledgedIn(kRun);
  const auto reports = static_cast<double>(times.size());
  const double p50 = Percentile(times, 0.5), p99 = Percentile(times, 0.99);
  figures["acknowledged_p99_ms"] = p99;
  Row(Text("%d nodes, a changed report a second each: until durable", count),
      Text("p50 %.2f, p99 %.2f ms", p50, p99), "1,000: p99 <= 5 ms");
  Row("  reports, server CPU each",
      Text("%.0f/s, %.0f us", reports / duration<double>(kRun).count(),
           (cluster.CpuSeconds() - cpu) / reports * 1e6),
      "<= 300 us");
}

void MeasureConnections(int count) {
  BenchCluster cluster;
  const auto identities = cluster.EnrolNodes(count);
  cluster.StartServer("serve");
  const double before = cluster.ResidentMiB();
  double connected = 0, full = 0;
  int refused = 0;
  std::string why;
  {
    BenchNodes nodes(cluster, identities);
    connected = nodes.WaitUntilAllReported(300);
    std::this_thread::sleep_for(seconds(5));
    full = cluster.ResidentMiB();
    refused = nodes.refused();
    why = nodes.first_refusal();
  }
  std::this_thread::sleep_for(seconds(40));
  const double left = cluster.ResidentMiB();
  figures["memory_per_node_kb"] = (full - before) * 1024 / count;
  figures["left_of_start"] = left / before;
  Row(Text("%d nodes connect and report", count), Text("%.1f s", connected), "10,000: <= 60 s");
  Row("  refused", refused == 0 ? "0" : Text("%d: %.60s", refused, why.c_str()), "0");
  Row("  resident memory, for each node",
      Text("%.0f MiB, %.0f KB", full, (full - before) * 1024 / count),
      "<= 160 KB; 10,000: <= 1.6 GiB");
  Row("  40 s after all have left", Text("%.0f MiB (%.1f of %.0f)", left, left / before, before),
      "<= 1.5 of the start");
}

void MeasureRestart(int count) {
  BenchCluster cluster;
  const auto identities = cluster.EnrolNodes(count);
  cluster.StartServer("serve");
  {
    BenchNodes nodes(cluster, identities);
    RequireAllReported(nodes);
    cluster.KillServer();
    std::this_thread::sleep_for(seconds(1));
    nodes.ExpectAgain();
    cluster.StartServer("serve");
    const double back = nodes.WaitUntilAllReported(120);
    Row(Text("%d nodes back and reporting after kill -9 and restart", count), Text("%.1f s", back),
        "1,000: <= 5 s");
  }
}

void MeasureStart(int count) {
  BenchCluster cluster;
  {
    const auto store = SqliteStore::Open(cluster.dir() + "/store.db");
    std::vector<std::thread> writers;
    for (int t = 0; t < kCallers; ++t) {
      writers.emplace_back([&, t] {
        for (int i = t; i < count; i += kCallers) {
          const v1::NodeReport report = StoredReport("node-" + std::to_string(i));
          AddToStore(**store, report.node());
          if (!(*store)->PutReport(report).ok()) std::abort();
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
  }
  const double started = cluster.StartServer("serve");
  figures["start_seconds"] = started;
  Row(Text("start to serving with %d nodes", count), Text("%.2f s", started), "4,000: <= 1 s");
}

// Until the changes of these nodes are judged, and what came of it is stored.
double MillisecondsToJudge(BenchRoster& roster, const std::vector<std::string>& nodes, Time& now) {
  constexpr int kRuns = 7;
  static int number = 0;
  std::vector<double> times;
  for (int run = 0; run < kRuns; ++run) {
    now += milliseconds(1000);
    roster.Change(nodes, ++number, now);
    const auto begun = Steady::now();
    roster.evaluator().Tick(now);
    times.push_back(Since(begun) * 1000);
  }
  const auto checklist = roster.evaluator().Latest();
  const auto passed =
      std::count_if(checklist->findings().begin(), checklist->findings().end(),
                    [](const v1::Finding& finding) { return finding.outcome() == v1::PASS; });
  if (passed < checklist->findings_size() / 2) std::abort();  // these nodes are healthy
  return Median(times);
}

double MillisecondsToJudgeAll(int count) {
  Time now = BenchNow();
  BenchRoster roster(count, now);
  return MillisecondsToJudge(roster, BenchNames(count), now);
}

void MeasureChecklist(int count) {
  constexpr int kFew = 10;
  const double tenth = MillisecondsToJudgeAll(count / 10);
  Time now = BenchNow();
  BenchRoster roster(count, now);
  const double all = MillisecondsToJudge(roster, BenchNames(count), now);
  const double few = MillisecondsToJudge(roster, BenchNames(kFew), now);
  figures["checklist_seconds"] = all / 1000;
  figures["checklist_all_ms"] = all;
  figures["checklist_ten_ms"] = few;
  Row(Text("the checklist of %d nodes, all changed", count),
      Text("%.0f ms, %.1f of a tenth's", all, all / tenth),
      "10,000: <= 300 ms; in proportion: 10 of a tenth's");
  Row(Text("  %d changed", kFew), Text("%.0f ms", few), "10,000: <= 30 ms");
}

// A node that gathers when it is nudged; gathering itself takes no time.
void AnswerNudges(const BenchCluster& cluster, const BenchIdentity& identity,
                  grpc::ClientContext& context, std::atomic<int>& open) {
  const auto stub = v1::NodeService::NewStub(cluster.Connect(identity));
  v1::HeartbeatRequest report = BenchReport(identity.name);
  v1::HeartbeatResponse response;
  const auto beat = [&] {
    grpc::ClientContext call;
    return stub->Heartbeat(&call, report, &response).ok();
  };
  beat();
  v1::NudgesRequest request;
  request.set_node(identity.name);
  const auto stream = stub->Nudges(&context, request);
  stream->WaitForInitialMetadata();
  ++open;
  v1::Nudge nudge;
  for (int number = 1; stream->Read(&nudge); ++number) {
    beat();
    report.set_gathered(response.gather());
    ChangeReport(report, number);
    beat();
  }
}

double RefreshOnce(v1::AdminService::Stub& admin) {
  const auto begun = Steady::now();
  grpc::ClientContext context;
  v1::RefreshResponse refresh;
  if (!admin.Refresh(&context, {}, &refresh).ok()) return -1;
  v1::RefreshStatusRequest which;
  which.set_number(refresh.number());
  while (Since(begun) < 10) {
    grpc::ClientContext poll;
    v1::RefreshStatusResponse status;
    if (!admin.RefreshStatus(&poll, which, &status).ok()) return -1;
    if (status.pending_size() == 0) return Since(begun);
    std::this_thread::sleep_for(milliseconds(2));
  }
  return -1;
}

void MeasureRefresh(int count) {
  BenchCluster cluster;
  cluster.StartServer("serve");
  const auto identities = cluster.IssueNodes(count);
  std::vector<grpc::ClientContext> contexts(identities.size());
  std::vector<std::thread> nodes;
  std::atomic<int> open{0};
  for (size_t i = 0; i < identities.size(); ++i) {
    nodes.emplace_back([&, i] { AnswerNudges(cluster, identities[i], contexts[i], open); });
  }
  while (open < count) std::this_thread::sleep_for(milliseconds(5));
  const auto admin = v1::AdminService::NewStub(cluster.Connect(cluster.IssueAdmin()));
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) times.push_back(RefreshOnce(*admin));
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (std::thread& node : nodes) node.join();
  std::sort(times.begin(), times.end());
  figures["refresh_ms"] = times[10] * 1000;
  Row(Text("a fresh answer from %d nodes on demand, p50 / max of 20", count),
      Text("%.0f / %.0f ms", times[10] * 1000, times.back() * 1000), "20: <= 500 ms");
}

struct Measurement {
  const char* name;
  int by_default;
  void (*run)(int count);
};

constexpr Measurement kMeasurements[] = {
    {"heartbeats", 0, MeasureHeartbeats},    {"acknowledge", 1000, MeasureAcknowledge},
    {"refresh", 20, MeasureRefresh},         {"start", 4000, MeasureStart},
    {"restart", 1000, MeasureRestart},       {"connections", 1000, MeasureConnections},
    {"checklist", 10'000, MeasureChecklist},
};

void PrintFigures() {
  const char* separator = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.3f", separator, name.c_str(), value);
    separator = ", ";
  }
  std::printf("}\n");
}

int Run(const std::string& name, int count) {
  bool found = false;
  for (const Measurement& measurement : kMeasurements) {
    if (name != "all" && name != measurement.name) continue;
    found = true;
    measurement.run(count > 0 ? count : measurement.by_default);
  }
  if (found) return 0;
  std::fprintf(stderr,
               "usage: coordinator_bench "
               "[all|heartbeats|acknowledge|refresh|start|restart|connections|checklist] [NODES] "
               "[--json]\n");
  return 2;
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::err);
  std::vector<std::string> args(argv + 1, argv + argc);
  const bool json = std::erase(args, "--json") > 0;
  if (args.size() == 3) return connect_ha::RunServer(args[0], args[1], args[2]);
  const int status = connect_ha::Run(args.empty() ? "all" : args[0],
                                     args.size() > 1 ? std::atoi(args[1].c_str()) : 0);
  if (json) connect_ha::PrintFigures();
  return status;
}
