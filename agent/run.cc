#include "agent/run.h"

#include <malloc.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/held.h"
#include "agent/assignment/told.h"
#include "agent/gate/node_gate.h"
#include "agent/host/linux_host.h"
#include "agent/link/coordinator_client.h"
#include "agent/link/identity.h"
#include "agent/loop/loop.h"
#include "agent/loop/notice_notes.h"
#include "agent/loop/watchdog.h"
#include "agent/probes/table.h"
#include "agent/proof/proofs.h"
#include "agent/read_node.h"
#include "common/log.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Beside the probes' triggers: the identity changed.
constexpr uint32_t kOnIdentity = 1u << 31;
constexpr std::chrono::hours kLongestSleep{1};
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::seconds kProofPatience{1};
constexpr int kLargeBlock = 128 * 1024;
// What was freed between blocks in use goes back too: of a CA file, a verification, a step.
constexpr std::chrono::minutes kTrimEvery{1};

void Notify(const std::string& state) { sd_notify(0, state.c_str()); }

std::chrono::microseconds WatchdogInterval() {
  uint64_t interval_us = 0;
  return std::chrono::microseconds(
      sd_watchdog_enabled(0, &interval_us) > 0 ? static_cast<int64_t>(interval_us) : 0);
}

std::string ValueOf(Host& host, const char* path) {
  const absl::StatusOr<std::string> text = host.ReadFile(path);
  return text.ok() ? std::string(absl::StripAsciiWhitespace(*text)) : "";
}

// A wait that feeds the watchdog; for while there is nothing else to do.
Wakeup IdleWait(Watcher& watcher, std::chrono::microseconds watchdog) {
  Notify("WATCHDOG=1");
  const auto longest = std::chrono::duration_cast<milliseconds>(watchdog / 2);
  return watcher.Wait(longest.count() > 0 ? longest : milliseconds(kLongestSleep));
}

// NotFound: told to stop before the node was enrolled.
absl::StatusOr<NodeIdentity> WaitForIdentity(const std::string& state_dir,
                                             const std::vector<Fd>& sockets) {
  WatcherOptions options;
  options.paths = {{state_dir, "", kOnIdentity}};
  options.with_bus = false;
  Watcher watcher(std::move(options));
  if (const absl::Status status = watcher.Open(); !status.ok()) return status;
  bool told = false;
  std::unique_ptr<GateServer> server;
  while (true) {
    absl::StatusOr<NodeIdentity> identity = LoadNodeIdentity(state_dir);
    if (identity.ok() || !absl::IsNotFound(identity.status())) return identity;
    if (!told) {
      server = std::make_unique<GateServer>(sockets, ClosedToAll());
      Notify(absl::StrCat("READY=1\nSTATUS=waiting: ", identity.status().message()));
      spdlog::info("event=waiting reason={}", LogValue(std::string(identity.status().message())));
    }
    told = true;
    if (IdleWait(watcher, WatchdogInterval()).stop) return identity.status();
  }
}

// When directories or mounts come or go, the watcher tells everything that could have changed.
// What was read with another digest key is of no use any more.
bool EnrolledAnew(const std::string& state_dir, const std::string& token_id,
                  const std::string& digest_key_id) {
  const absl::StatusOr<NodeIdentity> identity = LoadNodeIdentity(state_dir);
  if (!identity.ok()) return absl::IsNotFound(identity.status());
  return identity->token_id != token_id || DigestKeyId(identity->digest_key) != digest_key_id;
}

// `proved`: triggers that the prover set.
void Serve(Watcher& watcher, Loop& loop, LoopWatchdog& watchdog, std::atomic<uint32_t>& proved,
           const std::function<bool()>& enrolled_anew) {
  uint32_t triggers = 0;
  auto next_trim = steady_clock::now() + kTrimEvery;
  while (true) {
    watchdog.Progress();
    loop.Act(triggers, steady_clock::now());
    const auto now = steady_clock::now();
    if (now >= next_trim) {
      malloc_trim(0);
      next_trim = now + kTrimEvery;
    }
    const auto sleep = std::min<steady_clock::duration>(loop.NextDue(now) - now, kLongestSleep);
    const Wakeup wakeup = watcher.Wait(std::chrono::ceil<milliseconds>(sleep));
    if (wakeup.stop) {
      spdlog::info("event=stopping reason=signal");
      return;
    }
    if ((wakeup.triggers & kOnIdentity) != 0 && enrolled_anew()) {
      spdlog::info("event=stopping reason=enrolled-anew");
      return;
    }
    triggers = wakeup.triggers | proved.exchange(0);
  }
}

ConvergeOptions ConvergenceOptions(const std::string& state_dir, const v1::AgentConfig& config,
                                   const NodeIdentity& identity) {
  const char* cache = std::getenv("CACHE_DIRECTORY");
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  ConvergeOptions options;
  options.node = identity.certificate.identity.name;
  options.agent_config = config;
  options.state_dir = state_dir;
  options.cache_dir = cache != nullptr ? cache : "/var/cache/connect-ha-agent";
  options.credentials_dir = credentials != nullptr ? credentials : "";
  options.digest_key = identity.digest_key;
  return options;
}

// "": none.
std::string RuntimeDirectory() {
  const char* const runtime = std::getenv("RUNTIME_DIRECTORY");
  return runtime != nullptr ? runtime : "";
}

HeldOptions MakeHeldOptions(const std::string& state_dir, const v1::AgentConfig& config,
                            const NodeIdentity& identity, const std::string& machine_id) {
  HeldOptions options;
  options.owner = OwnerOf(identity, machine_id);
  options.allow = config.allow();
  options.state_dir = state_dir;
  options.runtime_dir = RuntimeDirectory();
  return options;
}

GateOptions MakeGateOptions(const v1::AgentConfig& config, const NodeIdentity& identity,
                            const Held& held, Converger& converger, Gatherer& gatherer,
                            Watcher& watcher) {
  GateOptions options;
  options.node = identity.certificate.identity.name;
  options.agent_config = config;
  options.orders = [&held] { return held.Orders(); };
  options.memory = [&converger] { return converger.Memory(); };
  options.facts = [&gatherer] { return gatherer.Collect(steady_clock::now()); };
  options.on_news = [&watcher] { watcher.Wake(); };
  options.note_closed = [&converger](const std::string& rule) { converger.NoteClosed(rule); };
  return options;
}

absl::Status Report(const std::string& state_dir, const v1::AgentConfig& config,
                    NodeIdentity identity, const std::vector<Fd>& sockets) {
  LoopWatchdogOptions feeding;
  feeding.interval = WatchdogInterval();
  feeding.feed = [] { Notify("WATCHDOG=1"); };
  LoopWatchdog watchdog(std::move(feeding));
  LinuxHost host;
  WatcherOptions events = NodeEvents(config);
  events.paths.push_back({state_dir, "enrolment", kOnIdentity});
  events.is_on_network = [&host](const std::string& path) { return host.IsOnNetwork(path); };
  Watcher watcher(std::move(events));
  if (absl::Status status = watcher.Open(); !status.ok()) return status;

  const std::string machine_id = ValueOf(host, "/etc/machine-id");
  if (machine_id.empty()) {
    // Without it, its own orders would look like another machine's, and be set aside.
    return absl::FailedPreconditionError(
        "/etc/machine-id cannot be read, or is empty\nfix: systemd-machine-id-setup, then "
        "systemctl "
        "restart connect-ha-agent");
  }
  // Before everything that goes by it, or finds beside it what is of another cluster.
  Held held(MakeHeldOptions(state_dir, config, identity, machine_id), host);
  if (const absl::Status status = held.Load(); !status.ok()) {
    spdlog::error("event=assignment-not-read error={}", LogValue(std::string(status.message())));
  }

  ProbeCache cache;
  const std::string boot_id = ValueOf(host, "/proc/sys/kernel/random/boot_id");
  NoticeNotes notices(host, state_dir, boot_id, cache);
  std::atomic<uint32_t> proved{0};
  Prover prover(MakeProofs({host, cache, config}, state_dir, [&held] { return held.Orders(); }),
                [&proved, &watcher] {
                  proved |= kOnProof;
                  watcher.Wake();
                });
  GathererOptions gathering = MakeGathererOptions(
      host, config, [&held] { return held.Orders(); }, identity.digest_key);
  gathering.load_config = [&prover, load = std::move(gathering.load_config)] {
    LoadedConfig loaded = load();
    prover.SetConfig(loaded.config);
    return loaded;
  };
  gathering.state_dir = state_dir;
  NodeGate gate(config.connect_unit());
  gathering.on_done = [&watcher, &gate] {
    watcher.Wake();
    gate.Wake();
  };
  Gatherer gatherer(std::move(gathering), host, cache);

  ConvergeOptions converging = ConvergenceOptions(state_dir, config, identity);
  converging.facts = [&gatherer] { return gatherer.Collect(steady_clock::now()); };
  Converger converger(std::move(converging), host, cache, held, [&watcher] { watcher.Wake(); });
  if (const absl::Status status = converger.Start(); !status.ok()) {
    spdlog::error("event=journal-not-read error={}", LogValue(std::string(status.message())));
  }

  gate.Open(
      MakeGateOptions(config, identity, held, converger, gatherer, watcher), host,
      [&gatherer](uint32_t triggers) { gatherer.Start(triggers, steady_clock::now()); }, sockets);

  LoopOptions options;
  options.node = identity.certificate.identity.name;
  options.machine_id = machine_id;
  options.boot_id = boot_id;
  options.agent_version = CONNECT_HA_VERSION;
  options.notify = Notify;
  ProofOrder order;
  order.cluster = identity.certificate.identity.cluster;
  order.node = options.node;
  order.machine_id = machine_id;
  order.boot_id = options.boot_id;
  const auto prove = OrderProofs(held, prover, config.allow(), std::move(order));
  prove(nullptr);  // what is held is proved with no coordinator in reach, too
  ToldNotes told(host, state_dir, RuntimeDirectory());
  options.called = [&told, &gate, prove](const v1::HeartbeatResponse* answer) {
    told.Called(answer);
    prove(answer);
    gate.Wake();
  };
  options.gathered = [&gate, &notices] {
    gate.Wake();
    notices.Keep();
  };
  options.gate = [&gate] { return gate.News(); };
  spdlog::info("event=started node={} cluster={} coordinator={} version={}", options.node,
               identity.certificate.identity.cluster, identity.coordinators.front(),
               CONNECT_HA_VERSION);
  const std::string token_id = identity.token_id;
  const std::string digest_key_id = DigestKeyId(identity.digest_key);
  options.digest_key_id = digest_key_id;
  CoordinatorClientOptions link;
  link.state_dir = state_dir;
  link.identity = std::move(identity);
  link.now = [&host] { return host.Now(); };
  auto client = std::make_unique<CoordinatorClient>(std::move(link));
  Loop loop(std::move(options), gatherer, converger, held, *client, host);
  client->OnNudge([&loop, &watcher] {
    loop.Nudge();
    watcher.Wake();
  });
  Notify("READY=1\nSTATUS=reading this node");
  Serve(watcher, loop, watchdog, proved,
        [&] { return EnrolledAnew(state_dir, token_id, digest_key_id); });
  Notify("STOPPING=1\nSTATUS=stopping");
  client.reset();  // before the loop that its nudges go to
  const bool proofs_ended = prover.Stop(kProofPatience);
  const bool steps_ended = converger.Stop(kPatience);
  gate.Close();  // it has answered so far; who connects from now on waits for the next process
  // A probe or a proof that hangs would be waited for, and a step that cannot be interrupted: there
  // is nothing that they could still lose.
  if (!steps_ended || !proofs_ended || !gatherer.Idle()) std::_Exit(EXIT_SUCCESS);
  return absl::OkStatus();
}

}  // namespace

Owner OwnerOf(const NodeIdentity& identity, const std::string& machine_id) {
  Owner owner;
  owner.cluster = identity.certificate.identity.cluster;
  owner.machine_id = machine_id;
  owner.enrolment = identity.token_id;
  owner.enrolled_machine_id = identity.machine_id;
  return owner;
}

WatcherOptions NodeEvents(const v1::AgentConfig& config) {
  const std::string& file = config.connect_config();
  const size_t slash = file.rfind('/');
  WatcherOptions events;
  events.paths = {
      {file.substr(0, slash), file.substr(slash + 1), kOnConfiguration},
      {"/var/lib/dpkg", "status", kOnPackages},
      {"/etc", "passwd", kOnAccounts},
      {"/etc", "group", kOnAccounts},
      {"/etc", "hostname", kOnHost},
      {"/etc", "os-release", kOnHost},
      {"/usr/lib", "os-release", kOnHost},
      {"/opt/R", "", kOnRuntimes},
      {"/opt/python", "", kOnRuntimes},
      {"/opt/quarto", "", kOnRuntimes},
      {"/var/lib/rstudio-connect", "*.lic", kOnLicense},
  };
  events.mount_triggers = kOnMounts;
  events.units = {config.connect_unit()};
  events.unit_triggers = kOnUnits | kOnConfiguration;
  return events;
}

absl::Status RunAgent(const std::string& state_dir, const v1::AgentConfig& config) {
  // Few threads with little to do: arenas of their own would only hold memory. Given a value, the
  // limits stay there: what is large and read once, such as dpkg's database, goes back when freed.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  mallopt(M_TRIM_THRESHOLD, kLargeBlock);
  BlockStopSignals();
  const std::vector<Fd> sockets = TakeListeningSockets();
  absl::StatusOr<NodeIdentity> identity = WaitForIdentity(state_dir, sockets);
  if (absl::IsNotFound(identity.status())) return absl::OkStatus();
  if (!identity.ok()) return identity.status();
  return Report(state_dir, config, *std::move(identity), sockets);
}

}  // namespace connect_ha
