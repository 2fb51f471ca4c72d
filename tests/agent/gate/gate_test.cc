// The gate: what it answers, and when it turns.
#include "agent/gate/gate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "common/time.h"
#include "tests/agent/gate/node_facts.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

using absl::StrContains;
using std::chrono::milliseconds;

constexpr char kUnit[] = "rstudio-connect.service";
constexpr char kProcesses[] = "/sys/fs/cgroup/system.slice/rstudio-connect.service/cgroup.procs";

class GateTest : public testing::Test {
 protected:
  GateTest() {
    orders_.mutable_desired()->set_generation(7);
    orders_.mutable_desired()->mutable_spec()->set_cluster("lab");
    orders_.mutable_desired()->mutable_spec()->set_enforcement(v1::ENFORCE);
    GateOptions options;
    options.node = "node-1";
    options.agent_config.set_connect_unit(kUnit);
    options.agent_config.set_allow(v1::ALLOW_SERVE);
    options.orders = [this] { return std::make_shared<const v1::Assignment>(orders_); };
    options.memory = [this] { return memory_; };
    options.facts = [this] { return facts_; };
    options.on_news = [this] { ++news_; };
    options.note_closed = [this](const std::string& closed_by) {
      ++noted_;
      memory_.set_closed_by(closed_by);
    };
    options_ = std::move(options);
    Tell(v1::SERVING);
    SetConnect("active", 200);
    Start();
  }
  // The agent is started again.
  void Start() { gate_ = std::make_unique<Gate>(options_, host_); }
  void Tell(v1::NodeState state, const std::string& reason = "") {
    orders_.set_state(state);
    orders_.set_reason(reason);
  }
  // Asked just now.
  void SetPing(uint32_t http_status) {
    v1::Ping& ping = *facts_.mutable_connect()->mutable_ping();
    ping.set_http_status(http_status);
    *ping.mutable_asked_at() = ToProto(host_.Now());
  }
  void SetConnect(const std::string& active, uint32_t ping) {
    v1::Unit unit;
    unit.set_name(kUnit);
    unit.set_load_state("loaded");
    unit.set_unit_file_state("enabled");
    unit.set_active_state(active);
    if (active == "active") unit.mutable_started_at()->set_seconds(100);
    host_.SetUnit(unit);
    facts_.Clear();
    SetConfiguration(facts_);
    *facts_.mutable_connect()->mutable_unit() = unit;
    if (ping > 0) SetPing(ping);
  }
  int Status() { return gate_->Health(milliseconds(0)).status; }
  std::string Text() { return gate_->Health(milliseconds(0)).text; }

  FakeHost host_;
  v1::Assignment orders_;
  v1::ServiceMemory memory_;
  v1::Facts facts_;
  std::atomic<int> news_{0};
  int noted_ = 0;
  GateOptions options_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, IsOpenExactlyWhereTheNodeServesAndConnectAnswers) {
  gate_->Look();
  EXPECT_EQ(Status(), 200);
  for (int number = 0; number < v1::NodeState_ARRAYSIZE; ++number) {
    const auto state = static_cast<v1::NodeState>(number);
    if (state == v1::NODE_STATE_UNSPECIFIED) continue;
    Tell(state);
    memory_.set_reached(state);
    const bool open = state == v1::SERVING || state == v1::OBSERVED;
    EXPECT_EQ(Status(), open ? 200 : 503) << number;
  }
}

// No look is needed for what the node is told.
TEST_F(GateTest, ClosesAtOnceWhenItIsToldTo) {
  gate_->Look();
  ASSERT_EQ(Status(), 200);
  memory_.set_reached(v1::SERVING);
  Tell(v1::DRAINING, "admin/alice: a new kernel");
  EXPECT_EQ(Text(), "closed: draining: admin/alice: a new kernel\n");
  Tell(v1::SERVING);
  EXPECT_EQ(Text(), "open\n");
}

// A look takes its time, and began before.
TEST_F(GateTest, NeverGoesByWhatItWasToldBefore) {
  gate_->Look();
  memory_.set_reached(v1::SERVING);
  ASSERT_EQ(Status(), 200);
  options_.facts = [this] {
    Tell(v1::DRAINING, "a new kernel");
    return facts_;
  };
  Start();
  gate_->Look();
  EXPECT_FALSE(gate_->News().report.gate_open());
  Tell(v1::SERVING);
  const uint64_t before = gate_->News().version;
  gate_->Look();
  EXPECT_EQ(gate_->News().version, before + 1);
}

TEST_F(GateTest, ClosesByItselfWhenConnectGoes) {
  gate_->Look();
  SetConnect("failed", 0);
  gate_->Look();
  EXPECT_EQ(Text(), "closed: Connect does not run (failed)\n");
  SetConnect("active", 503);
  gate_->Look();
  EXPECT_EQ(Text(), "closed: /__ping__ answers 503\n");
  SetConnect("active", 200);
  gate_->Look();
  EXPECT_EQ(Status(), 200);
}

TEST_F(GateTest, ARuleClosesItUnlessThereIsNobodyElse) {
  facts_.mutable_connect()->mutable_unit()->set_sub_state("auto-restart");
  gate_->Look();
  EXPECT_TRUE(StrContains(Text(), "closed: service-is-healthy: ")) << Text();
  orders_.set_no_other_serves(true);
  EXPECT_EQ(Status(), 200);
  EXPECT_TRUE(StrContains(gate_->Page(), "no other node serves")) << gate_->Page();
  // Of a node that is only observed no rule asks.
  orders_.set_no_other_serves(false);
  Tell(v1::OBSERVED);
  gate_->Look();
  EXPECT_EQ(Status(), 200);
}

TEST_F(GateTest, StaysClosedWhileConnectIsLookedAtWhoeverElseServes) {
  orders_.set_closed(true);
  orders_.set_no_other_serves(true);
  gate_->Look();
  EXPECT_EQ(Text(), "closed: Connect is being looked at before it serves\n");
  Start();
  gate_->Look();
  EXPECT_EQ(Status(), 503);
  orders_.set_closed(false);
  EXPECT_EQ(Text(), "open\n");
  // Where nothing is enforced it holds nothing up.
  orders_.set_closed(true);
  orders_.mutable_desired()->mutable_spec()->set_enforcement(v1::OBSERVE);
  EXPECT_EQ(Status(), 200);
}

TEST_F(GateTest, CountsWhatItRefusedAndIsNoNewsForIt) {
  gate_->Look();
  ASSERT_EQ(Status(), 200);
  EXPECT_EQ(gate_->News().report.refused(), 0u);
  SetConnect("failed", 0);
  gate_->Look();
  const uint64_t version = gate_->News().version;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Status(), 503);
  EXPECT_EQ(gate_->News().report.refused(), 3u);
  EXPECT_EQ(gate_->News().version, version);
}

// What fails is known before the node is told to serve.
TEST_F(GateTest, ARuleKeepsItClosedFromTheMomentOnAtWhichTheNodeServes) {
  facts_.mutable_connect()->mutable_unit()->set_sub_state("auto-restart");
  memory_.set_reached(v1::DRAINING);
  Tell(v1::DRAINING);
  gate_->Look();
  Tell(v1::SERVING);
  EXPECT_TRUE(StrContains(Text(), "closed: service-is-healthy: ")) << Text();
}

// A restart of the agent, which has read nothing yet but Connect, opens nothing.
TEST_F(GateTest, WhatARuleClosedStaysSoOverARestartUntilThatIsJudged) {
  auto& accounts = *orders_.mutable_desired()->mutable_spec()->mutable_accounts();
  accounts["rstudio-connect"].set_uid(999);
  memory_.mutable_served()->set_generation(7);
  const v1::Facts unread = facts_;
  v1::Account& account = *facts_.mutable_accounts()->add_accounts();
  account.set_name("rstudio-connect");
  account.set_uid(1001);
  account.set_gid(999);
  gate_->Look();
  gate_->Look();
  const std::string closed = Text();
  EXPECT_TRUE(StrContains(closed, "closed: accounts-match: ")) << closed;
  EXPECT_EQ(noted_, 1);
  Start();
  v1::Facts judged = std::exchange(facts_, unread);
  gate_->Look();
  EXPECT_EQ(Text(), closed);
  judged.mutable_accounts()->mutable_accounts(0)->set_uid(999);
  facts_ = judged;
  gate_->Look();
  EXPECT_EQ(Text(), "open\n");
  EXPECT_EQ(memory_.closed_by(), "");
}

TEST_F(GateTest, WhatCannotBeAskedThisTimeIsAsItWas) {
  gate_->Look();
  host_.SetError(kUnit, absl::UnavailableError("systemd does not answer"));
  facts_.Clear();
  host_.Advance(kAnswerCounts);
  gate_->Look();
  EXPECT_EQ(Status(), 200);
}

TEST_F(GateTest, WhatWasAskedTooLongAgoIsNotKnown) {
  constexpr char kNotKnown[] =
      "closed: whether Connect answers is not known since 2024-08-01T12:00:00Z\n";
  gate_->Look();
  // The probe hangs: at first what it read last stands, then nothing of it does.
  host_.Advance(kAnswerCounts + milliseconds(1));
  gate_->Look();
  EXPECT_EQ(Text(), kNotKnown);
  facts_.Clear();
  gate_->Look();
  EXPECT_EQ(Text(), kNotKnown);
  // An observed node's, too.
  Tell(v1::OBSERVED);
  EXPECT_EQ(Text(), kNotKnown);
  Tell(v1::SERVING);
  SetConnect("active", 200);
  gate_->Look();
  EXPECT_EQ(Text(), "open\n");
}

// As where systemd, or a disk, does not let it come back.
TEST_F(GateTest, AnAnswerGrowsOldWithoutALook) {
  gate_->Look();
  const uint64_t version = gate_->News().version;
  host_.Advance(kAnswerCounts);
  EXPECT_EQ(Status(), 200);
  host_.Advance(milliseconds(1));
  EXPECT_EQ(Status(), 503);
  EXPECT_FALSE(gate_->News().report.gate_open());
  EXPECT_GT(gate_->News().version, version);
}

TEST_F(GateTest, WhoAsksBeforeTheFirstLookWaitsForItAndNoLonger) {
  EXPECT_EQ(Text(), "closed: this node is being looked at\n");
  std::thread look([this] { gate_->Look(); });
  EXPECT_EQ(gate_->Health(std::chrono::seconds(30)).status, 200);
  look.join();
}

// A coordinator would count on it, and take the others out.
TEST_F(GateTest, WhereNobodyCanAskItIsSaidToBeClosed) {
  options_.is_heard = false;
  Start();
  gate_->Look();
  EXPECT_FALSE(gate_->News().report.gate_open());
  EXPECT_TRUE(StrContains(gate_->News().report.gate_reason(), "connect-ha-gate.socket"));
  Tell(v1::OBSERVED);
  EXPECT_FALSE(gate_->News().report.gate_open());
}

TEST_F(GateTest, NothingIsKnownOfAConnectThatRunsBeforeItWasAsked) {
  facts_.Clear();
  gate_->Look();
  EXPECT_EQ(Text(), "closed: this node is being looked at\n");
  SetConnect("inactive", 0);
  facts_.Clear();
  gate_->Look();
  EXPECT_EQ(Text(), "closed: Connect does not run (inactive)\n");
}

TEST_F(GateTest, TellsEachTurnOnce) {
  EXPECT_FALSE(gate_->News().is_known);
  gate_->Look();
  const GateNews open = gate_->News();
  EXPECT_TRUE(open.is_known);
  EXPECT_TRUE(open.report.gate_open());
  EXPECT_EQ(news_, 1);
  gate_->Look();
  EXPECT_EQ(news_, 1);
  EXPECT_EQ(gate_->News().version, open.version);
  host_.Advance(std::chrono::seconds(7));
  SetConnect("inactive", 0);
  gate_->Look();
  EXPECT_EQ(news_, 2);
  const GateNews closed = gate_->News();
  EXPECT_GT(closed.version, open.version);
  EXPECT_FALSE(closed.report.gate_open());
  EXPECT_EQ(closed.report.gate_reason(), "Connect does not run (inactive)");
  EXPECT_EQ(closed.report.gate_since().seconds(), open.report.gate_since().seconds() + 7);
}

TEST_F(GateTest, WhileItDrainsWhatStillRunsIsCounted) {
  host_.SetFile(kProcesses, "10\n20\n");
  host_.SetFile("/proc/10/status", "PPid:\t1\nUid:\t0\t0\t0\t0\n");
  host_.SetFile("/proc/20/status", "PPid:\t10\nUid:\t0\t999\t0\t0\n");
  gate_->Look();
  EXPECT_FALSE(gate_->News().report.jobs_known());
  Tell(v1::DRAINING);
  memory_.set_reached(v1::DRAINING);
  gate_->Look();
  EXPECT_TRUE(gate_->News().report.jobs_known());
  EXPECT_EQ(gate_->News().report.jobs(), 1u);
  const uint64_t version = gate_->News().version;
  host_.SetFile(kProcesses, "10\n");
  gate_->Look();
  EXPECT_EQ(gate_->News().report.jobs(), 0u);
  EXPECT_GT(gate_->News().version, version);
}

// Somebody started Connect before its node was to be prepared: it is not stopped, and goes on.
TEST_F(GateTest, AConnectThatIsNotStoppedKeepsItsUsers) {
  memory_.set_reached(v1::OBSERVED);
  Tell(v1::PREPARING);
  gate_->Look();
  EXPECT_EQ(Status(), 200);
}

TEST_F(GateTest, ThePageSaysWhatAPersonAsks) {
  gate_->Look();
  Tell(v1::FENCED, "storage-is-mounted: a local ext4");
  memory_.set_reached(v1::SERVING);
  const std::string page = gate_->Page();
  EXPECT_TRUE(StrContains(page, "node     node-1\n")) << page;
  EXPECT_TRUE(StrContains(page, "state    fenced, since 2024-08-01T12:00:00Z")) << page;
  EXPECT_TRUE(StrContains(page, "because  storage-is-mounted: a local ext4\n")) << page;
  EXPECT_TRUE(StrContains(page, "gate     closed, since 2024-08-01T12:00:00Z\n")) << page;
  orders_.mutable_since()->set_seconds(1'722'427'200);  // a day before
  EXPECT_TRUE(StrContains(gate_->Page(), "state    fenced, since 2024-07-31T12:00:00Z\n"));
}

}  // namespace
}  // namespace connect_ha
