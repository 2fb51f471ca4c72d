// What golden files cannot show: loops, questions, and what the coordinator was asked.
#include "absl/strings/str_split.h"
#include "coordinator/cli/text/node_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

v1::ListEventsResponse OneEvent(uint64_t id, const std::string& text) {
  v1::ListEventsResponse events;
  events.add_events()->set_id(id);
  events.mutable_events(0)->set_kind(v1::Event::NODE_BACK);
  events.mutable_events(0)->set_text(text);
  return events;
}

TEST(Nodes, SayWhereAgentYamlAllowsNoMore) {
  v1::NodeSnapshot node;
  node.set_reported_state(v1::OBSERVED);
  node.set_assigned_state(v1::OBSERVED);
  EXPECT_EQ(StateText(node), "observed");
  node.set_allow(v1::ALLOW_INSTALL);
  EXPECT_EQ(StateText(node), "observed");
  node.set_allow(v1::ALLOW_OBSERVE);
  EXPECT_EQ(StateText(node), "observed (allows no more)");
}

TEST(Events, FollowGoesOnWithWhatIsNew) {
  World world;
  world.coordinator.events.push_back({});
  world.coordinator.events.push_back(OneEvent(10, "ten"));
  world.waits = 3;
  EXPECT_EQ(world.Run({"events", "--follow", "--output", "json"}), kHolds);
  EXPECT_EQ(CountOf(world.out, "\n"), 4u) << "one object a line";
  EXPECT_THAT(world.out, HasSubstr("\"text\":\"ten\""));
}

TEST(Events, FollowAwaitsACoordinatorThatGoesAway) {
  World world;
  world.waits = 5;
  world.on_wait = [&world, round = 0]() mutable {
    ++round;
    const bool away = round == 2 || round == 3;
    world.coordinator.error = away ? absl::UnavailableError("no answer") : absl::OkStatus();
  };
  EXPECT_EQ(world.Run({"events", "--follow"}), kHolds);
  EXPECT_EQ(world.error, "error: no answer\nthe coordinator answers again\n");
}

TEST(Events, AMistypedNodeIsNotAnEmptyHistory) {
  World world;
  EXPECT_EQ(world.Run({"events", "--node", "nod-1"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("did you mean \"node-1\"?"));
}

TEST(NodeRemove, DoesNothingWithoutAYes) {
  World world;
  world.in_is_terminal = true;
  world.input = "\n";
  EXPECT_EQ(world.Run({"node", "remove", "node-2"}), kFails);
  EXPECT_TRUE(world.coordinator.changes.empty());
  world.input = "yes\n";
  EXPECT_EQ(world.Run({"node", "remove", "node-2"}), kHolds);
  EXPECT_THAT(world.coordinator.changes, ElementsAre("remove node-2"));
}

TEST(NodeRemove, IsForcedWhereThatIsTyped) {
  World world;
  EXPECT_EQ(world.Run({"node", "remove", "node-2", "--yes", "--force"}), kHolds);
  EXPECT_THAT(world.coordinator.changes, ElementsAre("remove by force node-2"));
}

TEST(Why, IsTakenAlongByWhateverIsWrittenDown) {
  World world;
  world.coordinator.created.set_join_command("connect-ha-agent enroll");
  EXPECT_EQ(world.Run({"node", "remove", "node-2", "--yes", "--reason", "broken disk"}), kHolds);
  EXPECT_EQ(world.Run({"node", "remove", "node-3", "--yes", "--why", "its fan"}), kHolds);
  EXPECT_EQ(world.Run({"token", "revoke", "x", "--why=leaked"}), kHolds);
  EXPECT_EQ(world.Run({"token", "create", "--why", "new node"}), kHolds);
  EXPECT_EQ(world.Run({"admin", "remove", "bob", "--yes", "--why", "left"}), kHolds);
  EXPECT_THAT(world.coordinator.changes,
              ElementsAre("remove node-2, why: broken disk", "remove node-3, why: its fan",
                          "revoke x, why: leaked", "create why: \"new node\"",
                          "remove admin bob, why: left"));
}

TEST(AdminRemove, DoesNothingWithoutAYes) {
  World world;
  EXPECT_EQ(world.Run({"admin", "remove", "bob"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("\nfix:   connect-ha admin remove bob --yes"));
  world.in_is_terminal = true;
  world.input = "\n";
  EXPECT_EQ(world.Run({"admin", "remove", "bob"}), kFails);
  EXPECT_TRUE(world.coordinator.changes.empty());
  world.input = "yes\n";
  EXPECT_EQ(world.Run({"admin", "remove", "bob"}), kHolds);
  EXPECT_THAT(world.coordinator.changes, ElementsAre("remove admin bob"));
}

TEST(NodeRemove, NeverRemovesWhatIsMistyped) {
  World world;
  EXPECT_EQ(world.Run({"node", "remove", "node-22", "--yes"}), kUsage);
  EXPECT_TRUE(world.coordinator.changes.empty());
}

TEST(TokenCreate, AsksForWhatWasTyped) {
  World world;
  EXPECT_EQ(world.Run({"token", "create", "--node=web-*", "--ttl", "1h30m", "--uses", "20"}),
            kHolds);
  EXPECT_THAT(world.coordinator.changes,
              ElementsAre("create node_pattern: \"web-*\" ttl { seconds: 5400 } uses: 20"));
}

TEST(TokenCreate, TheCommandCanBePasted) {
  World world;
  world.coordinator.created.set_join_command("connect-ha-agent enroll --token a.b --ca-hash c");
  world.Run({"token", "create"});
  EXPECT_THAT(world.out, HasSubstr("  connect-ha-agent enroll \\\n    --token a.b \\\n"
                                   "    --ca-hash c\n"));
}

TEST(Serve, IsRunAsTyped) {
  World world;
  EXPECT_EQ(world.Run({"serve", "--dir", "/d", "--listen=127.0.0.1:1", "--enrol-listen",
                       "127.0.0.1:2", "--log-level", "debug"}),
            kHolds);
  EXPECT_EQ(world.served.dir, "/d");
  EXPECT_EQ(world.served.listen, "127.0.0.1:1");
  EXPECT_EQ(world.served.enrol_listen, "127.0.0.1:2");
  EXPECT_EQ(world.served.log_level, "debug");
  EXPECT_EQ(world.served.spec, "/etc/connect-ha/cluster.yaml");
}

TEST(Help, OfEveryCommandHasExamples) {
  World world;
  for (const std::string& name : world.CommandNames()) {
    std::vector<std::string> words = absl::StrSplit("help " + name, ' ');
    world.Run(words);
    const size_t examples = world.out.find("\nExamples:\n");
    ASSERT_NE(examples, std::string::npos) << name;
    EXPECT_THAT(world.out.substr(examples), HasSubstr("connect-ha " + name));
  }
}

// Of ten thousand nodes they are some hundred megabytes.
TEST(Show, NoCommandFetchesTheFactsOfEveryNode) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"status"},
                                                                 {"checklist"},
                                                                 {"nodes"},
                                                                 {"facts", "node-1"},
                                                                 {"diff", "node-1", "node-2"},
                                                                 {"proof"},
                                                                 {"plan"},
                                                                 {"rollout", "status"},
                                                                 {"events"}}) {
    World world;
    world.Run(words);
    EXPECT_EQ(world.coordinator.whole_snapshots, 0) << words[0];
  }
}

// Every error of every command says what to type next.
TEST(Errors, EachCarriesAFix) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"status"},
           {"checklist"},
           {"nodes"},
           {"facts", "node-1"},
           {"proof"},
           {"events"},
           {"token", "create"},
           {"token", "list"},
           {"token", "revoke", "x"},
           {"admin", "list"},
           {"admin", "remove", "bob", "--yes"},
           {"audit"},
           {"audit", "--verify"},
           {"diff", "node-1", "node-2"},
           {"preview", "tests/coordinator/cli/cluster.yaml"},
           {"plan"},
           {"node", "drain", "node-1", "--reason", "a"},
           {"node", "start", "node-1", "--reason", "a"},
           {"approve", "8", "--reason", "a"},
           {"rollout", "status"},
           {"rollout", "pause", "--reason", "a"},
           {"rollout", "abort", "--reason", "a"},
           {"history"},
           {"waive", "disk-has-room", "--until", "1h", "--reason", "a"},
           {"node", "remove", "node-1", "--yes"}}) {
    World world;
    world.coordinator.error = absl::UnavailableError("no answer; fix: wait");
    EXPECT_EQ(world.Run(words), kUnknown) << words[0];
    EXPECT_EQ(world.error, "error: no answer\nfix:   wait\n") << words[0];
    EXPECT_EQ(world.out, "") << words[0];
    world.variables.clear();
    EXPECT_EQ(world.Run(words), kUsage) << words[0];
    EXPECT_THAT(world.error, HasSubstr("\nfix:   ")) << words[0];
  }
}

}  // namespace
}  // namespace connect_ha
