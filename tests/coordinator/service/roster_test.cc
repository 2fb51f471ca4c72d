#include "coordinator/cluster/roster.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::HeartbeatRequest Beat(const std::string& node, const std::string& digest = "d1",
                          bool with_facts = true) {
  v1::HeartbeatRequest request;
  request.set_node(node);
  request.set_machine_id("machine-" + node);
  request.set_boot_id("boot-1");
  request.set_agent_version("1.2.3");
  request.set_facts_digest(digest);
  if (with_facts) request.mutable_facts()->mutable_host()->set_hostname("host-" + digest);
  return request;
}

v1::HeartbeatRequest BareBeat(const std::string& node, const std::string& digest = "d1") {
  return Beat(node, digest, /*with_facts=*/false);
}

class RosterTest : public RosterFixture {
 protected:
  v1::Outcome OutcomeOf(const std::string& rule) {
    const auto latest = evaluator_->Latest();
    for (const v1::Finding& finding : latest->findings()) {
      if (finding.rule() == rule) return finding.outcome();
    }
    return v1::OUTCOME_UNSPECIFIED;
  }
};

TEST_F(RosterTest, EnrolledNodeThatWasNeverHeardHasNoLastSeen) {
  Enrol("a");
  const v1::NodeSnapshot node = Node("a", kNoon);
  EXPECT_FALSE(node.has_last_seen());
  EXPECT_FALSE(node.has_facts());
}

TEST_F(RosterTest, ChangedFactsAreStoredAndRefreshedOnesAreNot) {
  Enrol("a");
  Hear(Beat("a", "d1"), kNoon);
  v1::HeartbeatRequest refreshed = Beat("a", "d1");
  refreshed.mutable_facts()->mutable_host()->set_hostname("volatile");
  Hear(refreshed, kNoon + seconds(5));
  EXPECT_EQ(Node("a", kNoon + seconds(5)).facts().host().hostname(), "volatile");
  EXPECT_EQ(FactsOf(Reports().front()).host().hostname(), "host-d1");
}

TEST_F(RosterTest, FactsThatCannotBeStoredAreNotAcknowledged) {
  Enrol("a");
  {
    const BusyStore busy(dir_);
    const auto refused = roster_->Heartbeat(Beat("a"), "10.0.0.1", kNoon);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kUnavailable);
  }
  EXPECT_FALSE(Node("a", kNoon).has_facts());
  EXPECT_TRUE(Node("a", kNoon).has_last_seen());  // it was heard
  EXPECT_FALSE(Hear(Beat("a"), kNoon).send_facts());
}

TEST_F(RosterTest, NodeThatKeepsItsChangedFactsToItselfIsUnobserved) {
  Enrol("a");
  Hear(Beat("a", "d1"), kNoon);
  const auto asked = Hear(BareBeat("a", "d2"), kNoon + seconds(5));
  const auto soon = Node("a", kNoon + seconds(6));
  Hear(BareBeat("a", "d2"), kNoon + seconds(20));
  const auto later = Node("a", kNoon + seconds(20));
  EXPECT_TRUE(asked.send_facts());
  EXPECT_EQ(soon.facts().host().hostname(), "host-d1");
  EXPECT_EQ(later.facts().unobserved(0).reason(),
            "the node has had other facts for 15s and has not sent them");
}

TEST_F(RosterTest, SilentNodeIsLostOnceAndComesBackOnce) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  roster_->Tick(kNoon + seconds(30));
  roster_->Tick(kNoon + seconds(31));
  roster_->Tick(kNoon + seconds(60));
  Hear(BareBeat("a"), kNoon + seconds(90));
  Hear(BareBeat("a"), kNoon + seconds(95));
  EXPECT_EQ(Events(), (std::vector<std::string>{"NODE_LOST a: not heard for 31s",
                                                "NODE_BACK a: back after 1m 30s"}));
}

TEST_F(RosterTest, NodeLostBeforeARestartIsNotLostTwice) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  roster_->Tick(kNoon + seconds(31));
  Start(kNoon + seconds(100));
  roster_->Tick(kNoon + seconds(200));
  EXPECT_TRUE(roster_->Settled(kNoon + seconds(100)));
  EXPECT_EQ(Events().size(), 1u);
  Hear(BareBeat("a"), kNoon + seconds(201));
  EXPECT_EQ(Events().size(), 2u);
}

TEST_F(RosterTest, ARestartDoesNotMakeAQuietNodeOld) {
  Enrol("lost");
  Enrol("live");
  Hear(Beat("lost"), kNoon);
  Hear(Beat("live"), kNoon);
  Hear(BareBeat("lost"), kNoon + seconds(3600));
  roster_->Tick(kNoon + seconds(3631));
  Hear(BareBeat("live"), kNoon + seconds(7200));
  evaluator_->Tick(kNoon + seconds(7201));
  evaluator_->Save(kNoon + seconds(7201));
  Start(kNoon + seconds(7300));

  EXPECT_EQ(FromProto(Node("lost", kNoon + seconds(7300)).last_seen()), kNoon + seconds(3601));
  EXPECT_EQ(FromProto(Node("live", kNoon + seconds(7300)).last_seen()), kNoon + seconds(7171));
}

TEST_F(RosterTest, NodeThatDidNotComeBackAfterARestartIsLostAfterItsTime) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  Start(kNoon + seconds(1000));
  roster_->Tick(kNoon + seconds(1030));
  EXPECT_TRUE(Events().empty());
  roster_->Tick(kNoon + seconds(1031));
  EXPECT_EQ(Events(), (std::vector<std::string>{"NODE_LOST a: not heard for 31s"}));
}

TEST_F(RosterTest, NodeThatDiesAsTheClockIsSetBackIsLostAfterItsTime) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  const Time back = kNoon - seconds(3 * 3600);
  roster_->Tick(back);
  roster_->Tick(back + seconds(30));
  EXPECT_TRUE(Events().empty());
  EXPECT_FALSE(roster_->CheckGone("a", back + seconds(30)).ok());
  roster_->Tick(back + seconds(31));
  EXPECT_EQ(Events(), (std::vector<std::string>{"NODE_LOST a: not heard for 31s"}));
  EXPECT_TRUE(roster_->CheckGone("a", back + seconds(31)).ok());
}

TEST_F(RosterTest, NodeThatDidNotComeBackIsLostThoughTheClockIsBehindTheStore) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  const Time back = kNoon - seconds(3 * 3600);
  Start(kNoon + seconds(1000));  // and is set right after the start
  roster_->Tick(back);
  roster_->Tick(back + seconds(30));
  EXPECT_TRUE(Events().empty());
  EXPECT_FALSE(roster_->Settled(back + seconds(29)));
  roster_->Tick(back + seconds(31));
  EXPECT_EQ(Events(), (std::vector<std::string>{"NODE_LOST a: not heard for 31s"}));
  EXPECT_TRUE(roster_->Settled(back + seconds(31)));
}

TEST_F(RosterTest, LostNodesFactsCountNoMoreAfterTheClockIsSetBack) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  roster_->Tick(kNoon + seconds(31));
  const Time back = kNoon - seconds(3 * 3600);
  roster_->Tick(back);
  v1::PlanInput input;
  roster_->LookForPlan(back, &input);
  ASSERT_EQ(input.nodes_size(), 1);
  EXPECT_FALSE(input.nodes(0).fresh());
  EXPECT_TRUE(input.nodes(0).brief().lost());
}

TEST_F(RosterTest, ChecklistIsJudgedAnewThoughTheClockWasSetBack) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon + seconds(60));
  const Time back = kNoon - seconds(3 * 3600);
  evaluator_->Tick(back);
  EXPECT_EQ(FromProto(evaluator_->Latest()->evaluated_at()), back);
}

TEST_F(RosterTest, AfterARestartTheSameDigestMakesTheFactsCurrent) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  Start(kNoon + seconds(1000));
  EXPECT_EQ(FromProto(Node("a", kNoon + seconds(1000)).last_seen()), kNoon);
  EXPECT_FALSE(Hear(BareBeat("a"), kNoon + seconds(1001)).send_facts());
  EXPECT_EQ(FromProto(Node("a", kNoon + seconds(1001)).last_seen()), kNoon + seconds(1001));
}

TEST_F(RosterTest, InConflictNeitherMachinesFactsWin) {
  Enrol("a");
  v1::HeartbeatRequest clone = Beat("a", "clone");
  clone.set_boot_id("boot-2");
  Hear(Beat("a"), kNoon);
  Hear(clone, kNoon + seconds(1));
  Hear(Beat("a"), kNoon + seconds(5));
  const auto told = Hear(clone, kNoon + seconds(6));
  const v1::NodeSnapshot node = Node("a", kNoon + seconds(6));
  EXPECT_NE(told.conflict(), "");
  EXPECT_FALSE(told.send_facts());
  EXPECT_EQ(node.claimants_size(), 2);
  EXPECT_FALSE(node.facts().has_host());
  EXPECT_EQ(node.facts().unobserved(0).path(), "");
}

TEST_F(RosterTest, WhenAConflictEndsTheSurvivorIsAskedForItsFacts) {
  Enrol("a");
  v1::HeartbeatRequest clone = Beat("a", "clone");
  clone.set_boot_id("boot-2");
  Hear(Beat("a"), kNoon);
  Hear(clone, kNoon + seconds(1));
  Hear(Beat("a"), kNoon + seconds(5));
  for (int i = 10; i <= 40; i += 5) Hear(BareBeat("a"), kNoon + seconds(i));
  roster_->Tick(kNoon + seconds(41));
  const auto survivor = Hear(BareBeat("a"), kNoon + seconds(41));
  EXPECT_EQ(survivor.conflict(), "");
  EXPECT_TRUE(survivor.send_facts());
  Hear(Beat("a"), kNoon + seconds(42));
  EXPECT_EQ(Node("a", kNoon + seconds(42)).facts().host().hostname(), "host-d1");
  EXPECT_EQ(Events().size(), 2u);
}

TEST_F(RosterTest, RemovedNodeIsForgottenAndItsReportDoesNotComeBack) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  Remove("a", kNoon);
  EXPECT_EQ(roster_->Heartbeat(Beat("a"), "10.0.0.1", kNoon).status().code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).nodes_size(), 0);
  EXPECT_TRUE(Reports().empty());
}

TEST_F(RosterTest, RefreshNumbersGrowAcrossRestarts) {
  const uint64_t first = roster_->Refresh(kNoon);
  const uint64_t second = roster_->Refresh(kNoon);
  Start(kNoon + seconds(1));
  EXPECT_LT(first, second);
  EXPECT_LT(second, roster_->Refresh(kNoon + seconds(1)));
}

TEST_F(RosterTest, RefreshSaysWhoAnsweredWhoWillAndWhoCannot) {
  for (const char* name : {"done", "away", "pending"}) {
    Enrol(name);
    Hear(Beat(name), kNoon);
  }
  const Time later = kNoon + seconds(60);
  Hear(BareBeat("done"), later);
  Hear(BareBeat("pending"), later);
  const uint64_t number = roster_->Refresh(later);
  v1::HeartbeatRequest gathered = BareBeat("done");
  gathered.set_gathered(number);
  Hear(gathered, later);
  EXPECT_EQ(roster_->RefreshStatus(number, roster_->changes(), later).ShortDebugString(),
            "done: \"done\" pending: \"pending\" unreachable: \"away\"");
}

// Whoever reads "done" and then the checklist must find there what the node has gathered.
TEST_F(RosterTest, WhatWasGatheredIsDoneOnceItIsJudged) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon);
  const uint64_t number = roster_->Refresh(kNoon);
  v1::HeartbeatRequest gathered = Beat("a", "another");
  gathered.set_gathered(number);
  Hear(gathered, kNoon + seconds(1));
  const auto status = [&] {
    return roster_->RefreshStatus(number, evaluator_->judged(), kNoon + seconds(1))
        .ShortDebugString();
  };
  EXPECT_EQ(status(), "pending: \"a\"");
  evaluator_->Tick(kNoon + seconds(1));
  EXPECT_EQ(status(), "done: \"a\"");
  // What changes later is another matter: a cluster that never rests has its answers, too.
  Hear(Beat("a", "a third"), kNoon + seconds(2));
  EXPECT_EQ(status(), "done: \"a\"");
}

TEST_F(RosterTest, FactsNotYetHeldDoNotCountAsGathered) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  const uint64_t number = roster_->Refresh(kNoon);
  v1::HeartbeatRequest gathered = BareBeat("a", "new digest");
  gathered.set_gathered(number);
  Hear(gathered, kNoon);
  EXPECT_EQ(roster_->RefreshStatus(number, roster_->changes(), kNoon).done_size(), 0);
}

TEST_F(RosterTest, FindingsKeepTheirSinceAcrossARestartAndDoNotFlap) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon);
  const v1::Checklist before = *evaluator_->Latest();
  ASSERT_GT(before.findings_size(), 0);
  const size_t events = Events().size();

  Start(kNoon + seconds(1000));
  evaluator_->Tick(kNoon + seconds(1001));  // the node has not called yet
  EXPECT_EQ(evaluator_->Latest()->evaluated_at().seconds(), before.evaluated_at().seconds());
  Hear(BareBeat("a"), kNoon + seconds(1005));
  evaluator_->Tick(kNoon + seconds(1006));
  const v1::Checklist after = *evaluator_->Latest();
  EXPECT_EQ(FromProto(after.evaluated_at()), kNoon + seconds(1006));
  ASSERT_EQ(after.findings_size(), before.findings_size());
  for (int i = 0; i < after.findings_size(); ++i) {
    EXPECT_EQ(after.findings(i).since().seconds(), before.findings(i).since().seconds())
        << after.findings(i).rule();
  }
  EXPECT_EQ(Events().size(), events);
}

TEST_F(RosterTest, StaleFactsChangeOutcomesAndEachChangeIsAnEvent) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon);
  ASSERT_EQ(OutcomeOf("facts-are-fresh"), v1::PASS);
  evaluator_->Tick(kNoon + seconds(45));
  EXPECT_EQ(OutcomeOf("facts-are-fresh"), v1::FAIL);
  // What follows has no event of its own.
  EXPECT_EQ(OutcomeOf("disk-has-room"), v1::FOLLOWS);
  std::vector<std::string> told;
  for (const std::string& text : Events()) {
    if (absl::StartsWith(text, "FINDING_CHANGED")) told.push_back(text);
  }
  EXPECT_EQ(told, (std::vector<std::string>{
                      "FINDING_CHANGED afacts-are-fresh: a: not heard for 45s (limit 30s)"}));
}

TEST_F(RosterTest, ManyNodesAtOnceWithReadersAndTicks) {
  constexpr int kNodes = 8;
  constexpr int kBeats = 40;
  for (int i = 0; i < kNodes; ++i) Enrol(absl::StrCat("n", i));
  std::vector<std::thread> nodes;
  for (int i = 0; i < kNodes; ++i) {
    nodes.emplace_back([&, i] {
      for (int b = 0; b < kBeats; ++b) {
        Hear(Beat(absl::StrCat("n", i), absl::StrCat("d", b / 2)), kNoon + seconds(b));
      }
    });
  }
  for (int b = 0; b < kBeats; ++b) {
    evaluator_->Tick(kNoon + seconds(b));
    roster_->RefreshStatus(roster_->Refresh(kNoon), evaluator_->judged(), kNoon);
  }
  for (std::thread& node : nodes) node.join();
  const auto reports = Reports();
  ASSERT_EQ(reports.size(), static_cast<size_t>(kNodes));
  for (const v1::NodeReport& report : reports) {
    EXPECT_EQ(report.facts_digest(), absl::StrCat("d", kBeats / 2 - 1));
  }
}

}  // namespace
}  // namespace connect_ha
