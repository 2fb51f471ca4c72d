// What the plan remembers, and what people said.
#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

uint64_t Give(Store& store, v1::Word::Kind kind, const std::string& node) {
  const auto word = store.AddWord(AWord(kind, node), AnEvent(node, "", "said"), AnEntry(node));
  EXPECT_TRUE(word.ok()) << word.status();
  return word.ok() ? word->number() : 0;
}

std::vector<std::string> RememberedNodes(Store& store) {
  std::vector<std::string> names;
  const auto plan = store.GetPlan();
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (!plan.ok()) return names;
  for (const v1::NodeMemory& node : plan->memory.nodes()) names.push_back(node.node());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_P(StoreContract, ThePlanIsReplacedForTheNodesThatAreNamedAlone) {
  Store::PlanChange first = APlan(*store_, {AMemoryOf("z", v1::READY), AMemoryOf("a", v1::READY),
                                            AMemoryOf("goes", v1::READY)});
  first.events = {AnEvent("a", "", "1")};
  ASSERT_TRUE(store_->PutPlan(first).ok());
  Store::PlanChange second = APlan(*store_, {AMemoryOf("a", v1::SERVING)});
  second.memory.set_serial(9);
  second.gone = {"goes", "never-was"};
  ASSERT_TRUE(store_->PutPlan(second).ok());
  Reopen();
  const auto plan = store_->GetPlan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->memory.serial(), 9u);
  ASSERT_EQ(RememberedNodes(*store_), (Names{"a", "z"}));
  EXPECT_EQ(plan->memory.nodes(0).ShortDebugString(),
            AMemoryOf("a", v1::SERVING).ShortDebugString());
  EXPECT_EQ(EventTexts(store_->ListEvents({})), Names{"1"});
  EXPECT_EQ(plan->revision, *store_->PlanRevision());
}

TEST_P(StoreContract, ChangesThatEndedAreListedNewestFirstAndAuditedWithThePlan) {
  Store::PlanChange first = APlan(*store_, {});
  first.ended = {ARollout(8), ARollout(7)};
  first.audits = {AnEntry("generation 8")};
  ASSERT_TRUE(store_->PutPlan(first).ok());
  Store::PlanChange second = APlan(*store_, {});
  second.ended = {ARollout(8, std::chrono::hours(2))};  // begun anew
  ASSERT_TRUE(store_->PutPlan(second).ok());
  Reopen();
  EXPECT_EQ(Texts(*store_->ListRollouts(10)),
            Texts<v1::Rollout>({ARollout(8, std::chrono::hours(2)), ARollout(8), ARollout(7)}));
  EXPECT_EQ(store_->ListRollouts(1)->size(), 1u);
  ASSERT_EQ(Entries(*store_).size(), 1u);
  EXPECT_EQ(Entries(*store_)[0].subject(), "generation 8");
  EXPECT_TRUE(AuditIsWhole(*store_));
}

TEST_P(StoreContract, OfADecisionOnWhatIsNoLongerSoNothingIsListedNorAudited) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  Store::PlanChange change = APlan(*store_, {});
  change.ended = {ARollout(8)};
  change.audits = {AnEntry("generation 8")};
  Give(*store_, v1::Word::CORDON, "a");
  EXPECT_EQ(store_->PutPlan(change).code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(store_->ListRollouts(10)->empty());
  EXPECT_EQ(Entries(*store_).size(), 1u);  // the word's
}

TEST_P(StoreContract, OfChangesTheNewestThousandAreKept) {
  Store::PlanChange change = APlan(*store_, {});
  for (uint64_t generation = 1; generation <= 1010; ++generation) {
    change.ended.push_back(ARollout(generation));
  }
  ASSERT_TRUE(store_->PutPlan(change).ok());
  const auto kept = store_->ListRollouts(5000);
  ASSERT_TRUE(kept.ok()) << kept.status();
  ASSERT_EQ(kept->size(), 1000u);
  EXPECT_EQ(kept->front().generation(), 1010u);
  EXPECT_EQ(kept->back().generation(), 11u);
}

TEST_P(StoreContract, WordsHaveNumbersThatAreNotGivenAgain) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  EXPECT_EQ(Give(*store_, v1::Word::CORDON, "a"), 1u);
  EXPECT_EQ(Give(*store_, v1::Word::DRAIN, "a"), 2u);
  EXPECT_EQ(Give(*store_, v1::Word::WAIVE, ""), 3u);
  const auto removed = store_->RemoveWords({3, 2, 77}, {AnEvent("a", "", "ended")}, AnEntry("a"));
  ASSERT_TRUE(removed.ok()) << removed.status();
  ASSERT_EQ(removed->size(), 2u);
  EXPECT_EQ(removed->at(0).kind(), v1::Word::WAIVE);
  EXPECT_EQ(store_->RemoveWords({2}, {}, AnEntry("a")).status().code(),
            absl::StatusCode::kNotFound);
  Reopen();
  EXPECT_EQ(Give(*store_, v1::Word::STOP, "a"), 4u);
  const auto words = store_->GetPlan()->words;
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].number(), 1u);
  EXPECT_EQ(words[1].number(), 4u);
  EXPECT_EQ(words[1].reason(), "the disk fails");
  EXPECT_EQ(Entries(*store_).size(), 5u);  // four that were said, one that was taken back
  EXPECT_TRUE(AuditIsWhole(*store_));
}

TEST_P(StoreContract, NothingIsSaidOfANodeThatIsNotThere) {
  ASSERT_TRUE(store_->AddNode(ANode("left")).ok());
  ASSERT_TRUE(store_->RemoveNode("left", AnEntry(""), kNoon).ok());
  for (const char* node : {"left", "never-was"}) {
    EXPECT_EQ(
        store_->AddWord(AWord(v1::Word::CORDON, node), AnEvent(node, "", "said"), AnEntry(node))
            .status()
            .code(),
        absl::StatusCode::kNotFound);
  }
  EXPECT_TRUE(store_->GetPlan()->words.empty());
  EXPECT_EQ(Entries(*store_).size(), 1u);
}

TEST_P(StoreContract, WhatWasDecidedOnWhatIsNoLongerSoIsNotStored) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  const Store::PlanChange before_the_word = APlan(*store_, {AMemoryOf("a", v1::SERVING)});
  const uint64_t number = Give(*store_, v1::Word::CORDON, "a");
  EXPECT_EQ(store_->PutPlan(before_the_word).code(), absl::StatusCode::kAborted);
  Store::PlanChange ends = APlan(*store_, {AMemoryOf("a", v1::READY)});
  ends.ended_words = {number};
  EXPECT_TRUE(store_->PutPlan(ends).ok());
  EXPECT_TRUE(store_->GetPlan()->words.empty());
  const Store::PlanChange before_the_removal = APlan(*store_, {AMemoryOf("a", v1::SERVING)});
  ASSERT_TRUE(store_->RemoveNode("a", AnEntry(""), kNoon).ok());
  EXPECT_EQ(store_->PutPlan(before_the_removal).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(RememberedNodes(*store_), Names{});
}

TEST_P(StoreContract, OfANodeThatIsRemovedNothingIsRememberedNorSaid) {
  for (const char* name : {"stays", "left"}) {
    ASSERT_TRUE(store_->AddNode(ANode(name)).ok());
    Give(*store_, v1::Word::DRAIN, name);
  }
  Give(*store_, v1::Word::WAIVE, "");
  ASSERT_TRUE(store_
                  ->PutPlan(APlan(*store_,
                                  {AMemoryOf("left", v1::FENCED), AMemoryOf("stays", v1::SERVING)}))
                  .ok());
  ASSERT_TRUE(store_->RemoveNode("left", AnEntry(""), kNoon).ok());
  Reopen();
  EXPECT_EQ(RememberedNodes(*store_), Names{"stays"});
  const auto words = store_->GetPlan()->words;
  ASSERT_EQ(words.size(), 2u);
  EXPECT_EQ(words[0].node(), "stays");
  EXPECT_EQ(words[1].node(), "");
}

// Its memory is another machine's.
TEST_P(StoreContract, ANameThatEnrolsAsAnotherMachineIsForgottenOneThatComesAgainIsNot) {
  ASSERT_TRUE(store_->AddToken(AToken("token", 5), AnEntry("token")).ok());
  const auto enrol = [this](const std::string& key, const std::string& machine) {
    const auto record = store_->SpendToken(
        "token", AUse("a", key),
        [&machine](v1::NodeRecord& node) {
          *node.mutable_enrolled_at() = ToProto(kNoon);
          node.set_machine_id(machine);
          return absl::OkStatus();
        },
        AnEntry("a"), kNoon);
    EXPECT_TRUE(record.ok()) << record.status();
  };
  enrol("1", "machine-1");
  ASSERT_TRUE(store_->PutPlan(APlan(*store_, {AMemoryOf("a", v1::SERVING)})).ok());
  enrol("2", "machine-1");
  EXPECT_EQ(RememberedNodes(*store_), Names{"a"});
  const Store::PlanChange of_the_first = APlan(*store_, {AMemoryOf("a", v1::SERVING)});
  enrol("3", "machine-2");
  EXPECT_EQ(RememberedNodes(*store_), Names{});
  EXPECT_EQ(store_->PutPlan(of_the_first).code(), absl::StatusCode::kAborted);
}

}  // namespace connect_ha
