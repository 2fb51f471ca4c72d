// What the store keeps of a roster and its findings, and what is made of it at the next start.
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "absl/strings/match.h"
#include "common/time.h"
#include "tests/coordinator/service/roster_bounds_fixture.h"
#include "tests/coordinator/service/roster_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

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
