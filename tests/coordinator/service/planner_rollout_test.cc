// A change of the cluster: what is stored and told of it, and what nodes are told.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/coordinator/service/rollout_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::seconds;
using Status = v1::RolloutStatus;

v1::Rollout Begun(uint64_t generation, Time at) {
  v1::Rollout rollout;
  rollout.set_generation(generation);
  rollout.set_from(generation - 1);
  rollout.set_kind(v1::Rollout::TOGETHER);
  rollout.set_applied_by("admin/alice");
  rollout.set_approved_by("admin/bob");
  *rollout.mutable_began_at() = ToProto(at);
  return rollout;
}

class RolloutTest : public RolloutFixture {
 protected:
  void Tell(Status::Phase phase, Status::Standing standing, const std::string& reason = "") {
    plan_.also = [=](v1::Decision& decision) {
      Status& status = *decision.mutable_rollout();
      status.set_generation(4);
      status.set_kind(v1::Rollout::TOGETHER);
      status.set_phase(phase);
      status.set_standing(standing);
      status.set_reason(reason);
    };
  }
  std::vector<std::string> Audit() {
    std::vector<std::string> lines;
    const auto entries = store_->ListAudit(0, 1000);
    EXPECT_TRUE(entries.ok()) << entries.status();
    for (const v1::AuditEntry& entry : *entries) {
      if (entry.action() != v1::AuditEntry::ROLLOUT_BEGUN &&
          entry.action() != v1::AuditEntry::ROLLOUT_ENDED) {
        continue;
      }
      lines.push_back(absl::StrCat(v1::AuditEntry::Action_Name(entry.action()), " ", entry.actor(),
                                   " ", entry.subject(), ": ", entry.text()));
    }
    return lines;
  }
};

using Lines = std::vector<std::string>;

// Nodes go on by what is in force: what is to come is only got ready for.
TEST_F(RolloutTest, NodesAreToldTheNextOneOnceItIsInForce) {
  plan_.wanted["a"] = v1::SERVING;
  Decide(1);
  const auto before = Hear(Serving(3), kNoon + seconds(1));
  EXPECT_EQ(before.assigned_generation(), 3u);
  EXPECT_FALSE(before.has_desired());
  EXPECT_EQ(before.ahead().generation(), 4u);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).generation(), 3u);
  plan_.in_force = 4;
  Decide(2);  // remembers it
  EXPECT_EQ(store_->GetPlan()->memory.generation(), 4u);
  EXPECT_EQ(roster_->TakeSnapshot(kNoon).generation(), 4u);
  EXPECT_FALSE(Hear(Serving(3), kNoon + seconds(2)).has_desired());  // its order is of 3 still
  Decide(3);                                                         // moves nodes by it
  const auto after = Hear(Serving(3), kNoon + seconds(3));
  EXPECT_EQ(after.assigned_generation(), 4u);
  EXPECT_EQ(after.desired().generation(), 4u);
  EXPECT_EQ(after.ahead_generation(), 0u);
}

TEST_F(RolloutTest, WhatCannotBeStoredIsNotInForce) {
  plan_.in_force = 4;
  {
    const BusyStore busy(dir_);
    Decide(1);
    EXPECT_EQ(roster_->SpecsNow().in_force->generation(), 3u);
  }
  Decide(2);
  EXPECT_EQ(roster_->SpecsNow().in_force->generation(), 4u);
}

TEST_F(RolloutTest, AfterARestartWhatWasInForceIsBeforeAnybodyIsAnswered) {
  plan_.in_force = 0;  // whatever the plan says from now on
  Restart(kNoon + seconds(5));
  EXPECT_EQ(roster_->SpecsNow().in_force->generation(), 3u);
  Apply(5, Enforced("2024.10.0"));
  EXPECT_EQ(roster_->SpecsNow().in_force->generation(), 3u);
  EXPECT_EQ(roster_->SpecsNow().newest->generation(), 5u);
  planner_->Decide(kNoon + seconds(6));
  EXPECT_EQ(plan_.input.generation(), 3u);
  EXPECT_EQ(plan_.input.next().generation(), 5u);
}

// It was stored, and nobody was told: the answer to the write was lost, say.
TEST_F(RolloutTest, WhatTheStoreSaysIsInForceIs) {
  const auto plan = store_->GetPlan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  Store::PlanChange change;
  change.revision = plan->revision;
  change.memory = plan->memory;
  change.memory.clear_nodes();
  change.memory.set_generation(4);
  ASSERT_TRUE(store_->PutPlan(change).ok());
  plan_.in_force = 0;
  Enrol("b");  // has it read anew
  Decide(1);
  EXPECT_EQ(plan_.input.generation(), 4u);
}

// The checklist is of the generation before, however lately it was judged.
TEST_F(RolloutTest, WhatComesIntoForceIsJudgedAnew) {
  Hear(Serving(3), kNoon);
  evaluator_->Tick(kNoon + seconds(20));
  Decide(21);
  const auto is_judged = [this] {
    const auto& rules = plan_.input.nodes(0).rules();
    return std::none_of(rules.begin(), rules.end(), [](const v1::NodeRule& line) {
      return line.text() == "what it reported last was not judged yet";
    });
  };
  EXPECT_TRUE(is_judged());
  Apply(5, Enforced());
  Decide(22);
  EXPECT_TRUE(is_judged());  // what is only to come changes no judgement
  plan_.in_force = 5;
  Decide(23);
  Decide(24);
  EXPECT_FALSE(is_judged());
  evaluator_->Tick(kNoon + seconds(40));
  Decide(41);
  EXPECT_TRUE(is_judged());
}

TEST_F(RolloutTest, ABackupIsAskedForOnceItIsRememberedAndItsEndIsToldOnce) {
  std::vector<v1::BackupRun> asked;
  std::optional<v1::BackupRun> latest;
  planner_->OnBackup({[&](const v1::BackupRun& run, const v1::ClusterSpec& spec, Time) {
                        EXPECT_EQ(store_->GetPlan()->memory.backup().generation(), 4u);
                        EXPECT_EQ(spec.connect().version(), "2024.09.0");
                        asked.push_back(run);
                      },
                      [&](Time) { return latest; }});
  v1::BackupRun run;
  run.set_generation(4);
  *run.mutable_asked_at() = ToProto(kNoon);
  plan_.also = [&run](v1::Decision& decision) {
    *decision.mutable_back_up() = run;
    *decision.mutable_remember()->mutable_backup() = run;
  };
  Decide(1);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].generation(), 4u);
  EXPECT_FALSE(plan_.input.has_backup());
  *run.mutable_ended_at() = ToProto(kNoon + seconds(90));
  run.set_text("no room");
  latest = run;
  Decide(91);
  Decide(92);
  EXPECT_EQ(plan_.input.backup().text(), "no room");
  ASSERT_EQ(CountEvents(v1::Event::BACKUP_RAN), 1u);
  EXPECT_EQ(StoredEvents().back().text(), "before generation 4: it failed after 1m 30s: no room");
}

TEST_F(RolloutTest, EachPhaseAndStandingIsOneEvent) {
  const auto told = [this] { return CountEvents(v1::Event::ROLLOUT_CHANGED); };
  Tell(Status::STAGING, Status::GOES_ON, "a fetches");
  Decide(1);
  Tell(Status::STAGING, Status::GOES_ON, "a installs");
  Decide(2);
  EXPECT_EQ(told(), 1u);
  EXPECT_TRUE(absl::StartsWith(StoredEvents().back().text(), "generation 4, together: "));
  EXPECT_TRUE(absl::EndsWith(StoredEvents().back().text(), ", goes on: a fetches"));
  Tell(Status::AWAITING, Status::WAITS, "an approval");
  Decide(3);
  Tell(Status::AWAITING, Status::PAUSED, "paused");
  Decide(4);
  EXPECT_EQ(told(), 3u);
  Restart(kNoon + seconds(5));
  Decide(6);
  Decide(7);
  EXPECT_EQ(told(), 4u);  // it may have come to that while nobody looked
  Tell(Status::DONE, Status::GOES_ON);
  Decide(8);
  plan_.also = nullptr;
  Decide(9);
  EXPECT_EQ(told(), 5u);
  Restart(kNoon + seconds(10));
  Decide(11);
  EXPECT_EQ(told(), 5u);
}

TEST_F(RolloutTest, EachThatHoldsItUpIsOneEvent) {
  const auto told = [this] { return CountEvents(v1::Event::ROLLOUT_CHANGED); };
  Tell(Status::AWAITING, Status::WAITS, "a: it was not heard for 35s");
  Decide(1);
  Tell(Status::AWAITING, Status::WAITS, "a, b: it was not heard for 36s");
  Decide(2);
  EXPECT_EQ(told(), 1u);
  Tell(Status::AWAITING, Status::WAITS, "b: database-is-writable: it is a replica");
  Decide(3);
  EXPECT_EQ(told(), 2u);
  EXPECT_TRUE(absl::EndsWith(StoredEvents().back().text(), "it is a replica"));
}

TEST_F(RolloutTest, WhatBeginsAndEndsIsAuditedAndListedWithTheDecision) {
  v1::Rollout rollout = Begun(4, kNoon);
  plan_.also = [&rollout](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = rollout;
  };
  Decide(1);
  Decide(2);
  EXPECT_EQ(planner_->CurrentRollout().generation(), 4u);
  EXPECT_EQ(Audit(), Lines{"ROLLOUT_BEGUN coordinator generation 4: together, from generation 3; "
                           "applied by admin/alice; approved by admin/bob"});
  rollout.set_first("a");
  Decide(3);
  EXPECT_EQ(Audit().size(), 1u);
  *rollout.mutable_ended_at() = ToProto(kNoon + seconds(90));
  rollout.set_end(v1::Rollout::DONE);
  plan_.also = [&rollout](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = rollout;
    *decision.add_ended() = rollout;
  };
  Decide(90);
  plan_.also = nullptr;  // it stays remembered
  Decide(91);
  EXPECT_EQ(planner_->CurrentRollout().generation(), 0u);
  ASSERT_EQ(Audit().size(), 2u);
  EXPECT_EQ(Audit()[1], "ROLLOUT_ENDED coordinator generation 4: done after 1m 30s; first a");
  ASSERT_EQ(store_->ListRollouts(10)->size(), 1u);
  EXPECT_EQ(store_->ListRollouts(10)->front().ShortDebugString(), rollout.ShortDebugString());
}

// Another one would go first in its place, and migrate the database beside it.
TEST_F(RolloutTest, WhoGoesFirstAloneIsNotRemovedUnasked) {
  v1::Rollout rollout = Begun(4, kNoon);
  plan_.also = [&rollout](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = rollout;
  };
  Decide(1);
  EXPECT_TRUE(planner_->CheckRemoval("a").ok());
  *rollout.mutable_in_force_at() = ToProto(kNoon);
  rollout.set_first("a");
  Decide(2);
  const absl::Status refused = planner_->CheckRemoval("a");
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "\nfix: ")) << refused;
  EXPECT_TRUE(absl::StrContains(refused.message(), "connect-ha node gone a")) << refused;
  EXPECT_TRUE(planner_->CheckRemoval("b").ok());
  *rollout.mutable_verified_at() = ToProto(kNoon);
  Decide(3);
  EXPECT_TRUE(planner_->CheckRemoval("a").ok());
}

// Audited once, and listed once, with what was counted until all were back.
TEST_F(RolloutTest, WhatWasGivenUpIsAuditedAndListedAndCountedOn) {
  v1::Rollout rollout = Begun(4, kNoon);
  plan_.also = [&rollout](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = rollout;
  };
  Decide(1);
  Restart(kNoon + seconds(2));
  EXPECT_EQ(planner_->CurrentRollout().generation(), 4u);  // before anything is decided
  *rollout.mutable_ended_at() = ToProto(kNoon + seconds(90));
  rollout.set_end(v1::Rollout::WENT_BACK);
  rollout.set_remarks("the window is over");
  plan_.also = [&rollout](v1::Decision& decision) {
    decision.mutable_remember()->clear_rollout();
    *decision.mutable_remember()->mutable_given_up() = rollout;
    *decision.add_ended() = rollout;
  };
  Decide(90);
  EXPECT_EQ(planner_->CurrentRollout().generation(), 0u);
  rollout.add_nodes()->set_out_us(7);
  Decide(95);
  plan_.also = [](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = Begun(4, kNoon + seconds(100));
  };
  Decide(100);
  const Lines audit = Audit();
  ASSERT_EQ(audit.size(), 3u);
  EXPECT_EQ(audit[1],
            "ROLLOUT_ENDED coordinator generation 4: went back after 1m 30s; the window is over");
  EXPECT_TRUE(absl::StartsWith(audit[2], "ROLLOUT_BEGUN coordinator generation 4: "));
  ASSERT_EQ(store_->ListRollouts(10)->size(), 1u);
  EXPECT_EQ(store_->ListRollouts(10)->front().nodes(0).out_us(), 7);
}

TEST_F(RolloutTest, ThatAGateIsToOpenIsAChangeOfItsStateAndNews) {
  plan_.wanted["a"] = v1::SERVING;
  plan_.closed = {"a"};
  Decide(1);
  EXPECT_TRUE(Hear(Serving(3), kNoon + seconds(1)).closed());
  EXPECT_EQ(StoredEvents().back().text(), "to be serving (closed), was to be observed: wanted");
  nudged_.clear();
  plan_.closed.clear();
  Decide(2);
  EXPECT_EQ(nudged_, Lines{"a"});
  EXPECT_FALSE(Hear(Serving(3), kNoon + seconds(2)).closed());
  EXPECT_EQ(StoredEvents().back().kind(), v1::Event::NODE_STATE_CHANGED);
  EXPECT_EQ(StoredEvents().back().text(), "to be serving, was to be serving (closed): wanted");
}

TEST_F(RolloutTest, WhatIsSaidOfAChangeIsOfTheClusterAndOfAGenerationThatThereIs) {
  v1::Word word;
  word.set_kind(v1::Word::APPROVE);
  word.set_generation(4);
  word.set_role(v1::OPERATOR);
  word.set_reason("as agreed");
  const auto give = [&] { return planner_->GiveWord(word, By("admin/bob"), kNoon + seconds(1)); };
  const auto given = give();
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_FALSE(given->has_assignment());
  EXPECT_EQ(store_->ListAudit(0, 1000)->back().subject(), "generation 4");
  ASSERT_EQ(plan_.input.words_size(), 1);
  word.set_kind(v1::Word::ABORT);
  word.set_generation(3);  // in force
  EXPECT_EQ(give().status().code(), absl::StatusCode::kFailedPrecondition) << "it is done";
  plan_.also = [](v1::Decision& decision) {
    *decision.mutable_remember()->mutable_rollout() = Begun(3, kNoon);
  };
  Decide(1);
  EXPECT_TRUE(give().ok());
  for (const uint64_t generation : {2, 5}) {
    word.set_generation(generation);
    const auto refused = give();
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kNotFound) << generation;
    EXPECT_TRUE(absl::StrContains(refused.status().message(),
                                  "is neither in force, which is 3, nor the newest, which is 4"))
        << refused.status();
  }
  word.clear_generation();
  word.set_kind(v1::Word::PAUSE);
  ASSERT_TRUE(give().ok());
  EXPECT_EQ(store_->ListAudit(0, 1000)->back().subject(), "the cluster");
  v1::TakeBackRequest resume;
  resume.add_kinds(v1::Word::PAUSE);
  resume.set_why("it was the disk");
  EXPECT_EQ(planner_->TakeBack(resume, By("admin/bob"), kNoon + seconds(2))->words_size(), 1);
  const auto again = planner_->TakeBack(resume, By("admin/bob"), kNoon + seconds(3));
  EXPECT_TRUE(absl::StartsWith(again.status().message(), "nobody said pause of the cluster\n"));
}

}  // namespace
}  // namespace connect_ha
