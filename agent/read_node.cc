#include "agent/read_node.h"

#include <algorithm>
#include <utility>

#include "agent/assignment/held.h"
#include "agent/probes/connect/configuration.h"
#include "agent/probes/table.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Sorted.
std::vector<std::string> AccountsOf(const v1::Assignment& orders) {
  std::vector<std::string> names;
  for (const auto& [name, account] : orders.desired().spec().accounts()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

bool ReadsPinned(const v1::Assignment& orders) {
  const v1::RuntimesSpec& runtimes = orders.desired().spec().runtimes();
  return runtimes.r_size() + runtimes.python_size() + runtimes.quarto_size() > 0;
}

LoadedConfig Load(Host& host, const v1::AgentConfig& config, const AskOrders& orders) {
  const std::shared_ptr<const v1::Assignment> held = orders();
  LoadedConfig loaded;
  loaded.accounts = AccountsOf(*held);
  loaded.reads_pinned = ReadsPinned(*held);
  absl::StatusOr<ConnectConfig> read = LoadConnectConfig(host, config);
  if (read.ok()) {
    loaded.config = std::make_shared<const ConnectConfig>(*std::move(read));
  } else if (!absl::IsNotFound(read.status())) {
    loaded.status = read.status();
  }
  return loaded;
}

// That the service had Connect read its configuration anew: nothing else tells it.
void KnowReload(Host& host, const std::string& state_dir, ProbeCache& cache) {
  const absl::StatusOr<std::string> bytes = host.ReadFile(state_dir + "/service");
  v1::ServiceMemory memory;
  const bool is_known = bytes.ok() && memory.ParseFromString(*bytes);
  if (is_known && memory.has_reload()) cache.reload.Put(memory.reload());
}

}  // namespace

GathererOptions MakeGathererOptions(Host& host, const v1::AgentConfig& config, AskOrders orders,
                                    const std::string& digest_key) {
  GathererOptions options;
  options.probes = Probes();
  options.load_config = [&host, config, orders = std::move(orders)] {
    return Load(host, config, orders);
  };
  options.agent_config = config;
  options.digest_key = digest_key;
  return options;
}

NodeReading ReadNode(Host& host, const v1::AgentConfig& config, const std::string& state_dir,
                     const std::string& digest_key, bool full) {
  // None where it cannot be read: the checklist says what was not looked for.
  const absl::StatusOr<v1::Assignment> held = ReadHeld(host, state_dir);
  const auto orders = std::make_shared<const v1::Assignment>(held.ok() ? *held : v1::Assignment());
  GathererOptions options = MakeGathererOptions(
      host, config, [orders] { return orders; }, digest_key);
  options.state_dir = state_dir;
  options.verify = full;
  auto cache = std::make_unique<ProbeCache>();
  KnowReload(host, state_dir, *cache);
  auto gatherer = std::make_unique<Gatherer>(std::move(options), host, *cache);
  gatherer->Start(0, steady_clock::now());
  // Each round either ends early or finds out which probes hang, which are not waited for.
  while (!gatherer->WaitForAll(milliseconds(500))) gatherer->Changed(steady_clock::now());
  NodeReading reading;
  reading.facts = gatherer->Collect(steady_clock::now());
  reading.stuck = !gatherer->Idle();
  if (reading.stuck) {
    // Its threads still use both.
    static_cast<void>(gatherer.release());
    static_cast<void>(cache.release());
  }
  return reading;
}

}  // namespace connect_ha
