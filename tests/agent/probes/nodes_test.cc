// Whole captured nodes, tests/nodes/NAME: every probe of the table over the node (but those
// that ask a real database or the kernel and have tests of their own), against
// tests/nodes/NAME/facts.textproto. After a wanted change: CONNECT_HA_REWRITE=1 nodes_test, and
// read the diff.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "agent/probes/connect/configuration.h"
#include "agent/probes/table.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

std::string ReadText(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool IsReal(const Probe& probe) {
  const std::string name = probe.name;
  return name.find("database") != std::string::npos || name == "listeners";
}

// Spans on the real clock.
void ClearSpans(v1::Facts& facts) {
  if (facts.connect().has_ping()) facts.mutable_connect()->mutable_ping()->clear_latency_us();
  for (v1::Runtime& runtime : *facts.mutable_runtimes()->mutable_runtimes()) {
    if (runtime.has_smoke()) runtime.mutable_smoke()->clear_duration_us();
  }
  for (int i = 0; i < facts.storage().answers_size(); ++i) {
    facts.mutable_storage()->mutable_answers(i)->clear_latency_us();
  }
}

v1::Facts ReadNode(ProbeBench& bench) {
  absl::StatusOr<ConnectConfig> config = LoadConnectConfig(*bench.host, bench.agent_config);
  if (config.ok()) bench.config = std::make_shared<const ConnectConfig>(*std::move(config));
  if (!config.ok() && !absl::IsNotFound(config.status())) bench.config_status = config.status();
  v1::Facts all;
  for (const Probe& probe : Probes()) {
    if (!IsReal(probe)) all.MergeFrom(bench.Run(probe.read, probe.path));
  }
  ClearSpans(all);
  return all;
}

class NodesTest : public testing::TestWithParam<const char*> {};

TEST_P(NodesTest, ReportsTheseFacts) {
  const std::string folder = std::string("tests/nodes/") + GetParam();
  const std::string file = std::string(CONNECT_HA_SOURCE_DIR "/") + folder + "/facts.textproto";
  ProbeBench bench(FakeHost::FromDirectory(folder));

  const std::string facts = Text(ReadNode(bench));

  if (std::getenv("CONNECT_HA_REWRITE") != nullptr) std::ofstream(file) << facts;
  EXPECT_EQ(facts, ReadText(file));
}

INSTANTIATE_TEST_SUITE_P(Nodes, NodesTest, testing::Values("healthy", "bare", "broken", "tended"),
                         [](const auto& info) { return std::string(info.param); });

TEST(SteadyPass, ForksNothingAndAsksTheMetadataServiceForNoticesAlone) {
  ProbeBench bench(FakeHost::FromDirectory("tests/nodes/healthy"));
  ReadNode(bench);
  const size_t commands = bench.host->commands_run().size();
  const size_t requests = bench.host->http_requests().size();

  for (const Probe& probe : Probes()) {
    if (probe.pace != Pace::kVerify && !IsReal(probe)) bench.Run(probe.read, probe.path);
  }

  EXPECT_EQ(bench.host->commands_run().size(), commands);
  // Connect's ping, and what EC2 is about to do: a token, and four items.
  EXPECT_EQ(bench.host->http_requests().size(), requests + 6);
}

TEST(Table, AVerifyingProbeStandsBeforeTheOneThatReportsIt) {
  std::string seen;
  for (const Probe& probe : Probes()) {
    const std::string path = probe.path;
    const std::string noun = path.substr(0, path.find('.'));
    if (probe.pace == Pace::kVerify) {
      EXPECT_EQ(seen.find("<" + noun + ">"), std::string::npos) << probe.name;
    } else {
      seen += "<" + noun + ">";
    }
  }
}

}  // namespace
}  // namespace connect_ha
