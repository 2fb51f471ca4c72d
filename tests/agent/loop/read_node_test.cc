#include "agent/read_node.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

LoadedConfig LoadedBy(const v1::ClusterSpec& spec) {
  FakeHost host;
  const auto orders = std::make_shared<v1::Assignment>();
  *orders->mutable_desired()->mutable_spec() = spec;
  return MakeGathererOptions(
             host, v1::AgentConfig(), [orders] { return orders; }, std::string(32, 'k'))
      .load_config();
}

TEST(ReadNode, WhatContentIsPinnedToIsReadWhereRuntimesAreNamed) {
  v1::ClusterSpec spec;
  spec.set_enforcement(v1::ENFORCE);
  EXPECT_FALSE(LoadedBy(spec).reads_pinned);
  spec.mutable_runtimes()->add_python()->set_version("3.11.9");
  EXPECT_TRUE(LoadedBy(spec).reads_pinned);
  // It may be enforced next.
  spec.set_enforcement(v1::OBSERVE);
  EXPECT_TRUE(LoadedBy(spec).reads_pinned);
}

TEST(ReadNode, TheAccountsOfTheSpecificationAreLookedFor) {
  v1::ClusterSpec spec;
  (*spec.mutable_accounts())["shiny"].set_uid(2001);
  (*spec.mutable_accounts())["analyst"].set_uid(2000);
  EXPECT_EQ(LoadedBy(spec).accounts, (std::vector<std::string>{"analyst", "shiny"}));
}

TEST(ReadNode, ThatTheServiceHadConnectReadItsConfigurationAnewIsKnown) {
  FakeHost host;
  v1::Unit unit;
  unit.set_name("rstudio-connect.service");
  unit.set_load_state("loaded");
  unit.set_active_state("inactive");
  unit.mutable_started_at()->set_seconds(100);
  host.SetUnit(unit);
  v1::ServiceMemory memory;
  memory.mutable_reload()->mutable_started_at()->set_seconds(100);
  memory.mutable_reload()->mutable_done_at()->set_seconds(200);
  host.SetFile("/state/service", memory.SerializeAsString());
  v1::AgentConfig config;
  config.set_connect_unit(unit.name());
  config.mutable_poll_interval()->set_seconds(30);
  config.mutable_verify_interval()->set_seconds(600);
  const NodeReading reading = ReadNode(host, config, "/state", std::string(32, 'k'), false);
  EXPECT_EQ(reading.facts.connect().unit().reloaded_at().seconds(), 200);
}

}  // namespace
}  // namespace connect_ha
