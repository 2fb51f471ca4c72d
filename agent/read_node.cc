#include "agent/read_node.h"

#include <algorithm>

#include "agent/probes/connect/configuration.h"
#include "agent/probes/table.h"
#include "agent/resources/converge/assignment_file.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Sorted. None where the specification cannot be read: the checklist says what was not looked for.
std::vector<std::string> AccountsOfSpecification(Host& host, const std::string& state_dir) {
  std::vector<std::string> names;
  const absl::StatusOr<v1::Assignment> assignment = LoadAssignment(host, state_dir);
  if (!assignment.ok()) return names;
  for (const auto& [name, account] : assignment->desired().spec().accounts()) {
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

LoadedConfig Load(Host& host, const v1::AgentConfig& config, const std::string& state_dir) {
  std::vector<std::string> accounts = AccountsOfSpecification(host, state_dir);
  absl::StatusOr<ConnectConfig> loaded = LoadConnectConfig(host, config);
  if (loaded.ok()) {
    return {std::make_shared<const ConnectConfig>(*std::move(loaded)), {}, std::move(accounts)};
  }
  if (absl::IsNotFound(loaded.status())) return {nullptr, absl::OkStatus(), std::move(accounts)};
  return {nullptr, loaded.status(), std::move(accounts)};
}

}  // namespace

GathererOptions MakeGathererOptions(Host& host, const v1::AgentConfig& config,
                                    const std::string& state_dir, const std::string& digest_key) {
  GathererOptions options;
  options.probes = Probes();
  options.load_config = [&host, config, state_dir] { return Load(host, config, state_dir); };
  options.agent_config = config;
  options.digest_key = digest_key;
  return options;
}

NodeReading ReadNode(Host& host, const v1::AgentConfig& config, const std::string& state_dir,
                     const std::string& digest_key, bool full) {
  GathererOptions options = MakeGathererOptions(host, config, state_dir, digest_key);
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
