#include <thread>

#include "absl/strings/str_cat.h"
#include "common/audit_chain.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

std::vector<uint64_t> Ids(Store& store) {
  std::vector<uint64_t> ids;
  for (const v1::AuditEntry& entry : Entries(store)) ids.push_back(entry.id());
  return ids;
}

Time Hour(int hours) { return kNoon + std::chrono::hours(hours); }

}  // namespace

TEST_P(StoreContract, EntriesGetTheirIdsAndTheirPlaceInTheChain) {
  v1::AuditEntry odd = AnEntry("second");
  odd.set_id(77);
  odd.set_previous_digest("not this");
  odd.set_digest("nor this");
  ASSERT_TRUE(store_->AddAudit(AnEntry("first")).ok());
  ASSERT_TRUE(store_->AddAudit(odd).ok());
  Reopen();
  ASSERT_TRUE(store_->AddAudit(AnEntry("third")).ok());
  const auto entries = Entries(*store_);
  ASSERT_EQ(Ids(*store_), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(entries[0].previous_digest(), NoAuditDigest());
  EXPECT_EQ(entries[1].subject(), "second");
  EXPECT_EQ(entries[2].previous_digest(), entries[1].digest());
  EXPECT_TRUE(AuditIsWhole(*store_));
  v1::AuditEntry third = AnEntry("third");
  third.set_id(3);
  third.set_previous_digest(entries[1].digest());
  third.set_digest(AuditDigest(third));
  EXPECT_EQ(entries[2].ShortDebugString(), third.ShortDebugString());
}

TEST_P(StoreContract, EntriesAreListedInPages) {
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(store_->AddAudit(AnEntry(absl::StrCat(i))).ok());
  const auto page = store_->ListAudit(1, 2);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ(page->at(0).subject(), "2");
  EXPECT_EQ(page->at(1).subject(), "3");
  EXPECT_TRUE(store_->ListAudit(5, 2)->empty());
  EXPECT_TRUE(store_->ListAudit(~uint64_t{0}, 2)->empty());
}

TEST_P(StoreContract, OldEntriesAreLetGoOfAndTheChainBeginsAtTheAnchor) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(store_->AddAudit(AnEntry(absl::StrCat(i), Hour(i))).ok());
  }
  const std::string digest = Entries(*store_)[1].digest();
  ASSERT_TRUE(store_->PruneAudit(Hour(2)).ok());
  ASSERT_TRUE(store_->PruneAudit(Hour(2)).ok());
  Reopen();
  const auto anchor = store_->GetAuditAnchor();
  ASSERT_TRUE(anchor.ok() && anchor->has_value());
  EXPECT_EQ((*anchor)->id(), 2u);
  EXPECT_EQ((*anchor)->digest(), digest);
  EXPECT_EQ(FromProto((*anchor)->at()), Hour(1));
  EXPECT_EQ(Ids(*store_), (std::vector<uint64_t>{3, 4}));
  EXPECT_TRUE(AuditIsWhole(*store_));
}

TEST_P(StoreContract, TheNewestEntryIsNeverLetGoOf) {
  ASSERT_TRUE(store_->PruneAudit(Hour(100)).ok());
  EXPECT_FALSE(store_->GetAuditAnchor()->has_value());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->AddAudit(AnEntry(absl::StrCat(i), Hour(i))).ok());
  }
  ASSERT_TRUE(store_->PruneAudit(Hour(100)).ok());
  ASSERT_TRUE(store_->PruneAudit(Hour(100)).ok());
  EXPECT_EQ(Ids(*store_), std::vector<uint64_t>{3});
  ASSERT_TRUE(store_->AddAudit(AnEntry("after", Hour(4))).ok());
  EXPECT_EQ(Ids(*store_), (std::vector<uint64_t>{3, 4}));
  EXPECT_TRUE(AuditIsWhole(*store_));
}

TEST_P(StoreContract, AnEntryStaysWhileOneBeforeItStays) {
  for (const int hour : {0, 9, 1, 10}) {  // the clock was set back in between
    ASSERT_TRUE(store_->AddAudit(AnEntry(absl::StrCat(hour), Hour(hour))).ok());
  }
  ASSERT_TRUE(store_->PruneAudit(Hour(5)).ok());
  EXPECT_EQ(Ids(*store_), (std::vector<uint64_t>{2, 3, 4}));
  EXPECT_TRUE(AuditIsWhole(*store_));
}

TEST_P(StoreContract, TheChainHoldsWhoeverDoesThingsAtOnce) {
  constexpr int kThreads = 6;
  std::vector<std::thread> people;
  for (int t = 0; t < kThreads; ++t) {
    people.emplace_back([&, t] {
      const std::string name = absl::StrCat("n", t);
      EXPECT_TRUE(store_->AddNode(ANode(name)).ok());
      EXPECT_TRUE(store_->AddToken(AToken(name, 1), AnEntry(name)).ok());
      EXPECT_TRUE(store_->RevokeToken(name, AnEntry(name)).ok());
      EXPECT_TRUE(store_->RemoveNode(name, AnEntry(""), kNoon).ok());
      EXPECT_TRUE(store_->PruneAudit(Hour(1)).ok());
    });
  }
  for (std::thread& person : people) person.join();
  EXPECT_EQ(*store_->NewestAuditId(), uint64_t{3 * kThreads});
  EXPECT_TRUE(AuditIsWhole(*store_));
}

}  // namespace connect_ha
