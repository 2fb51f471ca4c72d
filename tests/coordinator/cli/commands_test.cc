// What golden files cannot show: loops, questions, and what the coordinator was asked.
#include "absl/strings/str_split.h"
#include "common/command/checklist_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(Checklist, FailureBeatsUnknown) {
  World world;
  EXPECT_EQ(world.Run({"checklist"}), kFails);
  for (v1::Finding& finding : *world.coordinator.checklist.mutable_findings()) {
    if (finding.outcome() == v1::FAIL) finding.set_outcome(v1::PASS);
  }
  EXPECT_EQ(world.Run({"checklist"}), kUnknown);
  world.coordinator.checklist.mutable_findings(1)->set_outcome(v1::NOT_APPLICABLE);
  EXPECT_EQ(world.Run({"checklist"}), kHolds);
}

TEST(Checklist, OptionsMayStandAnywhere) {
  World world;
  EXPECT_EQ(world.Run({"--output=json", "checklist", "--rule", "disk-has-room", "--strict"}),
            kFails);
  EXPECT_THAT(world.out, HasSubstr("\"rule\": \"disk-has-room\""));
  EXPECT_THAT(world.out, Not(HasSubstr("storage-options")));
}

TEST(Checklist, NothingANodeReportsReachesTheTerminalAsAnInstruction) {
  World world;
  world.coordinator.checklist.mutable_findings(0)->set_summary(
      "\x1b]0;owned\x07\xc2\x9b"
      "31m");
  world.coordinator.checklist.mutable_findings(0)->set_fix("\x1b[2J");
  world.coordinator.snapshot.mutable_nodes(0)->set_name("node-1\x1b[2J");
  for (const char* command : {"checklist", "status", "nodes", "events"}) {
    world.Run({command});
    EXPECT_THAT(world.out + world.error, Not(HasSubstr("\x1b"))) << command;
    EXPECT_THAT(world.out + world.error, Not(HasSubstr("\xc2\x9b"))) << command;
  }
}

// An unknown of one node is no reason to type what mends the failure of another.
TEST(Checklist, OfANodeShowsNoOthersFix) {
  World world;
  EXPECT_EQ(world.Run({"checklist", "--node", "node-3", "--rule", "connect-version-matches"}),
            kUnknown);
  EXPECT_THAT(world.out, HasSubstr("\nnode-3: not heard for 4m 10s\n"));
  EXPECT_THAT(world.out, HasSubstr("fix: connect-ha facts node-3 "));
  EXPECT_THAT(world.out, Not(HasSubstr("node-2")));
}

TEST(Checklist, OfANodeCountsWhatNoSingleNodeSaid) {
  World world;
  v1::Finding& finding = *world.coordinator.checklist.mutable_findings(2);
  v1::Evidence& evidence = *finding.add_evidence();
  evidence.set_outcome(v1::PASS);
  evidence.set_text("and 200 more");
  EXPECT_EQ(world.Run({"checklist", "--node", "node-1", "--rule", finding.rule()}), kHolds);
  EXPECT_THAT(world.out, Not(HasSubstr("200"))) << "nodes that pass, none of them this one";
  evidence.set_outcome(v1::FAIL);
  evidence.set_text("no room is left");
  EXPECT_EQ(world.Run({"checklist", "--node", "node-1", "--rule", finding.rule()}), kFails);
  EXPECT_THAT(world.out, HasSubstr("\nno room is left\n"));
}

TEST(Checklist, AnEmptyOneIsUnknown) {
  World world;
  world.coordinator.checklist.clear_findings();
  EXPECT_EQ(world.Run({"checklist"}), kUnknown);
  EXPECT_THAT(world.error, HasSubstr("judged nothing yet"));
  EXPECT_EQ(world.Run({"checklist", "--rule", "storage-options", "--node", "node-1"}), kUsage);
  EXPECT_THAT(world.error, HasSubstr("no such rule"));
}

TEST(Checklist, SaysWhatItDoesNotShowOfHundreds) {
  World world;
  v1::Finding& finding = *world.coordinator.checklist.mutable_findings(0);
  finding.clear_evidence();
  for (int i = 0; i < 300; ++i) {
    v1::Evidence& evidence = *finding.add_evidence();
    evidence.set_node("node-" + std::to_string(i));
    evidence.set_outcome(v1::FAIL);
    evidence.set_text("is old");
  }
  world.Run({"checklist"});
  EXPECT_EQ(CountOf(world.out, ": is old\n"), kMostEvidence);
  EXPECT_THAT(world.out, HasSubstr("and 294 more: connect-ha checklist --rule " + finding.rule()));
  world.Run({"checklist", "--rule", finding.rule()});
  EXPECT_EQ(CountOf(world.out, ": is old\n"), kMostEvidenceInFull);
  EXPECT_THAT(world.out, HasSubstr("and 200 more: connect-ha checklist --rule " + finding.rule() +
                                   " --output json"));
  world.Run({"checklist", "--rule", finding.rule(), "--output", "json"});
  EXPECT_EQ(CountOf(world.out, "\"is old\""), 300u);
}

TEST(Refresh, GivesUpAfterThirtySecondsAndNamesTheNode) {
  World world;
  world.coordinator.refresh[0].add_done("node-1");
  world.coordinator.refresh[0].add_pending("node-2");
  world.waits = 1000;
  const Time before = world.now;
  EXPECT_EQ(world.Run({"nodes", "--refresh"}), kUnknown);
  EXPECT_EQ(world.error,
            "gathering: 1 of 2 nodes answered\n"
            "warning: no answer within 30 s, older facts are shown: node-2\n");
  EXPECT_GE(world.now - before, std::chrono::seconds(30));
  EXPECT_LT(world.now - before, std::chrono::seconds(31));
}

TEST(Refresh, ANodeThatDidNotAnswerIsUnknownEvenWhereAllPasses) {
  World world;
  for (v1::Finding& finding : *world.coordinator.checklist.mutable_findings()) {
    finding.set_outcome(v1::PASS);
  }
  world.coordinator.refresh[0].add_unreachable("node-3");
  EXPECT_EQ(world.Run({"checklist", "--refresh"}), kUnknown);
}

TEST(Watch, WritesOnlyWhatChangesWhereThereIsNoTerminal) {
  World world;
  world.waits = 5;
  world.on_wait = [&world, round = 0]() mutable {
    world.coordinator.checklist.mutable_evaluated_at()->set_seconds(1722513600 + ++round);
    if (round == 3) world.coordinator.checklist.mutable_findings(5)->set_outcome(v1::PASS);
  };
  EXPECT_EQ(world.Run({"checklist", "--watch"}), kFails);
  EXPECT_EQ(CountOf(world.out, "cluster analytics"), 2u) << world.out;
}

TEST(Watch, RedrawsATerminal) {
  World world;
  world.waits = 2;
  world.interactive = true;
  world.Run({"status", "--watch"});
  EXPECT_EQ(CountOf(world.out, "\x1b[H\x1b[2J"), 3u);
}

TEST(Watch, OutlivesTheCoordinator) {
  World world;
  world.waits = 4;
  world.on_wait = [&world, round = 0]() mutable {
    world.coordinator.error =
        ++round < 3 ? absl::UnavailableError("no answer; fix: wait") : absl::OkStatus();
  };
  EXPECT_EQ(world.Run({"nodes", "--watch"}), kUnknown);
  EXPECT_EQ(CountOf(world.out, "error: no answer\nfix:   wait\n"), 1u) << world.out;
  EXPECT_EQ(CountOf(world.out, "3 nodes, 2 live"), 2u) << world.out;
}

TEST(Watch, EndsWhereWhatIsAskedForIsMistyped) {
  World world;
  world.waits = 5;
  world.interactive = true;
  EXPECT_EQ(world.Run({"checklist", "--watch", "--node", "nod-1"}), kUsage);
  EXPECT_EQ(world.waits, 5);
  EXPECT_EQ(world.out, "");
  EXPECT_EQ(CountOf(world.error, "did you mean \"node-1\"?"), 1u);
}

// Somebody removes it; it may be back.
TEST(Watch, GoesOnWhereANodeGoesAway) {
  World world;
  world.waits = 5;
  world.on_wait = [&world] { world.coordinator.snapshot.clear_nodes(); };
  EXPECT_EQ(world.Run({"checklist", "--watch", "--node", "node-1"}), kUsage);
  EXPECT_EQ(world.waits, -1);
  EXPECT_THAT(world.out, HasSubstr("no node \"node-1\""));
}

v1::ListEventsResponse OneEvent(uint64_t id, const std::string& text) {
  v1::ListEventsResponse events;
  events.add_events()->set_id(id);
  events.mutable_events(0)->set_kind(v1::Event::NODE_BACK);
  events.mutable_events(0)->set_text(text);
  return events;
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
  EXPECT_EQ(world.Run({"serve", "--dir", "/d", "--listen=127.0.0.1:1", "--log-level", "debug"}),
            kHolds);
  EXPECT_EQ(world.served.dir, "/d");
  EXPECT_EQ(world.served.listen, "127.0.0.1:1");
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

// Every error of every command says what to type next.
TEST(Errors, EachCarriesAFix) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"checklist"},
                                             {"nodes"},
                                             {"facts", "node-1"},
                                             {"events"},
                                             {"token", "create"},
                                             {"token", "list"},
                                             {"token", "revoke", "x"},
                                             {"diff", "node-1", "node-2"},
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
