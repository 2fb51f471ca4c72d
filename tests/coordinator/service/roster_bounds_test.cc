// What one node, however broken or hostile, can do to the others: nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/finding_of.h"
#include "common/time.h"
#include "coordinator/cluster/node/claimants.h"
#include "coordinator/cluster/node/event_pace.h"
#include "coordinator/cluster/preview_board.h"
#include "tests/coordinator/service/roster_bounds_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

TEST_F(RosterBoundsTest, AHeartbeatOfManyChangesAddsAMinutesShareAndRemovesNothing) {
  Enrol("a");
  v1::Event applied;
  applied.set_kind(v1::Event::SPEC_APPLIED);
  ASSERT_TRUE(store_->AddEvent(applied).ok());
  v1::HeartbeatRequest request = Beat("a");
  for (int number = 1; number <= 450'000; ++number) request.add_changes_made()->set_number(number);
  for (int beat = 0; beat < 3; ++beat) {
    EXPECT_EQ(Hear(request, kNoon + seconds(beat)).changes_taken(), kChangesPerMinute);
  }
  EXPECT_EQ(CountEvents(v1::Event::RESOURCE_CHANGED), kChangesPerMinute);
  EXPECT_EQ(CountEvents(v1::Event::SPEC_APPLIED), 1u);
}

TEST_F(RosterBoundsTest, UnreadableFactsAreRefusedAndTheOldOnesStay) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  v1::HeartbeatRequest broken = Beat("a", "d2");
  broken.set_facts_bytes("no message");
  const auto refused = roster_->Heartbeat(broken, "10.0.0.1", kNoon + seconds(1));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(refused.status().message(), "fix: "));
  EXPECT_EQ(Node("a", kNoon + seconds(1)).facts().host().hostname(), "host-d1");
}

// Each of them would be looked for on every other node.
TEST_F(RosterBoundsTest, FactsWithALongerListThanANodeHasAreRefused) {
  Enrol("a");
  const auto answer_to = [this](const v1::Facts& facts, const std::string& digest) {
    v1::HeartbeatRequest request = Beat("a", digest);
    request.set_facts_bytes(facts.SerializeAsString());
    return roster_->Heartbeat(request, "10.0.0.1", kNoon).status().code();
  };
  v1::Facts runtimes;
  for (int i = 0; i < 200; ++i) runtimes.mutable_runtimes()->add_runtimes()->set_kind(v1::R);
  EXPECT_EQ(answer_to(runtimes, "d1"), absl::StatusCode::kOk);
  runtimes.mutable_runtimes()->add_runtimes()->set_kind(v1::R);
  EXPECT_EQ(answer_to(runtimes, "d2"), absl::StatusCode::kInvalidArgument);
  v1::Facts keys;
  for (int i = 0; i < 2'001; ++i) keys.mutable_configuration()->add_keys()->set_name("k");
  EXPECT_EQ(answer_to(keys, "d3"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Node("a", kNoon).facts().runtimes().runtimes_size(), 200);
}

TEST_F(RosterBoundsTest, MoreCallsOfOneNodeThanItWaitsForAreRefused) {
  Enrol("a");
  Enrol("b");
  std::atomic<int> refused{0};
  std::atomic<bool> stop{false};
  std::vector<std::thread> calls;
  for (int i = 0; i < 16; ++i) {
    calls.emplace_back([&, i] {
      for (int beat = 0; !stop; ++beat) {
        const auto response =
            roster_->Heartbeat(Beat("a", absl::StrCat("d", i, "-", beat)), "10.0.0.1", kNoon);
        if (absl::IsResourceExhausted(response.status())) ++refused;
      }
    });
  }
  for (int beat = 0; beat < 20 || refused.load() == 0; ++beat) {
    EXPECT_FALSE(Hear(Beat("b", absl::StrCat("d", beat)), kNoon).send_facts());
  }
  stop = true;
  for (std::thread& call : calls) call.join();
  EXPECT_GT(refused.load(), 0);
}

TEST_F(RosterBoundsTest, WordsOfAFindingAreShortWhateverANodeSays) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  v1::Facts facts;
  ASSERT_TRUE(facts.ParseFromString(request.facts_bytes()));
  v1::Unobserved& unobserved = *facts.add_unobserved();
  unobserved.set_path("license");
  unobserved.set_reason(std::string(1024 * 1024, 'x'));
  request.set_facts_bytes(facts.SerializeAsString());
  Hear(request, kNoon);
  evaluator_->Tick(kNoon);
  EXPECT_LE(evaluator_->Latest()->ByteSizeLong(), 256u * 1024);
}

TEST(ClaimantsBoundsTest, OnlySoManyMachinesAreKept) {
  Claimants claimants;
  for (int i = 0; i < 1000; ++i) {
    claimants.Heard("m" + std::to_string(i), "b", "10.0.0.1", kNoon);
    claimants.Heard("m0", "b", "10.0.0.1", kNoon);
  }
  EXPECT_TRUE(claimants.conflict());
  EXPECT_LE(claimants.Current().size(), Claimants::kMost);
}

TEST(PreviewBoardBoundsTest, WhatAllNodesSayHasOneBound) {
  PreviewBoard board;
  const uint64_t number = board.Ask(v1::Desired(), kNoon);
  v1::HeartbeatRequest request;
  request.mutable_preview()->set_number(number);
  for (int i = 0; i < 5000; ++i) {
    v1::Change& change = *request.mutable_preview()->add_changes();
    change.set_resource(std::string(1000, 'x'));
    change.set_to(std::string(1000, 'y'));
  }
  v1::HeartbeatResponse response;
  for (int i = 0; i < 600; ++i) {
    request.set_node(absl::StrCat("node-", i));
    board.Exchange(request, kNoon, &response);
  }
  const auto previews = board.Previews(number, kNoon);
  ASSERT_TRUE(previews.ok());
  EXPECT_EQ(previews->size(), 600u);
  size_t bytes = 0;
  for (const auto& [node, preview] : *previews) {
    EXPECT_LE(preview.ByteSizeLong(), 64u * 1024);
    bytes += preview.changes_size() > 0 ? preview.ByteSizeLong() : 0;
  }
  EXPECT_LE(bytes, PreviewBoard::kMostBytes);
  const v1::Preview& last = previews->at("node-99");  // by name; node-599 came last
  EXPECT_GT(last.changes_size(), 0);
  EXPECT_EQ(previews->at("node-599").changes_size(), 0);
  EXPECT_EQ(previews->at("node-599").troubles_size(), 1);
  EXPECT_EQ(previews->at("node-599").number(), number);
}

TEST_F(RosterBoundsTest, ANodeWhoseFindingsFlapFillsNoHistory) {
  Enrol("a");
  for (int i = 0; i < 100; ++i) {
    const Time now = kNoon + std::chrono::milliseconds(100 * i);
    v1::HeartbeatRequest request = Beat("a", absl::StrCat("d", i));
    v1::Facts facts;
    ASSERT_TRUE(facts.ParseFromString(request.facts_bytes()));
    facts.mutable_license()->set_status(i % 2 == 0 ? "activated" : "expired");
    request.set_facts_bytes(facts.SerializeAsString());
    Hear(request, now);
    evaluator_->Tick(now);
  }
  const auto of_the_licence = [this] {
    size_t count = 0;
    for (const v1::Event& event : StoredEvents()) count += event.rule() == "license-is-valid";
    return count;
  };
  EXPECT_GT(of_the_licence(), 0u);
  EXPECT_LE(of_the_licence(), kEventsPerMinute);
  evaluator_->Tick(kNoon + seconds(80));
  EXPECT_GE(CountEvents(v1::Event::EVENTS_LEFT_OUT), 1u);
}

// Half of it would be another command.
TEST_F(RosterBoundsTest, ACommandThatIsTooLongToBeTypedIsNotShown) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  v1::Facts facts;
  ASSERT_TRUE(facts.ParseFromString(request.facts_bytes()));
  v1::FileSystemSpace& disk = *facts.mutable_disk()->add_file_systems();
  disk.set_mount_point("/" + std::string(1024 * 1024, 'x'));
  disk.set_used_percent(100);
  request.set_facts_bytes(facts.SerializeAsString());
  Hear(request, kNoon);
  evaluator_->Tick(kNoon);
  const auto latest = evaluator_->Latest();
  const v1::Finding* of_disks = FindingOf(*latest, "disk-has-room");
  ASSERT_NE(of_disks, nullptr);
  ASSERT_EQ(of_disks->outcome(), v1::FAIL) << of_disks->summary().substr(0, 200);
  ASSERT_EQ(of_disks->fixes_size(), 1);
  EXPECT_EQ(of_disks->fixes(0).commands_size(), 0);
  EXPECT_TRUE(absl::StrContains(of_disks->fixes(0).note(), "too long to be shown"));
  EXPECT_LE(latest->ByteSizeLong(), 256u * 1024);
}

}  // namespace
}  // namespace connect_ha
