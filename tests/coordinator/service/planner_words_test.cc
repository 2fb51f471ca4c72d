// What people say, from the call to the input of the decision that heeds it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "coordinator/cluster/planning/words.h"
#include "tests/coordinator/service/planner_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Time kNoon{seconds(1'700'000'000)};

v1::Word AWord(v1::Word::Kind kind, const std::string& node = "a") {
  v1::Word word;
  word.set_kind(kind);
  word.set_node(node);
  word.set_reason("kernel update");
  word.set_role(v1::OPERATOR);
  return word;
}

v1::Word AWaiver(const std::string& rule) {
  v1::Word word = AWord(v1::Word::WAIVE, "");
  word.set_rule(rule);
  *word.mutable_until() = ToProto(kNoon + hours(2));
  return word;
}

class WordsTest : public PlannerFixture {
 protected:
  WordsTest() {
    Enrol("a");
    planner_->Decide(kNoon);
  }
  absl::StatusOr<v1::GiveWordResponse> Give(const v1::Word& word) {
    return planner_->GiveWord(word, By("admin/alice"), kNoon + seconds(1));
  }
  absl::StatusOr<v1::TakeBackResponse> TakeBack(std::vector<v1::Word::Kind> kinds,
                                                const std::string& node = "a",
                                                const std::string& rule = "") {
    v1::TakeBackRequest request;
    request.set_node(node);
    request.set_rule(rule);
    request.set_why("it is done");
    for (const v1::Word::Kind kind : kinds) request.add_kinds(kind);
    return planner_->TakeBack(request, By("admin/bob"), kNoon + seconds(2));
  }
  v1::AuditEntry LastAudit() { return store_->ListAudit(0, 1000)->back(); }
};

// It would end without effect, and whoever said it would think that an older one may start.
TEST_F(WordsTest, ADatabaseIsNotSaidToBePutBackWhileANewerConnectRuns) {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  v1::ConnectFacts& connect = *request.mutable_facts()->mutable_connect();
  connect.mutable_unit()->set_active_state("active");
  connect.set_running_version("2024.11.0");
  Hear(request, kNoon);
  planner_->Decide(kNoon);
  v1::Word word = AWord(v1::Word::RESTORED, "");
  word.set_version("2024.08.0");
  const auto given = Give(word);
  EXPECT_EQ(given.status().code(), absl::StatusCode::kFailedPrecondition) << given.status();
  EXPECT_TRUE(absl::StrContains(given.status().message(), "Connect 2024.11.0 runs on a"));
  EXPECT_TRUE(absl::StrContains(given.status().message(), "\nfix: connect-ha node stop a"));
  word.set_version("2024.11.0");
  EXPECT_TRUE(Give(word).ok());
}

TEST_F(WordsTest, NorWhereOneMayRunThatIsNotHeard) {
  v1::HeartbeatRequest request;
  request.set_node("a");
  request.set_machine_id("machine");
  request.set_boot_id("boot");
  request.set_facts_digest("digest");
  request.mutable_facts()->mutable_connect()->set_running_version("2024.11.0");
  Hear(request, kNoon);
  planner_->Decide(kNoon + seconds(60));
  const auto give = [this](const v1::Word& word, int after_s) {
    return planner_->GiveWord(word, By("admin/alice"), kNoon + seconds(after_s)).status();
  };
  v1::Word word = AWord(v1::Word::RESTORED, "");
  word.set_version("2024.08.0");
  const absl::Status given = give(word, 61);
  EXPECT_EQ(given.code(), absl::StatusCode::kFailedPrecondition) << given;
  EXPECT_TRUE(absl::StrContains(given.message(), "Connect 2024.11.0 may run on a")) << given;
  EXPECT_TRUE(absl::StrContains(given.message(), "connect-ha node gone a")) << given;
  ASSERT_TRUE(give(AWord(v1::Word::GONE), 62).ok());
  EXPECT_TRUE(give(word, 63).ok());
}

TEST_F(WordsTest, AWordIsStoredToldAndInTheNextDecisionBeforeTheCallReturns) {
  plan_.wanted["a"] = v1::DRAINING;
  const auto given = Give(AWord(v1::Word::DRAIN));
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(given->word().number(), 1u);
  EXPECT_EQ(given->word().by(), "admin/alice");
  EXPECT_EQ(FromProto(given->word().at()), kNoon + seconds(1));
  EXPECT_EQ(given->assignment().state(), v1::DRAINING);
  ASSERT_EQ(plan_.input.words_size(), 1);
  EXPECT_EQ(plan_.input.words(0).ShortDebugString(), given->word().ShortDebugString());
  EXPECT_EQ(planner_->CurrentPlan().words_size(), 1);
  EXPECT_EQ(LastAudit().action(), v1::AuditEntry::WORD_GIVEN);
  EXPECT_EQ(LastAudit().actor(), "admin/alice");
  EXPECT_EQ(LastAudit().subject(), "a");
  EXPECT_EQ(LastAudit().text(), "drain");
  EXPECT_EQ(LastAudit().why(), "kernel update");
  EXPECT_EQ(CountEvents(v1::Event::WORD_GIVEN), 1u);
  Restart(kNoon + seconds(5));
  planner_->Decide(kNoon + seconds(5));
  EXPECT_EQ(plan_.input.words_size(), 1);
}

TEST_F(WordsTest, WhatIsTakenBackIsOfTheKindsTheNodeAndTheRule) {
  Enrol("b");
  for (const v1::Word& word :
       {AWord(v1::Word::CORDON), AWord(v1::Word::DRAIN), AWord(v1::Word::STOP),
        AWord(v1::Word::CORDON, "b"), AWaiver("storage-works"), AWaiver("accounts-match")}) {
    ASSERT_TRUE(Give(word).ok());
  }
  const auto uncordoned = TakeBack({v1::Word::CORDON, v1::Word::DRAIN});
  ASSERT_TRUE(uncordoned.ok()) << uncordoned.status();
  ASSERT_EQ(uncordoned->words_size(), 2);
  EXPECT_EQ(uncordoned->words(0).number(), 1u);
  EXPECT_EQ(uncordoned->words(1).number(), 2u);
  EXPECT_TRUE(uncordoned->has_assignment());
  EXPECT_EQ(plan_.input.words_size(), 4);
  EXPECT_EQ(LastAudit().action(), v1::AuditEntry::WORD_TAKEN_BACK);
  EXPECT_EQ(LastAudit().text(), "cordon: kernel update; drain: kernel update");
  EXPECT_EQ(LastAudit().why(), "it is done");
  EXPECT_EQ(CountEvents(v1::Event::WORD_ENDED), 2u);
  EXPECT_EQ(StoredEvents().back().actor(), "admin/bob");
  ASSERT_TRUE(TakeBack({v1::Word::WAIVE}, "", "accounts-match").ok());
  EXPECT_EQ(plan_.input.words_size(), 3);
  const auto nothing = TakeBack({v1::Word::CORDON, v1::Word::DRAIN});
  EXPECT_EQ(nothing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StartsWith(nothing.status().message(), "nobody said cordon or drain of a\n"));
  const auto again = Give(AWord(v1::Word::CORDON));
  EXPECT_EQ(again->word().number(), 7u);  // none is given twice
}

TEST_F(WordsTest, WhatIsOverLeavesTheStoreAndIsTold) {
  ASSERT_TRUE(Give(AWaiver("storage-works")).ok());
  plan_.ended = {1};
  planner_->Decide(kNoon + hours(2));
  plan_.ended.clear();
  EXPECT_TRUE(store_->GetPlan()->words.empty());
  EXPECT_EQ(planner_->CurrentPlan().words_size(), 0);
  EXPECT_EQ(StoredEvents().back().kind(), v1::Event::WORD_ENDED);
  EXPECT_EQ(StoredEvents().back().text(),
            "no longer in force: waive storage-works: kernel update (until 2023-11-15T00:13:20Z)");
}

TEST_F(WordsTest, OfANodeThatIsRemovedNothingIsLeft) {
  ASSERT_TRUE(Give(AWord(v1::Word::FENCE)).ok());
  Remove("a", kNoon);
  EXPECT_TRUE(store_->GetPlan()->words.empty());
  EXPECT_EQ(Give(AWord(v1::Word::CORDON)).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(WordsTest, WhatCannotBeStoredWasNotSaid) {
  {
    const BusyStore busy(dir_);
    EXPECT_FALSE(Give(AWord(v1::Word::CORDON)).ok());
  }
  planner_->Decide(kNoon + seconds(3));
  EXPECT_EQ(plan_.input.words_size(), 0);
  EXPECT_EQ(Give(AWord(v1::Word::CORDON, "nobody")).status().code(), absl::StatusCode::kNotFound);
}

TEST(CheckWordTest, SaysWhatIsMissing) {
  const auto why = [](v1::Word word) { return std::string(CheckWord(word, kNoon).message()); };
  EXPECT_EQ(why(AWord(v1::Word::CORDON)), "");
  EXPECT_TRUE(absl::StartsWith(why(AWord(v1::Word::CORDON, "")), "no node is named"));
  EXPECT_TRUE(absl::StartsWith(why(AWord(v1::Word::UNFENCE)), "unfence needs an end"));
  EXPECT_TRUE(absl::StartsWith(why(v1::Word()), "it is not said what is to be done"));
  v1::Word word = AWord(v1::Word::DRAIN);
  word.clear_reason();
  EXPECT_TRUE(absl::StartsWith(why(word), "no reason is given"));
  word.set_reason(" \t");
  EXPECT_TRUE(absl::StartsWith(why(word), "no reason is given"));
  word = AWaiver("no-such-rule");
  EXPECT_TRUE(absl::StartsWith(why(word), "no rule no-such-rule"));
  word = AWaiver("storage-works");
  EXPECT_EQ(why(word), "");
  *word.mutable_until() = ToProto(kNoon);
  EXPECT_TRUE(absl::StrContains(why(word), "is over"));
  *word.mutable_until() = ToProto(kNoon + hours(24 * 400));
  EXPECT_TRUE(absl::StrContains(why(word), "more than a year away"));
  word.clear_until();
  EXPECT_TRUE(absl::StartsWith(why(word), "waive needs an end"));
  word = AWord(v1::Word::CORDON);
  word.set_rule("storage-works");
  EXPECT_EQ(why(word), "cordon is not of a rule");
}

TEST(CheckWordTest, WhatIsSaidOfAChangeNamesNoNodeAndWhichOne) {
  const auto why = [](v1::Word word) { return std::string(CheckWord(word, kNoon).message()); };
  for (const auto kind :
       {v1::Word::PAUSE, v1::Word::APPROVE, v1::Word::ABORT, v1::Word::RESTORED}) {
    EXPECT_TRUE(absl::StrContains(why(AWord(kind)), " is of the cluster, not of a node"));
  }
  EXPECT_EQ(why(AWord(v1::Word::PAUSE, "")), "");
  for (const auto kind : {v1::Word::APPROVE, v1::Word::ABORT}) {
    v1::Word word = AWord(kind, "");
    EXPECT_TRUE(absl::StartsWith(why(word), "no generation is named\nfix: "));
    word.set_generation(8);
    EXPECT_EQ(why(word), "");
    word.set_rule("storage-works");
    EXPECT_EQ(why(word), KindName(kind) + " is not of a rule");
  }
  v1::Word restored = AWord(v1::Word::RESTORED, "");
  for (const char* wrong : {"", "last week's", "2024.08.0~ubuntu22"}) {
    restored.set_version(wrong);
    EXPECT_TRUE(absl::StrContains(why(restored), "is no version of Connect\nfix: ")) << wrong;
  }
  restored.set_version("2024.08.0");
  EXPECT_EQ(why(restored), "");
}

TEST(DescribeWordTest, SaysOfWhichGenerationAndVersion) {
  v1::Word word = AWord(v1::Word::APPROVE, "");
  word.set_generation(8);
  EXPECT_EQ(DescribeWord(word), "approve generation 8: kernel update");
  word.set_now(true);
  word.set_downtime(true);
  EXPECT_EQ(DescribeWord(word),
            "approve generation 8: kernel update (without waiting for the window, though too few "
            "may serve)");
  word = AWord(v1::Word::RESTORED, "");
  word.set_version("2024.08.0");
  EXPECT_EQ(DescribeWord(word), "restored Connect 2024.08.0: kernel update");
}

TEST_F(WordsTest, WhatWasHeardLatelyIsNotGone) {
  EXPECT_TRUE(Give(AWord(v1::Word::GONE)).ok()) << "it was never heard";
  ASSERT_TRUE(TakeBack({v1::Word::GONE}).ok());
  Call("a", kNoon);
  const auto given = Give(AWord(v1::Word::GONE));
  EXPECT_EQ(given.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(absl::StrContains(given.status().message(), "a was heard 1s ago: it is not gone"))
      << given.status();
  EXPECT_TRUE(absl::StrContains(given.status().message(), "\nfix: ")) << given.status();
  const auto gone = [this](int after_s) {
    return planner_->GiveWord(AWord(v1::Word::GONE), By("admin/alice"), kNoon + seconds(after_s));
  };
  EXPECT_TRUE(gone(60).ok());
  ASSERT_TRUE(TakeBack({v1::Word::GONE}).ok());
  // The next coordinator awaits its call as long.
  Restart(kNoon + seconds(100));
  EXPECT_TRUE(absl::StrContains(gone(104).status().message(), "the coordinator started 4s ago"))
      << gone(104).status();
  EXPECT_TRUE(gone(140).ok());
}

TEST(DescribeWordTest, SaysUntilWhenAndHowHoweverLongItsReasonIs) {
  v1::Word word = AWaiver("storage-is-encrypted-in-transit");
  EXPECT_EQ(DescribeWord(word),
            "waive storage-is-encrypted-in-transit: kernel update (until 2023-11-15T00:13:20Z)");
  word.set_reason(std::string(2000, 'x'));
  word.set_now(true);
  word.set_downtime(true);
  const std::string text = DescribeWord(word);
  EXPECT_TRUE(absl::StrContains(text, "xxx... (until 2023-11-15T00:13:20Z, ")) << text;
  EXPECT_TRUE(absl::EndsWith(text, ", though nobody else may serve)")) << text;
}

TEST(NeededRoleTest, IsAnAdminsWhereItCanCorruptOrTakesTheServiceAway) {
  for (const auto kind : {v1::Word::FENCE, v1::Word::UNFENCE, v1::Word::RELEASE, v1::Word::GONE,
                          v1::Word::RESTORED}) {
    EXPECT_EQ(NeededRole(AWord(kind), {}), v1::ADMIN) << KindName(kind);
  }
  for (const auto kind : {v1::Word::CORDON, v1::Word::DRAIN, v1::Word::STOP, v1::Word::START,
                          v1::Word::APPROVE, v1::Word::PAUSE, v1::Word::ABORT}) {
    EXPECT_EQ(NeededRole(AWord(kind), {}), v1::OPERATOR) << KindName(kind);
  }
  v1::Word approval = AWord(v1::Word::APPROVE, "");
  approval.set_downtime(true);
  EXPECT_EQ(NeededRole(approval, {}), v1::ADMIN);
  v1::Word drain = AWord(v1::Word::DRAIN);
  drain.set_downtime(true);
  EXPECT_EQ(NeededRole(drain, {}), v1::ADMIN);
  EXPECT_EQ(NeededRole(AWaiver("clocks-are-synchronised"), {}), v1::OPERATOR);
  EXPECT_EQ(NeededRole(AWaiver("encryption-key-matches"), {}), v1::ADMIN);
  EXPECT_EQ(NeededRoleToTakeBack(v1::Word::FENCE, "", {}), v1::ADMIN);
}

TEST(NeededRoleTest, IsByWhatTheRuleDoesInThisCluster) {
  v1::ClusterSpec spec;
  (*spec.mutable_rules())["clocks-are-synchronised"].set_action(v1::FENCE);
  (*spec.mutable_rules())["encryption-key-matches"].set_action(v1::TELL);  // is not heeded
  EXPECT_EQ(NeededRole(AWaiver("clocks-are-synchronised"), spec), v1::ADMIN);
  EXPECT_EQ(NeededRoleToTakeBack(v1::Word::WAIVE, "clocks-are-synchronised", spec), v1::ADMIN);
  EXPECT_EQ(NeededRole(AWaiver("encryption-key-matches"), spec), v1::ADMIN);
  EXPECT_EQ(NeededRole(AWaiver("accounts-match"), spec), v1::OPERATOR);
}

}  // namespace
}  // namespace connect_ha
