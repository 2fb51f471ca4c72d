// What people do: specifications, tokens, admins.
#include <algorithm>
#include <limits>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/coordinator/store/store_contract.h"
#include "tests/coordinator/store/store_messages.h"

namespace connect_ha {
namespace {

std::vector<std::string> Subjects(Store& store) {
  std::vector<std::string> subjects;
  for (const v1::AuditEntry& entry : Entries(store)) subjects.push_back(entry.subject());
  return subjects;
}

v1::Event Applied(const std::string& text) { return AnEvent("", "", text); }

}  // namespace

TEST_P(StoreContract, SpecificationsKeepTheirGenerationsAndSurviveReopening) {
  EXPECT_EQ(store_->GetSpec(0).status().code(), absl::StatusCode::kNotFound);
  v1::SpecGeneration first = ASpec("first");
  v1::SpecGeneration second = ASpec("second", 7);
  second.set_rollback_of(1);
  EXPECT_TRUE(store_->AddSpec(first, 0, Applied("1"), AnEntry("generation 1")).ok());
  EXPECT_TRUE(store_->AddSpec(second, 1, Applied("7"), AnEntry("generation 7")).ok());
  Reopen();
  EXPECT_EQ(store_->GetSpec(1)->ShortDebugString(), first.ShortDebugString());
  EXPECT_EQ(store_->GetSpec(0)->ShortDebugString(), second.ShortDebugString());
  first.clear_bundle();
  second.clear_bundle();
  EXPECT_EQ(Texts(*store_->ListSpecs()), Texts<v1::SpecGeneration>({second, first}));
  EXPECT_EQ(store_->GetSpec(3).status().message(),
            "no generation 3 of the specification; the newest is 7\nfix: connect-ha spec history");
  EXPECT_EQ(EventTexts(store_->ListEvents({})), (std::vector<std::string>{"1", "7"}));
  EXPECT_EQ(Subjects(*store_), (std::vector<std::string>{"generation 1", "generation 7"}));
}

TEST_P(StoreContract, ASpecificationAfterOneThatIsNotTheNewestIsRefusedAndLeavesNothing) {
  ASSERT_TRUE(store_->AddSpec(ASpec("first"), 0, Applied("1"), AnEntry("1")).ok());
  const std::string before = Everything(*store_);
  for (const uint64_t newest : {0, 2}) {
    const auto refused = store_->AddSpec(ASpec("late", 3), newest, Applied("3"), AnEntry("3"));
    EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(Everything(*store_), before);
}

TEST_P(StoreContract, AGenerationThatCannotBeTheNewestIsRefusedAndLeavesNothing) {
  ASSERT_TRUE(store_->AddSpec(ASpec("first", 5), 0, Applied("5"), AnEntry("5")).ok());
  const std::string before = Everything(*store_);
  for (const uint64_t odd : {uint64_t{0}, uint64_t{4}, uint64_t{5}, uint64_t{1} << 63,
                             std::numeric_limits<uint64_t>::max()}) {
    const auto refused = store_->AddSpec(ASpec("odd", odd), 5, Applied("odd"), AnEntry("odd"));
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << odd;
    EXPECT_EQ(Everything(*store_), before);
  }
  EXPECT_TRUE(store_->AddSpec(ASpec("next", 6), 5, Applied("6"), AnEntry("6")).ok());
}

TEST_P(StoreContract, OfTwoThatApplyAtOnceOneWins) {
  std::vector<absl::Status> results(8);
  std::vector<std::thread> racers;
  for (size_t i = 0; i < results.size(); ++i) {
    racers.emplace_back([&, i] {
      results[i] = store_->AddSpec(ASpec(absl::StrCat(i)), 0, Applied("1"), AnEntry("1"));
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 1);
  EXPECT_EQ(store_->ListSpecs()->size(), 1u);
  EXPECT_EQ(store_->ListEvents({})->size(), 1u);
  EXPECT_EQ(Entries(*store_).size(), 1u);
}

TEST_P(StoreContract, TokenCanBeAddedOnlyOnce) {
  ASSERT_TRUE(store_->AddToken(AToken("t1", 1), AnEntry("t1")).ok());
  EXPECT_EQ(store_->AddToken(AToken("t1", 5), AnEntry("t1")).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->GetToken("t1")->ShortDebugString(), AToken("t1", 1).ShortDebugString());
  EXPECT_EQ(store_->GetToken("t2").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Subjects(*store_), std::vector<std::string>{"t1"});
}

TEST_P(StoreContract, TokensAreListedByCreation) {
  v1::StoredToken later = AToken("a-later", 1);
  *later.mutable_token()->mutable_created_at() = ToProto(kNoon + std::chrono::seconds(1));
  ASSERT_TRUE(store_->AddToken(later, AnEntry("")).ok());
  ASSERT_TRUE(store_->AddToken(AToken("b-earlier", 1), AnEntry("")).ok());
  EXPECT_EQ(Texts(*store_->ListTokens()), Texts<v1::StoredToken>({AToken("b-earlier", 1), later}));
}

TEST_P(StoreContract, SpendingRecordsTheUseMakesTheNodeAndIsAudited) {
  ASSERT_TRUE(store_->AddToken(AToken("t", 1), AnEntry("t")).ok());
  v1::NodeRecord made;
  made.set_name("a");
  std::string given;
  const auto change = [&](v1::NodeRecord& node) {
    given = node.ShortDebugString();
    node = ANode("a");
    return absl::OkStatus();
  };
  const auto record = store_->SpendToken("t", AUse("a", "key"), change, AnEntry("a"), kNoon);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(given, made.ShortDebugString());
  EXPECT_EQ(record->ShortDebugString(), ANode("a").ShortDebugString());
  Reopen();
  EXPECT_EQ(store_->GetToken("t")->token().uses_spent(), 1u);
  EXPECT_EQ(Texts(*store_->ListNodes()), Texts<v1::NodeRecord>({ANode("a")}));
  EXPECT_EQ(Subjects(*store_), (std::vector<std::string>{"t", "a"}));
}

TEST_P(StoreContract, SpendingForANodeThatIsThereChangesItsRecord) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->AddNodeChanges("a", {{4, AnEvent("a", "", "4")}}).ok());
  ASSERT_TRUE(store_->AddToken(AToken("t", 1), AnEntry("t")).ok());
  const auto record =
      store_->SpendToken("t", AUse("a", "key"), OfMachine("another"), AnEntry("a"), kNoon);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->machine_id(), "another");
  EXPECT_EQ(record->changes_taken(), 4u);
  EXPECT_EQ(FromProto(record->enrolled_at()), kNoon);
}

TEST_P(StoreContract, WhatTheChangeRefusesSpendsNothing) {
  ASSERT_TRUE(store_->AddNode(ANode("a")).ok());
  ASSERT_TRUE(store_->AddToken(AToken("t", 1), AnEntry("t")).ok());
  const std::string before = Everything(*store_);
  const auto refuse = [](v1::NodeRecord& node) {
    node.set_machine_id("another");
    return absl::AlreadyExistsError("another machine is enrolled");
  };
  EXPECT_EQ(store_->SpendToken("t", AUse("a", "key"), refuse, AnEntry("a"), kNoon).status(),
            absl::AlreadyExistsError("another machine is enrolled"));
  EXPECT_EQ(Everything(*store_), before);
}

TEST_P(StoreContract, UsedUpTokenIsRefusedButARepeatedUseIsNot) {
  const auto spend = [&](const std::string& node, const std::string& key, Time now) {
    return store_->SpendToken("t", AUse(node, key), OfMachine("m"), AnEntry(node), now).status();
  };
  ASSERT_TRUE(store_->AddToken(AToken("t", 1), AnEntry("t")).ok());
  ASSERT_TRUE(spend("a", "key", kNoon).ok());
  const std::string before = Everything(*store_);
  const absl::Status other = spend("b", "key 2", kNoon);
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other.message(), "token t is used up (1 of 1)\nfix: connect-ha token create");
  EXPECT_TRUE(spend("a", "key", kNoon).ok());
  const Time late = kNoon + std::chrono::hours(2);
  EXPECT_TRUE(spend("a", "key", late).ok());
  EXPECT_FALSE(spend("a", "other key", late).ok());
  ASSERT_EQ(Everything(*store_), before);
  ASSERT_TRUE(store_->RevokeToken("t", AnEntry("t")).ok());
  EXPECT_TRUE(spend("a", "key", late).ok());
}

TEST_P(StoreContract, ARepeatedUseAsksTheChangeToo) {
  ASSERT_TRUE(store_->AddToken(AToken("t", 1), AnEntry("t")).ok());
  ASSERT_TRUE(store_->SpendToken("t", AUse("a", "key"), OfMachine("m"), AnEntry("a"), kNoon).ok());
  ASSERT_TRUE(store_->RemoveNode("a", AnEntry(""), kNoon).ok());
  const auto refuse_removed = [](v1::NodeRecord& node) {
    return node.removed() ? absl::PermissionDeniedError("it was removed") : absl::OkStatus();
  };
  const auto again = store_->SpendToken("t", AUse("a", "key"), refuse_removed, AnEntry("a"), kNoon);
  EXPECT_EQ(again.status(), absl::PermissionDeniedError("it was removed"));
  EXPECT_TRUE(store_->GetNode("a")->removed());
}

TEST_P(StoreContract, ExpiredRevokedAndMissingTokensAreRefused) {
  ASSERT_TRUE(store_->AddToken(AToken("late", 1), AnEntry("late")).ok());
  ASSERT_TRUE(store_->AddToken(AToken("revoked", 1), AnEntry("revoked")).ok());
  ASSERT_TRUE(store_->RevokeToken("revoked", AnEntry("revoked")).ok());
  const auto spend = [&](const std::string& id, Time now) {
    return store_->SpendToken(id, AUse("a", "key"), OfMachine("m"), AnEntry("a"), now)
        .status()
        .code();
  };
  EXPECT_EQ(spend("late", kNoon + std::chrono::hours(1)), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(spend("revoked", kNoon), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(spend("never-made", kNoon), absl::StatusCode::kNotFound);
  EXPECT_EQ(store_->RevokeToken("never-made", AnEntry("never-made")).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(store_->ListNodes()->empty());
  EXPECT_EQ(Subjects(*store_), (std::vector<std::string>{"late", "revoked", "revoked"}));
}

TEST_P(StoreContract, ATokenOfFiveUsesIsSpentFiveTimesWhoeverRaces) {
  ASSERT_TRUE(store_->AddToken(AToken("t", 5), AnEntry("t")).ok());
  std::vector<absl::Status> results(20);
  std::vector<std::thread> racers;
  for (size_t i = 0; i < results.size(); ++i) {
    racers.emplace_back([&, i] {
      const std::string name = absl::StrCat("n", i);
      results[i] =
          store_->SpendToken("t", AUse(name, name), OfMachine(name), AnEntry(name), kNoon).status();
    });
  }
  for (std::thread& racer : racers) racer.join();
  EXPECT_EQ(std::count_if(results.begin(), results.end(), [](const auto& r) { return r.ok(); }), 5);
  EXPECT_EQ(store_->ListNodes()->size(), 5u);
  EXPECT_EQ(Entries(*store_).size(), 6u);
}

TEST_P(StoreContract, AdminsAreMadeAndChangedUnderTheirNames) {
  const auto become = [](v1::Role role) {
    return [role](v1::AdminRecord& admin) {
      admin.set_role(role);
      return absl::OkStatus();
    };
  };
  EXPECT_EQ(store_->GetAdmin("bob").status().message(), "no admin bob");
  ASSERT_TRUE(store_->ChangeAdminRecord("bob", become(v1::VIEWER), AnEntry("bob")).ok());
  ASSERT_TRUE(store_->ChangeAdminRecord("alice", become(v1::ADMIN), AnEntry("alice")).ok());
  const auto changed = store_->ChangeAdminRecord(
      "bob",
      [](v1::AdminRecord& admin) {
        EXPECT_EQ(admin.role(), v1::VIEWER);
        *admin.mutable_removed_at() = ToProto(kNoon);
        return absl::OkStatus();
      },
      AnEntry("bob, removed"));
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(changed->has_removed_at());
  Reopen();
  v1::AdminRecord alice;
  alice.set_name("alice");
  alice.set_role(v1::ADMIN);
  EXPECT_EQ(Texts(*store_->ListAdmins()), Texts<v1::AdminRecord>({alice, *changed}));
  EXPECT_EQ(store_->GetAdmin("bob")->ShortDebugString(), changed->ShortDebugString());
  EXPECT_EQ(Subjects(*store_), (std::vector<std::string>{"bob", "alice", "bob, removed"}));
}

TEST_P(StoreContract, WhatTheChangeOfAnAdminRefusesIsNotStored) {
  const auto refuse = [](v1::AdminRecord& admin) {
    admin.set_role(v1::ADMIN);
    return absl::FailedPreconditionError("the last admin");
  };
  EXPECT_EQ(store_->ChangeAdminRecord("bob", refuse, AnEntry("bob")).status(),
            absl::FailedPreconditionError("the last admin"));
  EXPECT_TRUE(store_->ListAdmins()->empty());
  EXPECT_TRUE(Entries(*store_).empty());
}

}  // namespace connect_ha
