// Events, and what is remembered of findings.
#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {

TEST_P(StoreContract, MemoriesAreReplacedForTheRulesThatAreNamedAlone) {
  ASSERT_TRUE(store_
                  ->PutMemories(kNoon,
                                {AMemory("z", v1::PASS), AMemory("changes", v1::PASS),
                                 AMemory("goes", v1::FAIL)},
                                {}, {AnEvent("", "goes", "1")})
                  .ok());
  const Time later = kNoon + std::chrono::microseconds(1);
  ASSERT_TRUE(store_
                  ->PutMemories(later, {AMemory("changes", v1::FAIL), AMemory("a", v1::PASS)},
                                {"goes", "never-was"},
                                {AnEvent("", "changes", "2"), AnEvent("", "a", "3")})
                  .ok());
  Reopen();
  const auto memories = store_->GetMemories();
  ASSERT_TRUE(memories.ok()) << memories.status();
  EXPECT_EQ(memories->evaluated_at, later);
  EXPECT_EQ(Texts(memories->findings),
            Texts<v1::FindingMemory>(
                {AMemory("a", v1::PASS), AMemory("changes", v1::FAIL), AMemory("z", v1::PASS)}));
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(StoreContract, EventsAddedTogetherKeepTheirOrder) {
  ASSERT_TRUE(store_->AddEvents({AnEvent("", "", "1"), AnEvent("", "", "2")}).ok());
  ASSERT_TRUE(store_->AddEvents({}).ok());
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"1", "2"}));
}

TEST_P(StoreContract, NewestEventsThatMatchAreListedOldestFirst) {
  for (int i = 1; i <= 5; ++i) {
    const auto id =
        store_->AddEvent(AnEvent(i % 2 ? "odd" : "even", i < 5 ? "r" : "s", absl::StrCat(i)));
    ASSERT_TRUE(id.ok());
  }
  EventQuery newest_two, odd, rule_of_odd;
  newest_two.limit = 2;
  odd.node = "odd";
  rule_of_odd.node = "odd";
  rule_of_odd.rule = "r";
  EXPECT_EQ(EventTexts(store_->ListEvents(newest_two)), (std::vector<std::string>{"4", "5"}));
  EXPECT_EQ(EventTexts(store_->ListEvents(odd)), (std::vector<std::string>{"1", "3", "5"}));
  EXPECT_EQ(EventTexts(store_->ListEvents(rule_of_odd)), (std::vector<std::string>{"1", "3"}));
}

TEST_P(StoreContract, EventsAfterAnIdLeaveOutThoseUpToIt) {
  const uint64_t first = *store_->AddEvent(AnEvent("", "", "1"));
  ASSERT_TRUE(store_->AddEvent(AnEvent("", "", "2")).ok());
  EventQuery query;
  query.after_id = first;
  EXPECT_EQ(EventTexts(store_->ListEvents(query)), (std::vector<std::string>{"2"}));
  query.after_id = ~uint64_t{0};
  EXPECT_TRUE(store_->ListEvents(query)->empty());
}

// Failing writes are among them, in the same groups.
TEST_P(StoreContract, IdsHaveNoGapsWhoeverWritesAndWhateverFails) {
  constexpr int kThreads = 8;
  constexpr int kEach = 25;
  ASSERT_TRUE(store_->AddToken(AToken("t", 100'000), AnEntry("t")).ok());
  const auto refuse = [](v1::NodeRecord&) { return absl::AbortedError("refused"); };
  std::vector<std::thread> writers;
  std::vector<std::vector<uint64_t>> given(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto id = store_->AddEvent(AnEvent("", "", ""));
        EXPECT_TRUE(id.ok()) << id.status();
        if (id.ok()) given[t].push_back(*id);
        EXPECT_TRUE(store_->AddAudit(AnEntry(absl::StrCat(t, " ", i))).ok());
        EXPECT_FALSE(store_->SpendToken("t", AUse("n", "k"), refuse, AnEntry("n"), kNoon).ok());
        EXPECT_FALSE(store_->AddSpec(ASpec("late", 9), 8, AnEvent("", "", ""), AnEntry("")).ok());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::vector<uint64_t> ids;
  for (const auto& of_thread : given) {
    EXPECT_TRUE(std::is_sorted(of_thread.begin(), of_thread.end()));
    ids.insert(ids.end(), of_thread.begin(), of_thread.end());
  }
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), size_t{kThreads * kEach});
  EXPECT_EQ(ids.back() - ids.front() + 1, ids.size());
  EXPECT_EQ(std::adjacent_find(ids.begin(), ids.end()), ids.end());
  EXPECT_EQ(*store_->NewestAuditId(), uint64_t{1 + kThreads * kEach});
  EXPECT_TRUE(AuditIsWhole(*store_));
  Reopen();
  EXPECT_EQ(*store_->AddEvent(AnEvent("", "", "")), ids.back() + 1);
}

TEST_P(StoreContract, NodesThatWereLostAndDidNotComeBackAreListed) {
  int64_t second = 0;
  const auto add = [&](const std::string& node, v1::Event::Kind kind) {
    v1::Event event = AnEvent(node, "", "");
    event.set_kind(kind);
    event.mutable_at()->set_seconds(++second);
    ASSERT_TRUE(store_->AddEvent(event).ok());
  };
  add("back", v1::Event::NODE_LOST);
  add("lost-again", v1::Event::NODE_LOST);
  add("lost-again", v1::Event::NODE_BACK);
  add("back", v1::Event::NODE_BACK);
  add("lost-again", v1::Event::NODE_LOST);
  add("lost", v1::Event::NODE_LOST);
  add("never", v1::Event::NODE_ENROLLED);
  Reopen();
  std::string losses;
  const auto listed = store_->ListLosses();
  ASSERT_TRUE(listed.ok()) << listed.status();
  for (const v1::Event& loss : *listed) {
    losses += loss.node() + " at " + std::to_string(loss.at().seconds()) + "; ";
  }
  EXPECT_EQ(losses, "lost at 6; lost-again at 5; ");
}

}  // namespace connect_ha
