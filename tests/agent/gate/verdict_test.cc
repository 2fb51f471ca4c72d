// What opens and closes the gate.
#include "agent/gate/verdict.h"

#include <gtest/gtest.h>

#include <chrono>

#include "absl/strings/match.h"
#include "common/time.h"
#include "tests/agent/gate/node_facts.h"

namespace connect_ha {
namespace {

constexpr Time kNow{std::chrono::seconds(1'722'513'600)};  // 2024-08-01T12:00:00Z

v1::Unit UnitOf(const std::string& active, int64_t started_at) {
  v1::Unit unit;
  unit.set_name("rstudio-connect.service");
  unit.set_load_state("loaded");
  unit.set_unit_file_state("enabled");
  unit.set_active_state(active);
  if (started_at > 0) unit.mutable_started_at()->set_seconds(started_at);
  return unit;
}

ConnectLook Answering() {
  ConnectLook look;
  look.unit = UnitOf("active", 100);
  *look.facts.mutable_unit() = UnitOf("active", 100);
  look.facts.mutable_ping()->set_http_status(200);
  *look.facts.mutable_ping()->mutable_asked_at() = ToProto(kNow);
  return look;
}

TEST(JudgeConnect, OpensWhereItRunsAndAnswers) {
  EXPECT_TRUE(JudgeConnect(Answering(), kNow).open);
  ConnectLook reloading = Answering();
  reloading.unit->set_active_state("reloading");
  EXPECT_TRUE(JudgeConnect(reloading, kNow).open);
}

TEST(JudgeConnect, WhatSystemdSaysNowCountsBeforeWhatWasGathered) {
  for (const char* state : {"inactive", "failed", "activating", "deactivating", ""}) {
    ConnectLook look = Answering();
    look.unit = UnitOf(state, 0);
    const GateVerdict verdict = JudgeConnect(look, kNow);
    EXPECT_FALSE(verdict.open) << state;
    EXPECT_TRUE(absl::StrContains(verdict.why, "Connect does not run")) << verdict.why;
  }
}

// It was started again: what it answered before says nothing.
TEST(JudgeConnect, AnAnswerCountsForTheStartThatItWasAskedOf) {
  ConnectLook look = Answering();
  look.unit = UnitOf("active", 200);
  EXPECT_EQ(JudgeConnect(look, kNow).why, "Connect was started, and has not answered yet");
}

TEST(JudgeConnect, NoAnswerAndAWrongOneClose) {
  ConnectLook look = Answering();
  look.facts.mutable_ping()->set_http_status(502);
  EXPECT_EQ(JudgeConnect(look, kNow).why, "/__ping__ answers 502");
  look.facts.mutable_ping()->clear_http_status();
  look.facts.mutable_ping()->set_error("connection refused");
  EXPECT_EQ(JudgeConnect(look, kNow).why, "/__ping__ does not answer: connection refused");
  look.facts.clear_ping();
  EXPECT_FALSE(JudgeConnect(look, kNow).open);
  EXPECT_EQ(JudgeConnect(ConnectLook(), kNow).why, "whether Connect runs is not known");
}

TEST(JudgeConnect, AnAnswerCountsForAWhile) {
  const ConnectLook look = Answering();
  const auto longer = kAnswerCounts + std::chrono::microseconds(1);
  EXPECT_TRUE(JudgeConnect(look, kNow + kAnswerCounts).open);
  EXPECT_EQ(JudgeConnect(look, kNow + longer).why,
            "whether Connect answers is not known since 2024-08-01T12:00:00Z");
  // The clock was set back.
  EXPECT_TRUE(JudgeConnect(look, kNow - kAnswerCounts).open);
  EXPECT_FALSE(JudgeConnect(look, kNow - longer).open);
}

class ClosedByRuleTest : public testing::Test {
 protected:
  ClosedByRuleTest() {
    orders_.set_state(v1::SERVING);
    orders_.mutable_desired()->set_generation(7);
    orders_.mutable_desired()->mutable_spec()->set_cluster("lab");
    orders_.mutable_desired()->mutable_spec()->set_enforcement(v1::ENFORCE);
    *facts_.mutable_connect()->mutable_unit() = UnitOf("active", 100);
    facts_.mutable_connect()->mutable_ping()->set_http_status(200);
    SetConfiguration(facts_);
    subject_.node = "node-1";
    subject_.now = FromProto(TimeOf(1'000'000));
    subject_.has_served = true;
  }
  static google::protobuf::Timestamp TimeOf(int64_t seconds) {
    google::protobuf::Timestamp time;
    time.set_seconds(seconds);
    return time;
  }
  // Connect restarts for ever: a rule that closes.
  void Loop() {
    v1::Unit& unit = *facts_.mutable_connect()->mutable_unit();
    unit.set_restarts(5);
    *unit.mutable_started_at() = TimeOf(1'000'000 - 10);
  }
  // uid 999 is asked for.
  void SetUid(uint32_t uid) {
    auto& accounts = *orders_.mutable_desired()->mutable_spec()->mutable_accounts();
    accounts["rstudio-connect"].set_uid(999);
    v1::Account& account = *facts_.mutable_accounts()->add_accounts();
    account.set_name("rstudio-connect");
    account.set_uid(uid);
    account.set_gid(999);
  }
  v1::WaivedRule& Waive(const std::string& rule) {
    v1::WaivedRule& waived = *orders_.add_waived();
    waived.set_rule(rule);
    return waived;
  }
  std::string Closed() { return ClosedByRule(facts_, orders_, subject_).text; }

  v1::Facts facts_;
  v1::Assignment orders_;
  GateSubject subject_;
};

TEST_F(ClosedByRuleTest, WhatIsUnknownOrOnlyOfTheNextBootClosesNothing) {
  EXPECT_EQ(Closed(), "");
  // Nothing is known of this node.
  const v1::Facts known = facts_;
  facts_.Clear();
  EXPECT_EQ(Closed(), "");
  facts_ = known;
  v1::Unit& unit = *facts_.mutable_connect()->mutable_unit();
  for (const char* state : {"disabled", "linked", "static", "generated", "masked"}) {
    unit.set_unit_file_state(state);
    EXPECT_EQ(Closed(), "") << state;
  }
  unit.set_load_state("masked");
  EXPECT_EQ(Closed(), "");
  facts_ = known;
  facts_.mutable_connect()->mutable_unit()->set_unit_file_state("linked");
  Loop();
  EXPECT_TRUE(absl::StartsWith(Closed(), "service-is-healthy: restarts in a loop")) << Closed();
}

TEST_F(ClosedByRuleTest, ARuleThatClosesAndFailsHereDoes) {
  Loop();
  EXPECT_TRUE(absl::StartsWith(Closed(), "service-is-healthy: restarts in a loop")) << Closed();
}

// systemd counts for months.
TEST_F(ClosedByRuleTest, OneCrashAfterManyOldOnesClosesNothing) {
  Loop();
  v1::Unit& unit = *facts_.mutable_connect()->mutable_unit();
  unit.set_restarts(30);
  unit.set_restarts_lately(1);
  EXPECT_EQ(Closed(), "");
  unit.set_restarts_lately(3);
  EXPECT_EQ(Closed(), "service-is-healthy: restarts in a loop (3 restarts within 10 minutes)");
}

// It neither closes nor opens.
TEST_F(ClosedByRuleTest, WhatClosedItDoesSoUntilItIsJudgedAgain) {
  SetUid(1001);
  const RuleClosing closing = ClosedByRule(facts_, orders_, subject_);
  EXPECT_TRUE(absl::StartsWith(closing.text, "accounts-match: ")) << closing.text;
  EXPECT_TRUE(closing.sure);
  subject_.closed_by = closing.text;
  facts_.mutable_accounts()->clear_accounts();
  EXPECT_EQ(Closed(), closing.text);
  facts_.Clear();
  EXPECT_EQ(Closed(), closing.text);
  Waive("accounts-match");
  EXPECT_EQ(Closed(), "");
}

TEST_F(ClosedByRuleTest, WhatIsRightAgainOpens) {
  SetUid(999);
  subject_.closed_by = "accounts-match: of before";
  EXPECT_EQ(Closed(), "");
}

// It stays so, and would keep the gate closed for ever.
TEST_F(ClosedByRuleTest, WhatWasUnknownBesidesKeepsNothingClosed) {
  SetUid(1001);
  v1::ConfigKey& key = *facts_.mutable_configuration()->add_keys();
  key.set_section("Applications");
  key.set_name("RunAsCurrentUser");
  key.add_values("true");
  const RuleClosing closing = ClosedByRule(facts_, orders_, subject_);
  EXPECT_TRUE(absl::StartsWith(closing.text, "accounts-match: ")) << closing.text;
  EXPECT_FALSE(closing.sure);
}

TEST_F(ClosedByRuleTest, TheSpecificationAndWhoWaivesHaveASay) {
  Loop();
  auto& rules = *orders_.mutable_desired()->mutable_spec()->mutable_rules();
  rules["service-is-healthy"].set_action(v1::TELL);
  EXPECT_EQ(Closed(), "");
  rules["service-is-healthy"].set_action(v1::HOLD);
  EXPECT_EQ(Closed(), "");
  rules["service-is-healthy"].set_action(v1::CLOSE);
  EXPECT_NE(Closed(), "");
  Waive("service-is-healthy");
  EXPECT_EQ(Closed(), "");
}

// As the plan has it drained for that.
TEST_F(ClosedByRuleTest, WhatOnlyAdvisesClosesWhereTheSpecificationSaysSo) {
  v1::FileSystemSpace& disk = *facts_.mutable_disk()->add_file_systems();
  disk.set_mount_point("/");
  disk.set_used_percent(98);
  EXPECT_EQ(Closed(), "");
  auto& rules = *orders_.mutable_desired()->mutable_spec()->mutable_rules();
  rules["disk-has-room"].set_action(v1::CLOSE);
  EXPECT_TRUE(absl::StartsWith(Closed(), "disk-has-room: ")) << Closed();
}

// Whether a coordinator is in reach or not.
TEST_F(ClosedByRuleTest, AWaiverEndsByTheNodesOwnClock) {
  SetUid(1001);
  v1::WaivedRule& waived = Waive("accounts-match");
  *waived.mutable_until() = ToProto(subject_.now + std::chrono::seconds(1));
  EXPECT_EQ(Closed(), "");
  subject_.now += std::chrono::seconds(1);
  EXPECT_TRUE(absl::StartsWith(Closed(), "accounts-match: ")) << Closed();
}

// The right file system is mounted, and there is a key: how they are kept fences nobody.
TEST_F(ClosedByRuleTest, WhatIsOfLessWeightThanARuleThatFencesClosesNothing) {
  v1::Mount& mount = *facts_.mutable_storage()->add_mounts();
  mount.set_mount_point("/mnt/connect");
  mount.set_source("nfs.example.com:/");
  mount.set_fs_type("nfs4");
  mount.mutable_unit()->set_unit_file_state("masked");
  v1::DataDirectory& data = *facts_.mutable_storage()->add_directories();
  data.set_key("Server.DataDir");
  data.set_path("/mnt/connect/data");
  data.set_resolved("/mnt/connect/data");
  data.set_mount_point("/mnt/connect");
  v1::MountAnswer& answer = *facts_.mutable_storage()->add_answers();
  answer.set_mount_point("/mnt/connect");
  answer.set_answered(true);
  v1::EncryptionKeyFacts& key = *facts_.mutable_encryption_key();
  key.add_sources("default");
  key.set_path("/mnt/connect/data/db/secret.key");
  key.set_mode(0640);
  key.set_uid(0);
  key.set_fingerprint("9f86d081");
  EXPECT_EQ(Closed(), "");
  mount.set_fs_type("ext4");
  EXPECT_TRUE(absl::StartsWith(Closed(), "storage-is-mounted: ")) << Closed();
}

TEST_F(ClosedByRuleTest, WhatIsOnlyNotDoneYetCloses) {
  SetUid(1001);
  EXPECT_TRUE(absl::StartsWith(Closed(), "accounts-match: ")) << Closed();
  subject_.has_served = false;
  EXPECT_EQ(Closed(), "");
}

}  // namespace
}  // namespace connect_ha
