#include "agent/read_node.h"

#include "agent/probes/configuration.h"
#include "agent/probes/table.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

LoadedConfig Load(Host& host, const v1::AgentConfig& config) {
  absl::StatusOr<ConnectConfig> loaded = LoadConnectConfig(host, config);
  if (loaded.ok()) return {std::make_shared<const ConnectConfig>(*std::move(loaded)), {}};
  if (absl::IsNotFound(loaded.status())) return {nullptr, absl::OkStatus()};
  return {nullptr, loaded.status()};
}

}  // namespace

GathererOptions MakeGathererOptions(Host& host, const v1::AgentConfig& config,
                                    const std::string& digest_key) {
  GathererOptions options;
  options.probes = Probes();
  options.load_config = [&host, config] { return Load(host, config); };
  options.agent_config = config;
  options.digest_key = digest_key;
  return options;
}

NodeReading ReadNode(Host& host, const v1::AgentConfig& config, const std::string& digest_key,
                     bool full) {
  GathererOptions options = MakeGathererOptions(host, config, digest_key);
  options.verify = full;
  auto cache = std::make_unique<ProbeCache>();
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
