#include "tests/contract/store_contract.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

const Time kNoon{std::chrono::seconds(1'700'000'000)};

v1::NodeRecord Node(const std::string& name) {
  v1::NodeRecord node;
  node.set_name(name);
  node.set_machine_id("machine-of-" + name);
  *node.mutable_enrolled_at() = ToProto(kNoon);
  return node;
}

v1::NodeReport Report(const std::string& node, const std::string& digest) {
  v1::NodeReport report;
  report.set_node(node);
  report.set_facts_digest(digest);
  report.mutable_facts()->mutable_host()->set_hostname(node + ".example.com");
  return report;
}

v1::Event Event(const std::string& node, const std::string& rule, const std::string& text) {
  v1::Event event;
  event.set_kind(v1::Event::FINDING_CHANGED);
  event.set_node(node);
  event.set_rule(rule);
  event.set_text(text);
  return event;
}

v1::StoredToken Token(const std::string& id, uint32_t uses) {
  v1::StoredToken token;
  token.set_stored_key("hash of a hash");
  token.mutable_token()->set_id(id);
  token.mutable_token()->set_uses_allowed(uses);
  *token.mutable_token()->mutable_created_at() = ToProto(kNoon);
  *token.mutable_token()->mutable_expires_at() = ToProto(kNoon + std::chrono::hours(1));
  return token;
}

v1::StoredToken::Use Use(const std::string& node, const std::string& key) {
  v1::StoredToken::Use use;
  use.set_node(node);
  use.set_machine_id("machine-of-" + node);
  use.set_public_key_sha256(key);
  return use;
}

v1::SpecGeneration Spec(const std::string& source, uint64_t generation = 1) {
  v1::SpecGeneration spec;
  spec.set_generation(generation);
  *spec.mutable_applied_at() = ToProto(kNoon);
  spec.set_applied_by("admin/alice");
  spec.mutable_bundle()->mutable_spec()->set_cluster("test");
  spec.mutable_bundle()->set_source(source);
  spec.mutable_bundle()->set_license(std::string("a\0b", 3));
  return spec;
}

v1::Finding Finding(const std::string& rule, v1::Outcome outcome) {
  v1::Finding finding;
  finding.set_rule(rule);
  finding.set_outcome(outcome);
  *finding.mutable_since() = ToProto(kNoon);
  return finding;
}

template <typename Message>
std::vector<std::string> Texts(const std::vector<Message>& messages) {
  std::vector<std::string> texts;
  for (const Message& message : messages) texts.push_back(message.ShortDebugString());
  return texts;
}

std::vector<std::string> EventTexts(const absl::StatusOr<std::vector<v1::Event>>& events) {
  std::vector<std::string> texts;
  if (!events.ok()) return {events.status().ToString()};
  for (const v1::Event& event : *events) texts.push_back(event.text());
  return texts;
}

}  // namespace

std::string StoreContract::Name() {
  return absl::StrCat(
      "contract_", getpid(), "_",
      testing::UnitTest::GetInstance()->current_test_info()->result()->start_timestamp());
}

TEST_P(StoreContract, NewStoreIsEmpty) {
  EXPECT_TRUE(store_->ListNodes()->empty());
  EXPECT_TRUE(store_->ListReports()->empty());
  EXPECT_TRUE(store_->ListTokens()->empty());
  EXPECT_TRUE(store_->ListEvents({})->empty());
  EXPECT_TRUE(store_->ListSpecs()->empty());
  EXPECT_EQ(store_->GetChecklist()->ShortDebugString(), "");
}

TEST_P(StoreContract, NodesAreListedByNameAndSurviveReopening) {
  v1::NodeRecord removed = Node("b");
  removed.set_removed(true);
  ASSERT_TRUE(store_->PutNode(Node("c")).ok());
  ASSERT_TRUE(store_->PutNode(Node("b")).ok());
  ASSERT_TRUE(store_->PutNode(removed).ok());
  ASSERT_TRUE(store_->PutNode(Node("a")).ok());
  Reopen();
  EXPECT_EQ(Texts(*store_->ListNodes()), Texts<v1::NodeRecord>({Node("a"), removed, Node("c")}));
  EXPECT_EQ(store_->GetNode("b")->ShortDebugString(), removed.ShortDebugString());
}

TEST_P(StoreContract, MissingNodeIsNotFoundAndNamed) {
  const auto node = store_->GetNode("nobody");
  EXPECT_EQ(node.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(node.status().message(), "no node nobody");
}

TEST_P(StoreContract, LatestReportReplacesTheOneBefore) {
  ASSERT_TRUE(store_->PutReport(Report("a", "1")).ok());
  ASSERT_TRUE(store_->PutReport(Report("b", "1")).ok());
  ASSERT_TRUE(store_->PutReport(Report("a", "2")).ok());
  Reopen();
  EXPECT_EQ(Texts(*store_->ListReports()),
            Texts<v1::NodeReport>({Report("a", "2"), Report("b", "1")}));
}

TEST_P(StoreContract, RemovedReportIsGoneAndRemovingItAgainIsFine) {
  ASSERT_TRUE(store_->PutReport(Report("a", "1")).ok());
  EXPECT_TRUE(store_->RemoveReport("a").ok());
  EXPECT_TRUE(store_->RemoveReport("a").ok());
  EXPECT_TRUE(store_->ListReports()->empty());
}

TEST_P(StoreContract, ChecklistKeepsItsOrderAndItsTimes) {
  v1::Checklist checklist;
  *checklist.mutable_evaluated_at() = ToProto(kNoon);
  *checklist.add_findings() = Finding("z-first", v1::PASS);
  *checklist.add_findings() = Finding("a-second", v1::FAIL);
  ASSERT_TRUE(store_->PutChecklist(checklist, {}).ok());
  Reopen();
  EXPECT_EQ(store_->GetChecklist()->ShortDebugString(), checklist.ShortDebugString());
}

TEST_P(StoreContract, ChecklistAndItsChangesAreReplacedAndAddedTogether) {
  v1::Checklist first, second;
  *first.add_findings() = Finding("old-rule", v1::PASS);
  *first.mutable_evaluated_at() = ToProto(kNoon);
  *second.add_findings() = Finding("rule", v1::FAIL);
  *second.mutable_evaluated_at() = ToProto(kNoon);
  ASSERT_TRUE(store_->PutChecklist(first, {Event("", "old-rule", "1")}).ok());
  ASSERT_TRUE(store_->PutChecklist(second, {Event("", "rule", "2"), Event("", "rule", "3")}).ok());
  EXPECT_EQ(store_->GetChecklist()->ShortDebugString(), second.ShortDebugString());
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_P(StoreContract, EventIdsGrowAcrossReopening) {
  const uint64_t first = *store_->AddEvent(Event("", "", "1"));
  const uint64_t second = *store_->AddEvent(Event("", "", "2"));
  Reopen();
  const uint64_t third = *store_->AddEvent(Event("", "", "3"));
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_EQ(store_->ListEvents({})->back().id(), third);
}

TEST_P(StoreContract, EventsAddedTogetherKeepTheirOrder) {
  ASSERT_TRUE(store_->AddEvents({Event("", "", "1"), Event("", "", "2")}).ok());
  ASSERT_TRUE(store_->AddEvents({}).ok());
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"1", "2"}));
}

TEST_P(StoreContract, NewestEventsThatMatchAreListedOldestFirst) {
  for (int i = 1; i <= 5; ++i) {
    const auto id =
        store_->AddEvent(Event(i % 2 ? "odd" : "even", i < 5 ? "r" : "s", absl::StrCat(i)));
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
  const uint64_t first = *store_->AddEvent(Event("", "", "1"));
  ASSERT_TRUE(store_->AddEvent(Event("", "", "2")).ok());
  EventQuery query;
  query.after_id = first;
  EXPECT_EQ(EventTexts(store_->ListEvents(query)), (std::vector<std::string>{"2"}));
}

TEST_P(StoreContract, SpecificationsKeepTheirGenerationsAndSurviveReopening) {
  EXPECT_EQ(store_->GetSpec(0).status().code(), absl::StatusCode::kNotFound);
  v1::SpecGeneration first = Spec("first");
  v1::SpecGeneration second = Spec("second", 7);
  second.set_rollback_of(1);
  EXPECT_TRUE(store_->AddSpec(first, 0, Event("", "", "applied 1")).ok());
  EXPECT_TRUE(store_->AddSpec(second, 1, Event("", "", "applied 7")).ok());
  Reopen();
  EXPECT_EQ(store_->GetSpec(1)->ShortDebugString(), first.ShortDebugString());
  EXPECT_EQ(store_->GetSpec(0)->ShortDebugString(), second.ShortDebugString());
  first.clear_bundle();
  second.clear_bundle();
  EXPECT_EQ(Texts(*store_->ListSpecs()), Texts<v1::SpecGeneration>({second, first}));
  EXPECT_EQ(store_->GetSpec(3).status().message(),
            "no generation 3 of the specification; the newest is 7\nfix: connect-ha spec history");
  EXPECT_EQ(EventTexts(store_->ListEvents({})),
            (std::vector<std::string>{"applied 1", "applied 7"}));
}

TEST_P(StoreContract, ASpecificationAfterOneThatIsNotTheNewestIsRefusedAndLeavesNothing) {
  ASSERT_TRUE(store_->AddSpec(Spec("first"), 0, Event("", "", "applied 1")).ok());
  for (const uint64_t newest : {0, 2}) {
    const auto refused = store_->AddSpec(Spec("late", 3), newest, Event("", "", "late"));
    EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(store_->ListSpecs()->size(), 1u);
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"applied 1"}));
}

TEST_P(StoreContract, OfTwoThatApplyAtOnceOneWins) {
  std::vector<absl::Status> results(8);
  std::vector<std::thread> racers;
  for (size_t i = 0; i < results.size(); ++i) {
    racers.emplace_back([&, i] {
      results[i] = store_->AddSpec(Spec(absl::StrCat(i)), 0, Event("", "", "applied"));
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 1);
  EXPECT_EQ(store_->ListSpecs()->size(), 1u);
  EXPECT_EQ(store_->ListEvents({})->size(), 1u);
}

TEST_P(StoreContract, ANodesChangesAreStoredOnceHoweverOftenTheyAreSent) {
  ASSERT_TRUE(store_->PutNode(Node("a")).ok());
  const std::vector<NumberedEvent> changes = {{3, Event("a", "", "3")}, {5, Event("a", "", "5")}};
  EXPECT_EQ(*store_->AddNodeChanges("a", changes), 5u);
  EXPECT_EQ(*store_->AddNodeChanges("a", changes), 5u);
  Reopen();
  EXPECT_EQ(*store_->AddNodeChanges("a", {{5, Event("a", "", "5")}, {6, Event("a", "", "6")}}), 6u);
  EXPECT_EQ(*store_->AddNodeChanges("a", {}), 6u);
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"3", "5", "6"}));
  EXPECT_EQ(store_->GetNode("a")->changes_taken(), 6u);
  EXPECT_EQ(store_->GetNode("a")->machine_id(), "machine-of-a");
  EXPECT_EQ(store_->AddNodeChanges("nobody", changes).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreContract, NodesThatWereLostAndDidNotComeBackAreListed) {
  int64_t second = 0;
  const auto add = [&](const std::string& node, v1::Event::Kind kind) {
    v1::Event event = Event(node, "", "");
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

TEST_P(StoreContract, TokenCanBeAddedOnlyOnce) {
  ASSERT_TRUE(store_->AddToken(Token("t1", 1)).ok());
  EXPECT_EQ(store_->AddToken(Token("t1", 5)).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->GetToken("t1")->ShortDebugString(), Token("t1", 1).ShortDebugString());
  EXPECT_EQ(store_->GetToken("t2").status().code(), absl::StatusCode::kNotFound);
}

TEST_P(StoreContract, TokensAreListedByCreation) {
  v1::StoredToken later = Token("a-later", 1);
  *later.mutable_token()->mutable_created_at() = ToProto(kNoon + std::chrono::seconds(1));
  ASSERT_TRUE(store_->AddToken(later).ok());
  ASSERT_TRUE(store_->AddToken(Token("b-earlier", 1)).ok());
  EXPECT_EQ(Texts(*store_->ListTokens()), Texts<v1::StoredToken>({Token("b-earlier", 1), later}));
}

TEST_P(StoreContract, SpendingRecordsTheUseAndPutsTheNode) {
  ASSERT_TRUE(store_->AddToken(Token("t", 1)).ok());
  ASSERT_TRUE(store_->SpendToken("t", Use("a", "key"), Node("a"), kNoon).ok());
  Reopen();
  EXPECT_EQ(store_->GetToken("t")->token().uses_spent(), 1u);
  EXPECT_EQ(Texts(*store_->ListNodes()), Texts<v1::NodeRecord>({Node("a")}));
}

TEST_P(StoreContract, UsedUpTokenIsRefusedButARepeatedUseIsNot) {
  ASSERT_TRUE(store_->AddToken(Token("t", 1)).ok());
  ASSERT_TRUE(store_->SpendToken("t", Use("a", "key"), Node("a"), kNoon).ok());
  const absl::Status other = store_->SpendToken("t", Use("b", "key 2"), Node("b"), kNoon);
  const absl::Status repeated = store_->SpendToken("t", Use("a", "key"), Node("a"), kNoon);
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other.message(), "token t is used up (1 of 1)\nfix: connect-ha token create");
  EXPECT_TRUE(repeated.ok());
  EXPECT_EQ(store_->GetToken("t")->token().uses_spent(), 1u);
  EXPECT_EQ(store_->ListNodes()->size(), 1u);
}

TEST_P(StoreContract, RepeatedUseSucceedsAfterTheTokenExpired) {
  ASSERT_TRUE(store_->AddToken(Token("t", 1)).ok());
  ASSERT_TRUE(store_->SpendToken("t", Use("a", "key"), Node("a"), kNoon).ok());
  const Time late = kNoon + std::chrono::hours(2);
  EXPECT_TRUE(store_->SpendToken("t", Use("a", "key"), Node("a"), late).ok());
  EXPECT_FALSE(store_->SpendToken("t", Use("a", "other key"), Node("a"), late).ok());
}

TEST_P(StoreContract, ExpiredRevokedAndMissingTokensAreRefused) {
  ASSERT_TRUE(store_->AddToken(Token("late", 1)).ok());
  ASSERT_TRUE(store_->AddToken(Token("revoked", 1)).ok());
  ASSERT_TRUE(store_->RevokeToken("revoked").ok());
  const auto spend = [&](const std::string& id, Time now) {
    return store_->SpendToken(id, Use("a", "key"), Node("a"), now).code();
  };
  EXPECT_EQ(spend("late", kNoon + std::chrono::hours(1)), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(spend("revoked", kNoon), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(spend("never-made", kNoon), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->RevokeToken("never-made").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_->ListNodes()->empty());
}

TEST_P(StoreContract, ATokenOfFiveUsesIsSpentFiveTimesWhoeverRaces) {
  ASSERT_TRUE(store_->AddToken(Token("t", 5)).ok());
  std::vector<absl::Status> results(20);
  std::vector<std::thread> racers;
  for (size_t i = 0; i < results.size(); ++i) {
    racers.emplace_back([&, i] {
      const std::string name = absl::StrCat("n", i);
      results[i] = store_->SpendToken("t", Use(name, name), Node(name), kNoon);
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 5);
  EXPECT_EQ(store_->ListNodes()->size(), 5u);
}

TEST_P(StoreContract, ManyWritersAndReadersAtOnceLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(store_->PutReport(Report(absl::StrCat("n", t), absl::StrCat(i))).ok());
        EXPECT_TRUE(store_->AddEvent(Event("", "", "")).ok());
        EXPECT_TRUE(store_->ListReports().ok());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EventQuery all;
  all.limit = 10'000;
  EXPECT_EQ(store_->ListEvents(all)->size(), size_t{kThreads * kEach});
  const auto reports = store_->ListReports();
  ASSERT_EQ(reports->size(), size_t{kThreads});
  for (const v1::NodeReport& report : *reports) {
    EXPECT_EQ(report.facts_digest(), absl::StrCat(kEach - 1));
  }
}

}  // namespace connect_ha
