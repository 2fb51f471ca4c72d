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

TEST(ReadNode, WhatContentIsPinnedToIsReadWhereRuntimesAreEnforced) {
  v1::ClusterSpec spec;
  spec.set_enforcement(v1::ENFORCE);
  EXPECT_FALSE(LoadedBy(spec).reads_pinned);
  spec.mutable_runtimes()->add_python()->set_version("3.11.9");
  EXPECT_TRUE(LoadedBy(spec).reads_pinned);
  spec.set_enforcement(v1::OBSERVE);
  EXPECT_FALSE(LoadedBy(spec).reads_pinned);
}

TEST(ReadNode, TheAccountsOfTheSpecificationAreLookedFor) {
  v1::ClusterSpec spec;
  (*spec.mutable_accounts())["shiny"].set_uid(2001);
  (*spec.mutable_accounts())["analyst"].set_uid(2000);
  EXPECT_EQ(LoadedBy(spec).accounts, (std::vector<std::string>{"analyst", "shiny"}));
}

}  // namespace
}  // namespace connect_ha
