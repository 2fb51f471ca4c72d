// What one node, however broken or hostile, can do to the others: nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/checklist/finding_of.h"
#include "common/tls/certificate.h"
#include "coordinator/cluster/node/claimants.h"
#include "coordinator/cluster/node/event_pace.h"
#include "coordinator/cluster/preview_board.h"
#include "coordinator/identity/authority.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::HeartbeatRequest Beat(const std::string& node, const std::string& digest = "d1") {
  v1::HeartbeatRequest request;
  request.set_node(node);
  request.set_machine_id("machine-" + node);
  request.set_boot_id("boot-1");
  request.set_facts_digest(digest);
  v1::Facts facts;
  facts.mutable_connect()->mutable_package()->set_version("2024.08.0");
  facts.mutable_connect()->mutable_unit()->set_active_state("inactive");
  facts.mutable_host()->set_os_name("Ubuntu 22.04.4 LTS");
  facts.mutable_host()->set_hostname("host-" + digest);
  facts.mutable_instance()->set_zone("us-east-1a");
  request.set_facts_bytes(facts.SerializeAsString());
  return request;
}

Certificate CertificateOf(const std::string& node, Time issued) {
  Certificate certificate;
  certificate.identity = {"test", Role::kNode, node};
  certificate.not_before = issued;
  certificate.not_after = issued + kCertificateLife;
  return certificate;
}

using RosterBoundsTest = RosterFixture;

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

TEST_F(RosterBoundsTest, ALossThatCannotBeStoredIsToldLater) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  {
    const BusyStore busy(dir_);
    roster_->Tick(kNoon + seconds(31));
  }
  EXPECT_EQ(CountEvents(v1::Event::NODE_LOST), 0u);
  roster_->Tick(kNoon + seconds(32));
  roster_->Tick(kNoon + seconds(33));
  EXPECT_EQ(CountEvents(v1::Event::NODE_LOST), 1u);
  Start(kNoon + seconds(40));
  roster_->Tick(kNoon + seconds(100));
  EXPECT_EQ(CountEvents(v1::Event::NODE_LOST), 1u);
}

TEST_F(RosterBoundsTest, FactsComeBackFromTheStoreAsTheyCame) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  request.set_digest_key_id("1122334455667788");
  Hear(request, kNoon);
  ASSERT_EQ(Reports().size(), 1u);
  EXPECT_EQ(Reports().front().facts_bytes(), request.facts_bytes());
  Start(kNoon + seconds(10));
  const v1::NodeSnapshot node = Node("a", kNoon + seconds(10));
  EXPECT_EQ(node.facts().SerializeAsString(), request.facts_bytes());
  EXPECT_EQ(node.digest_key_id(), "1122334455667788");
  request.clear_facts_bytes();
  EXPECT_FALSE(Hear(request, kNoon + seconds(11)).send_facts());
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

TEST_F(RosterBoundsTest, BriefsShowWhatListsNeedWithoutTheFacts) {
  Enrol("heard");
  Enrol("silent");
  Hear(Beat("heard"), kNoon);
  const auto briefs = roster_->Briefs(kNoon + seconds(5));
  ASSERT_EQ(briefs.size(), 2u);
  EXPECT_EQ(briefs[0].name(), "heard");
  EXPECT_EQ(briefs[0].facts().connect_version(), "2024.08.0");
  EXPECT_EQ(briefs[0].facts().unit_state(), "inactive");
  EXPECT_EQ(briefs[0].facts().system(), "Ubuntu 22.04.4 LTS");
  EXPECT_EQ(briefs[0].facts().zone(), "us-east-1a");
  EXPECT_EQ(briefs[0].claimants(), 1u);
  EXPECT_LE(briefs[0].ByteSizeLong(), 300u);
  EXPECT_FALSE(briefs[1].has_last_seen());
  EXPECT_FALSE(briefs[1].has_facts());
}

TEST_F(RosterBoundsTest, ANodeThatTheStoreDoesNotKnowIsTakenInOnce) {
  std::vector<std::thread> calls;
  std::atomic<int> admitted{0};
  for (int i = 0; i < 8; ++i) {
    calls.emplace_back([&] {
      if (roster_->Admit(CertificateOf("a", kNoon), kNoon).ok()) ++admitted;
    });
  }
  for (std::thread& call : calls) call.join();
  EXPECT_EQ(admitted.load(), 8);
  EXPECT_EQ(store_->ListNodes()->size(), 1u);
  EXPECT_EQ(CountEvents(v1::Event::NODE_ENROLLED), 1u);
}

TEST_F(RosterBoundsTest, OfEnrollingAndRemovingAtOnceTheStoreIsRight) {
  Enrol("a");
  v1::NodeRecord as_it_was;
  as_it_was.set_name("a");
  Remove("a", kNoon);
  roster_->Enrolled(as_it_was);  // read from the store before that
  EXPECT_EQ(roster_->Admit(CertificateOf("a", kNoon), kNoon).code(),
            absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).nodes_size(), 0);
}

TEST_F(RosterBoundsTest, ARemovedNodesNameIsLetGoOfAfterItsCertificatesLife) {
  Enrol("gone");
  Enrol("stays");
  Remove("gone", kNoon);
  roster_->Tick(kNoon + seconds(1));
  EXPECT_EQ(store_->ListNodes()->size(), 2u);
  const Time after = kNoon + kCertificateLife + hours(3);
  roster_->Tick(after);
  ASSERT_EQ(store_->ListNodes()->size(), 1u);
  EXPECT_EQ(store_->ListNodes()->front().name(), "stays");
  EXPECT_EQ(roster_->Heartbeat(Beat("gone"), "10.0.0.1", after).status().code(),
            absl::StatusCode::kNotFound);
  Enrol("gone");
  EXPECT_FALSE(Hear(Beat("gone"), after).send_facts());
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

TEST_F(RosterBoundsTest, OutcomesAreRememberedOverARestartAndWordsAreMadeAnew) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon);
  const v1::Checklist before = *evaluator_->Latest();
  Start(kNoon + seconds(10));
  const v1::Checklist recalled = *evaluator_->Latest();
  ASSERT_EQ(recalled.findings_size(), before.findings_size());
  EXPECT_EQ(recalled.nodes(), 1u);
  for (int i = 0; i < before.findings_size(); ++i) {
    EXPECT_EQ(recalled.findings(i).rule(), before.findings(i).rule());
    EXPECT_EQ(recalled.findings(i).outcome(), before.findings(i).outcome());
    EXPECT_EQ(recalled.findings(i).title(), before.findings(i).title());
    EXPECT_EQ(recalled.findings(i).since().seconds(), before.findings(i).since().seconds());
    EXPECT_TRUE(absl::StrContains(recalled.findings(i).summary(), "as judged at"));
  }
  Hear(Beat("a"), kNoon + seconds(11));
  evaluator_->Tick(kNoon + seconds(11));
  const v1::Checklist after = *evaluator_->Latest();
  EXPECT_EQ(after.findings(0).summary(), before.findings(0).summary());
  EXPECT_EQ(CountEvents(v1::Event::FINDING_CHANGED), 0u);
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

TEST_F(RosterBoundsTest, AnotherMachineUnderTheNameBeginsItsChangesAnew) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  request.add_changes_made()->set_number(7);
  EXPECT_EQ(Hear(request, kNoon).changes_taken(), 7u);
  Remove("a", kNoon);
  ASSERT_TRUE(store_->PurgeNodes(kNoon + seconds(1)).ok());
  Enrol("a");
  request.mutable_changes_made(0)->set_number(1);
  EXPECT_EQ(Hear(request, kNoon + seconds(2)).changes_taken(), 1u);
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

TEST_F(RosterBoundsTest, BriefsGoByTheSpecificationInForce) {
  Enrol("a");
  v1::HeartbeatRequest request = Beat("a");
  v1::Facts facts;
  ASSERT_TRUE(facts.ParseFromString(request.facts_bytes()));
  facts.mutable_storage();  // nothing is mounted
  request.set_facts_bytes(facts.SerializeAsString());
  Hear(request, kNoon);
  EXPECT_FALSE(roster_->Briefs(kNoon).front().facts().has_mount_verified());
  v1::Desired desired;
  desired.set_generation(1);
  desired.mutable_spec()->mutable_storage()->set_mount_point("/mnt/connect");
  roster_->SetSpec(desired);
  const auto briefs = roster_->Briefs(kNoon);
  ASSERT_EQ(briefs.size(), 1u);
  ASSERT_TRUE(briefs[0].facts().has_mount_verified());
  EXPECT_FALSE(briefs[0].facts().mount_verified());
}

TEST_F(RosterBoundsTest, OutcomesThatStayAreNotStoredAgain) {
  Enrol("a");
  Hear(Beat("a"), kNoon);
  evaluator_->Tick(kNoon);
  // What is written once more is as it was judged, and no more empty.
  std::vector<v1::FindingMemory> emptied = store_->GetMemories()->findings;
  ASSERT_GT(emptied.size(), 20u);
  for (v1::FindingMemory& memory : emptied) memory.clear_memories();
  ASSERT_TRUE(store_->PutMemories(kNoon, emptied, {}, {}).ok());
  Hear(Beat("a"), kNoon + seconds(60));
  evaluator_->Tick(kNoon + seconds(61));
  const auto memories = store_->GetMemories();
  ASSERT_TRUE(memories.ok()) << memories.status();
  EXPECT_EQ(memories->evaluated_at, kNoon + seconds(61));
  size_t written = 0;
  for (const v1::FindingMemory& memory : memories->findings) {
    written += memory.memories_size() > 0 ? 1 : 0;
  }
  EXPECT_LT(written, memories->findings.size() / 2);
}

TEST_F(RosterBoundsTest, StoredFactsThatCannotBeReadAreAskedForAgain) {
  Enrol("a");
  v1::NodeReport report;
  report.set_node("a");
  report.set_machine_id("machine-a");
  report.set_boot_id("boot-1");
  report.set_facts_digest("d1");
  report.set_facts_bytes("no message");
  ASSERT_TRUE(store_->PutReport(report).ok());
  Start(kNoon + seconds(10));
  v1::HeartbeatRequest request = Beat("a");
  request.clear_facts_bytes();
  EXPECT_TRUE(Hear(request, kNoon + seconds(11)).send_facts());
}

}  // namespace
}  // namespace connect_ha
