#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

std::vector<std::string> NamesOf(const std::vector<v1::NodeReport>& reports) {
  std::vector<std::string> names;
  for (const v1::NodeReport& report : reports) names.push_back(report.node());
  return names;
}

}  // namespace

TEST_P(StoreContract, NodesAreListedByNameAndSurviveReopening) {
  for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(store_->AddNode(ANode(name)).ok());
  Reopen();
  EXPECT_EQ(Texts(*store_->ListNodes()),
            Texts<v1::NodeRecord>({ANode("a"), ANode("b"), ANode("c")}));
  EXPECT_EQ(store_->GetNode("b")->ShortDebugString(), ANode("b").ShortDebugString());
}

TEST_P(StoreContract, MissingNodeIsNotFoundAndNamed) {
  const auto node = store_->GetNode("nobody");
  EXPECT_EQ(node.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(node.status().message(), "no node nobody");
}

TEST_P(StoreContract, ANodeIsAddedOnceAlsoWhenItWasRemoved) {
  v1::NodeRecord other = ANode("a");
  other.set_machine_id("another");
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  EXPECT_EQ(store_->AddNode(other).code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(store_->RemoveNode("a", AnEntry(""), kNoon).ok());
  EXPECT_EQ(store_->AddNode(other).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->GetNode("a")->machine_id(), "machine-of-a");
}

TEST_P(StoreContract, ARemovedNodeIsMarkedItsReportGoesAndItIsAudited) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->PutReport(AReport("a", "1")).ok());
  v1::NodeRecord expected = ANode("a");
  expected.set_removed(true);
  *expected.mutable_removed_at() = ToProto(kNoon);

  const auto removed = store_->RemoveNode("a", AnEntry("somebody else"), kNoon);

  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_EQ(removed->ShortDebugString(), expected.ShortDebugString());
  EXPECT_EQ(store_->GetNode("a")->ShortDebugString(), expected.ShortDebugString());
  EXPECT_TRUE(Reports(*store_).empty());
  const auto entries = Entries(*store_);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].action(), v1::AuditEntry::NODE_REMOVED);
  EXPECT_EQ(entries[0].subject(), "a");
  EXPECT_EQ(FromProto(entries[0].at()), kNoon);
  EXPECT_EQ(entries[0].actor(), "admin/alice");
  EXPECT_EQ(entries[0].address(), "192.0.2.7");
  EXPECT_EQ(entries[0].why(), "the disk fails");
}

TEST_P(StoreContract, OnlyANodeThatIsThereIsRemoved) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->RemoveNode("a", AnEntry(""), kNoon).ok());
  const std::string before = Everything(*store_);
  for (const char* name : {"a", "nobody"}) {
    const auto again = store_->RemoveNode(name, AnEntry(""), kNoon + std::chrono::hours(1));
    EXPECT_EQ(again.status().code(), absl::StatusCode::kNotFound) << name;
  }
  EXPECT_EQ(Everything(*store_), before);
}

TEST_P(StoreContract, NodesRemovedLongAgoArePurgedAndNoOther) {
  for (const char* name : {"early", "late", "stays"}) {
    ASSERT_TRUE(store_->AddNode(ANode(name)).ok());
  }
  ASSERT_TRUE(store_->RemoveNode("early", AnEntry(""), kNoon - std::chrono::seconds(1)).ok());
  ASSERT_TRUE(store_->RemoveNode("late", AnEntry(""), kNoon).ok());
  EXPECT_EQ(*store_->PurgeNodes(kNoon), (std::vector<std::string>{"early"}));
  EXPECT_EQ(*store_->PurgeNodes(kNoon), std::vector<std::string>());
  Reopen();
  EXPECT_EQ(store_->GetNode("early").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_->GetNode("late")->removed());
  EXPECT_FALSE(store_->GetNode("stays")->removed());
  EXPECT_TRUE(store_->AddNode(ANode("early")).ok());
}

TEST_P(StoreContract, LatestReportReplacesTheOneBefore) {
  for (const char* name : {"a", "b"}) ASSERT_TRUE(store_->AddNode(ANode(name)).ok());
  ASSERT_TRUE(store_->PutReport(AReport("b", "1")).ok());
  ASSERT_TRUE(store_->PutReport(AReport("a", "1")).ok());
  ASSERT_TRUE(store_->PutReport(AReport("a", "2")).ok());
  Reopen();
  EXPECT_EQ(Texts(Reports(*store_)), Texts<v1::NodeReport>({AReport("a", "2"), AReport("b", "1")}));
}

TEST_P(StoreContract, AReportOfANodeThatIsNotThereIsNotFound) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->RemoveNode("a", AnEntry(""), kNoon).ok());
  EXPECT_EQ(store_->PutReport(AReport("a", "1")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->PutReport(AReport("nobody", "1")).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Reports(*store_).empty());
}

TEST_P(StoreContract, ReportsAreVisitedByNameUntilAVisitFails) {
  for (const char* name : {"c", "a", "b"}) {
    ASSERT_TRUE(store_->AddNode(ANode(name)).ok());
    ASSERT_TRUE(store_->PutReport(AReport(name, "1")).ok());
  }
  std::vector<v1::NodeReport> visited;
  const absl::Status ended = store_->VisitReports([&](v1::NodeReport report) {
    visited.push_back(std::move(report));
    return visited.size() == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(ended, absl::AbortedError("enough"));
  EXPECT_EQ(NamesOf(visited), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(NamesOf(Reports(*store_)), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_P(StoreContract, AReportAsRelease01StoredItComesWithBytesOfFacts) {
  const v1::NodeReport report = AReport("a", "1");
  v1::NodeReport older = report;
  ASSERT_TRUE(older.mutable_facts()->ParseFromString(report.facts_bytes()));
  older.clear_facts_bytes();
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->PutReport(older).ok());
  EXPECT_EQ(Texts(Reports(*store_)), Texts<v1::NodeReport>({report}));
}

TEST_P(StoreContract, ANodesChangesAreStoredOnceHoweverOftenTheyAreSent) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  const std::vector<NumberedEvent> changes = {{3, AnEvent("a", "", "3")},
                                              {5, AnEvent("a", "", "5")}};
  EXPECT_EQ(*store_->AddNodeChanges("a", changes), 5u);
  EXPECT_EQ(*store_->AddNodeChanges("a", changes), 5u);
  Reopen();
  EXPECT_EQ(*store_->AddNodeChanges("a", {{5, AnEvent("a", "", "5")}, {6, AnEvent("a", "", "6")}}),
            6u);
  EXPECT_EQ(*store_->AddNodeChanges("a", {}), 6u);
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"3", "5", "6"}));
  EXPECT_EQ(store_->GetNode("a")->changes_taken(), 6u);
  EXPECT_EQ(store_->GetNode("a")->machine_id(), "machine-of-a");
  EXPECT_EQ(store_->AddNodeChanges("nobody", changes).status().code(), absl::StatusCode::kNotFound);
}

// Each change looks at the one before: whatever is lost on the way shows, not only the last.
TEST_P(StoreContract, WhatIsChangedOfANodeAtOnceIsAllKept) {
  constexpr uint64_t kChanges = 60;
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->AddToken(AToken("t", kChanges), AnEntry("t")).ok());
  std::thread enrols([&] {
    std::string before = ANode("a").machine_id();
    for (uint64_t i = 1; i <= kChanges; ++i) {
      const std::string machine = absl::StrCat("machine ", i);
      const auto change = [&](v1::NodeRecord& node) {
        EXPECT_EQ(node.machine_id(), before);
        node.set_machine_id(machine);
        return absl::OkStatus();
      };
      EXPECT_TRUE(store_->SpendToken("t", AUse("a", machine), change, AnEntry("a"), kNoon).ok());
      before = machine;
    }
  });
  for (uint64_t i = 1; i <= kChanges; ++i) {
    // Where the one before was lost, it is stored twice.
    const auto taken = store_->AddNodeChanges("a", {{i - 1, AnEvent("a", "", absl::StrCat(i - 1))},
                                                    {i, AnEvent("a", "", absl::StrCat(i))}});
    EXPECT_TRUE(taken.ok()) << taken.status();
  }
  enrols.join();
  EXPECT_EQ(store_->GetNode("a")->changes_taken(), kChanges);
  EXPECT_EQ(store_->GetNode("a")->machine_id(), absl::StrCat("machine ", kChanges));
  EXPECT_EQ(Events(*store_).size(), kChanges);
}

TEST_P(StoreContract, ManyWritersAndReadersAtOnceLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  for (int t = 0; t < kThreads; ++t) {
    ASSERT_TRUE(store_->AddNode(ANode(absl::StrCat("n", t))).ok());
  }
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(store_->PutReport(AReport(absl::StrCat("n", t), absl::StrCat(i))).ok());
        EXPECT_TRUE(store_->AddEvent(AnEvent("", "", "")).ok());
        EXPECT_LE(Reports(*store_).size(), size_t{kThreads});
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Events(*store_).size(), size_t{kThreads * kEach});
  const auto reports = Reports(*store_);
  ASSERT_EQ(reports.size(), size_t{kThreads});
  for (const v1::NodeReport& report : reports) {
    EXPECT_EQ(report.facts_digest(), absl::StrCat(kEach - 1));
  }
}

}  // namespace connect_ha
