// How often Connect is started, and what is remembered of that.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "agent/probes/connect/guard.h"
#include "agent/resources/service/without_secrets.h"
#include "common/time.h"
#include "tests/agent/resources/service_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kJournal[] =
    "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=20 "
    "--unit=rstudio-connect.service";
constexpr char kPrinted[] =
    "/usr/bin/journalctl --quiet --no-pager --output=cat --boot --lines=20 "
    "_SYSTEMD_UNIT=rstudio-connect.service";

TEST_F(ServiceTest, AStartThatFailsIsTriedThriceAndNoMoreUntilALaterOrder) {
  StartsFail();
  node_.host.SetCommand(kJournal,
                        {0, false, "cannot reach postgres://u:hunter2@db/connect\nexit code 1\n"});
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Apply().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  const absl::Status third = Apply();
  EXPECT_EQ(third.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(StrContains(third.message(), "fix: ")) << third;
  EXPECT_TRUE(StrContains(notes_.Get().start_failed(), "exit code 1"));
  EXPECT_FALSE(StrContains(notes_.Get().start_failed(), "hunter2"));
  EXPECT_EQ(Apply().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Starts(), 3);
  Order(UnitWanted::kRunning, 2);
  EXPECT_EQ(Apply().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Starts(), 4);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

// The database is away: nobody has to say anything once it is back.
TEST_F(ServiceTest, AStartThatThePreflightRefusesIsNoTry) {
  node_.host.SetUnitEffects(
      kUnit,
      [this](FakeHost& host) {
        v1::PreflightResult refused;
        *refused.mutable_at() = ToProto(host.Now());
        refused.set_reason("the database does not answer");
        host.SetFile(kPreflightFile, refused.SerializeAsString());
        SetUnit("failed", "enabled");
      },
      nullptr);
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 5; ++i) {
    const absl::Status refused = Apply();
    EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
    EXPECT_TRUE(StrContains(refused.message(), "may not start on this node: the database does"))
        << refused;
  }
  EXPECT_EQ(Starts(), 5);
  EXPECT_EQ(notes_.Get().starts(), 0u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  // What it said of an earlier start explains no later one.
  node_.host.Advance(std::chrono::seconds(1));
  StartsFail();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Apply().ok());
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ARefusedStartIsAskedAgainInAMinuteAtTheLatest) {
  Order(UnitWanted::kRunning);
  const ResourceContext context = Context();
  const std::unique_ptr<Resource> unit = MakeConnectUnit(context);
  EXPECT_EQ(unit->FirstRetry(), std::chrono::seconds(30));
  EXPECT_EQ(unit->LongestRetry(), std::chrono::seconds(60));
}

TEST_F(ServiceTest, WhatConnectPrintedIsToldWithoutWhatIsSecret) {
  (*desired_.mutable_spec()->mutable_secrets())["db_password"].set_file(
      "/etc/connect-ha/secrets/db");
  FakeFile secret;
  secret.content = "correct horse\n";
  secret.mode = 0600;
  node_.host.SetFile("/etc/connect-ha/secrets/db", secret);
  const ResourceContext context = Context();
  EXPECT_EQ(WithoutSecrets(context, "line 7: near \"correct horse\" \n\n token=abc\n"),
            "line 7: near \"***\" \n token=***");
  // Each line of a key, whose ends may be cut off.
  EXPECT_EQ(WithoutSecrets(context,
                           "MIIB\n-----END PRIVATE KEY-----\nit failed:\n"
                           "-----BEGIN RSA PRIVATE KEY-----\nMIIC\n-----END RSA PRIVATE KEY-----\n"
                           "exit code 1\n-----BEGIN PRIVATE KEY-----\nMIID\n"),
            "***\nit failed:\n***\nexit code 1\n***");
}

TEST_F(ServiceTest, WhatStartsAndDoesNotStayUpIsNotStartedForEver) {
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Apply().ok());
    SetUnit("failed", "enabled");
  }
  EXPECT_EQ(Apply().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Starts(), 3);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

// Of Type=simple, say: the start itself goes well each time.
TEST_F(ServiceTest, WhatSystemdStartsAgainAndAgainIsToldAfterThreeTries) {
  node_.host.SetCommand(kJournal, {0, false, "the licence has expired\n"});
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  EXPECT_TRUE(StrContains(Differs(), "about to start it again")) << Differs();
  SetRestarting(1);
  SetRestarting(1);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  SetRestarting(2);
  EXPECT_EQ(notes_.Get().start_failed(), "the licence has expired");
  EXPECT_EQ(notes_.Get().starts(), 3u);
  EXPECT_TRUE(StrContains(Differs(), "Connect did not start, 3 times")) << Differs();
  EXPECT_TRUE(StrContains(Differs(), "\nfix: ")) << Differs();
  EXPECT_EQ(Starts(), 1);
  // Nothing more is written.
  const size_t changes = node_.host.changes().size();
  SetRestarting(9);
  EXPECT_EQ(node_.host.changes().size(), changes);
}

// Where there is room for one line only, it is the first that is shown.
TEST_F(ServiceTest, WhatConnectSaidLastIsToldFirst) {
  const std::string journal =
      "Connect may start on this node\nStarting v1\nit is wrong: password=hunter2\nMain process "
      "exited\n";
  node_.host.SetCommand(kJournal, {0, false, journal});
  node_.host.SetCommand(kPrinted,
                        {0, false,
                         "Connect may start on this node\nStarting v1\n"
                         "it is wrong: password=hunter2\nConnect may start on this node\n"});
  StartsFail();
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Apply().ok());
  EXPECT_EQ(notes_.Get().start_failed(),
            "it is wrong: password=***\nConnect may start on this node\nStarting v1\n"
            "it is wrong: password=***\nMain process exited");
}

TEST_F(ServiceTest, WhatAnEarlierRunSaidExplainsNoLaterOne) {
  node_.host.SetCommand(kJournal, {0, false, "Main process exited, status=9/KILL\n"});
  node_.host.SetCommand(kPrinted, {0, false, "Stopped, as of yesterday\n"});
  StartsFail();
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Apply().ok());
  EXPECT_EQ(notes_.Get().start_failed(), "Main process exited, status=9/KILL");
}

TEST_F(ServiceTest, WhatWasNotSeenIsCountedOnceItIsSeen) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  SetRestarting(4);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

// It drains since its rule took it out of service first.
TEST_F(ServiceTest, WhatDrainsIsCountedOn) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(1);
  Order(UnitWanted::kAsItIs, 2);
  SetRestarting(3, v1::DRAINING);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ALaterOrderCountsWhatSystemdTriesAnew) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  SetRestarting(2);
  ASSERT_NE(notes_.Get().start_failed(), "");
  Order(UnitWanted::kRunning, 2);
  for (const uint32_t restarts : {2u, 3u, 4u}) {
    SetRestarting(restarts);
    EXPECT_EQ(notes_.Get().start_failed(), "") << restarts;
  }
  SetRestarting(5);
  EXPECT_NE(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, WhatThePreflightRefusesAgainAndAgainIsNoTry) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  SetRestarting(0);
  node_.host.Advance(std::chrono::seconds(5));
  v1::PreflightResult refused;
  *refused.mutable_at() = ToProto(node_.host.Now());
  refused.set_reason("the database does not answer");
  node_.host.SetFile(kPreflightFile, refused.SerializeAsString());
  for (const uint32_t restarts : {1u, 2u, 30u}) SetRestarting(restarts);
  EXPECT_EQ(notes_.Get().starts(), 1u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
  // Why is said while it goes on, too.
  EXPECT_TRUE(StrContains(Differs(),
                          "start it again; before, Connect was not let start on this "
                          "node: the database does not answer"))
      << Differs();
  SetUnit("activating", "enabled");
  EXPECT_TRUE(StrContains(Differs(), "is starting; before, Connect was not let start"))
      << Differs();
  refused.set_may_start(true);
  node_.host.SetFile(kPreflightFile, refused.SerializeAsString());
  SetRestarting(31);
  EXPECT_EQ(notes_.Get().starts(), 2u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

// What has run for long and then crashes is systemd's to start again.
TEST_F(ServiceTest, ACrashOfAConnectThatHasStayedUpIsNoTry) {
  Order(UnitWanted::kRunning);
  ASSERT_TRUE(Apply().ok());
  ASSERT_TRUE(notes_
                  .Change([](v1::ServiceMemory& memory) {
                    memory.clear_order();
                    memory.clear_starts();
                  })
                  .ok());
  for (const uint32_t restarts : {0u, 1u, 2u, 3u, 4u}) SetRestarting(restarts);
  EXPECT_EQ(notes_.Get().starts(), 0u);
  EXPECT_EQ(notes_.Get().start_failed(), "");
}

TEST_F(ServiceTest, ATryThatCannotBeCountedIsNotMade) {
  Order(UnitWanted::kRunning);
  node_.host.SetError(kNotes, absl::ResourceExhaustedError("no space left on device"));
  EXPECT_EQ(Apply().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Starts(), 0);
}

TEST_F(ServiceTest, WhichVersionWasStartedByWhichOrderIsWrittenDownBeforeTheStart) {
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.08.0~ubuntu22"});
  Order(UnitWanted::kRunning, 4);
  node_.host.SetUnitEffects(
      kUnit,
      [this](FakeHost& host) {
        v1::ServiceMemory on_disk;
        EXPECT_TRUE(on_disk.ParseFromString(*host.ReadFile(kNotes)));
        EXPECT_EQ(on_disk.newest_start().version(), "2024.08.0");
        SetUnit("active", "enabled");
      },
      nullptr);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 4u);
  node_.host.SetUnitEffects(kUnit, nullptr, nullptr);
  // An older one is none that the database was not migrated for.
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.06.0~ubuntu22"});
  SetUnit("inactive", "enabled");
  Order(UnitWanted::kRunning, 5);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().version(), "2024.08.0");
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 4u);
  node_.SetInstalled(FakeDeb{"rstudio-connect", "2024.08.0~ubuntu22"});
  SetUnit("inactive", "enabled");
  Order(UnitWanted::kRunning, 6);
  ASSERT_TRUE(Apply().ok());
  EXPECT_EQ(notes_.Get().newest_start().order().serial(), 6u);
}

TEST_F(ServiceTest, WhereItIsNotKnownWhatWouldBeStartedNothingIs) {
  node_.host.SetError("/var/lib/dpkg/status", absl::UnavailableError("input/output error"));
  Order(UnitWanted::kRunning);
  EXPECT_EQ(Apply().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Starts(), 0);
}

// Killed at any instruction and begun again, it is never started a fourth time.
TEST_F(ServiceTest, KilledWhereverItIsItIsStartedThriceAtTheMost) {
  StartsFail();
  Order(UnitWanted::kRunning);
  for (int i = 0; i < 20; ++i) {
    node_.host.DieAtCall(1 + i % 3);
    ServiceNotes notes(node_.host, kNotes);
    ResourceContext context = Context();
    context.notes = &notes;
    MakeConnectUnit(context)->Apply(progress_).IgnoreError();
    node_.host.Revive();
  }
  EXPECT_LE(Starts(), 3);
}

TEST_F(ServiceTest, WhyItDidNotStartIsToldUntilItIsToldToServeAnew) {
  v1::ServiceMemory memory;
  memory.mutable_order()->set_lineage("L");
  memory.mutable_order()->set_serial(5);
  memory.set_start_failed("why");
  v1::Assignment orders;
  orders.set_state(v1::SERVING);
  *orders.mutable_order() = memory.order();
  EXPECT_EQ(StartFailure(memory, orders), "why");
  orders.set_state(v1::STOPPED);
  orders.clear_order();
  EXPECT_EQ(StartFailure(memory, orders), "why");
  orders.set_state(v1::SERVING);
  *orders.mutable_order() = memory.order();
  orders.mutable_order()->set_serial(6);
  EXPECT_EQ(StartFailure(memory, orders), "");
}

TEST(ServiceNotes, AreThereAfterARestartAndWrittenOnlyWhereTheyChange) {
  BareNode node;
  {
    ServiceNotes notes(node.host, kNotes);
    EXPECT_TRUE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(2); }).ok());
  }
  ServiceNotes notes(node.host, kNotes);
  EXPECT_EQ(notes.Get().starts(), 2u);
  const size_t written = node.host.changes().size();
  EXPECT_TRUE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(2); }).ok());
  EXPECT_EQ(node.host.changes().size(), written);
  // What could not be written holds all the same, and is written with the next.
  node.host.SetError(kNotes, absl::ResourceExhaustedError("full"));
  EXPECT_FALSE(notes.Change([](v1::ServiceMemory& memory) { memory.set_starts(3); }).ok());
  EXPECT_EQ(notes.Get().starts(), 3u);
  node.host.SetError(kNotes, absl::OkStatus());
  EXPECT_TRUE(notes.Change([](v1::ServiceMemory&) {}).ok());
  EXPECT_EQ(ServiceNotes(node.host, kNotes).Get().starts(), 3u);
  node.host.SetFile(kNotes, "\xff\xff");
  EXPECT_EQ(ServiceNotes(node.host, kNotes).Get().starts(), 0u);
}

}  // namespace
}  // namespace connect_ha
