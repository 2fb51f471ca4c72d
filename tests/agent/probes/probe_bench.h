// What a probe needs to run in a test: a machine in memory, a configuration, a cache.
#pragma once

#include <google/protobuf/text_format.h>

#include <memory>
#include <string>
#include <vector>

#include "agent/probes/probe.h"
#include "agent/probes/probe_cache.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {

struct ProbeBench {
  ProbeBench() : host(std::make_unique<FakeHost>()) {}
  explicit ProbeBench(std::unique_ptr<FakeHost> machine) : host(std::move(machine)) {}

  std::unique_ptr<FakeHost> host;
  v1::AgentConfig agent_config;
  std::shared_ptr<const ConnectConfig> config;
  absl::Status config_status;
  std::string digest_key = std::string(32, 'k');
  ProbeCache cache;
  std::vector<std::string> accounts;
  bool reads_pinned = false;

  // "Section.Name" and value, one key a pair.
  void Configure(const std::vector<std::pair<std::string, std::string>>& settings) {
    std::vector<ConnectConfig::Key> keys;
    for (const auto& [path, value] : settings) {
      ConnectConfig::Key key;
      key.section = path.substr(0, path.find('.'));
      key.name = path.substr(path.find('.') + 1);
      key.values = {value};
      keys.push_back(std::move(key));
    }
    config = std::make_shared<const ConnectConfig>(std::move(keys));
  }

  ProbeInput Input() {
    return {*host,       agent_config, config,   config_status, digest_key,
            host->Now(), cache,        accounts, reads_pinned};
  }

  // The probe's facts; an error of the whole probe reads as it would in a report.
  v1::Facts Run(absl::Status (*read)(const ProbeInput&, v1::Facts&), const std::string& path) {
    v1::Facts facts;
    const absl::Status status = read(Input(), facts);
    if (status.ok()) return facts;
    facts.Clear();
    MarkUnobserved(facts, path, std::string(status.message()));
    return facts;
  }
};

inline std::string Text(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

}  // namespace connect_ha
