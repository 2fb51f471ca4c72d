#include "agent/loop/notice_notes.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/machine/instance_notices.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kService[] = "http://169.254.169.254/latest/";
constexpr char kStateDir[] = "/var/lib/connect-ha-agent";
constexpr char kFile[] = "/var/lib/connect-ha-agent/notices";

class NoticeNotesTest : public testing::Test {
 protected:
  NoticeNotesTest() {
    host().SetDirectory(kStateDir);
    host().SetFile("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    Answers(200);
  }
  FakeHost& host() { return *bench_->host; }
  // The metadata service, and that Auto Scaling has the instance end.
  void Answers(int status) {
    HttpResponse response;
    response.status = status;
    response.body = "token";
    host().SetHttp("PUT", absl::StrCat(kService, "api/token"), response);
    for (const char* item : {"spot/instance-action", "events/recommendations/rebalance",
                             "events/maintenance/scheduled"}) {
      response.status = status == 200 ? 404 : status;
      host().SetHttp("GET", absl::StrCat(kService, "meta-data/", item), response);
    }
    Lifecycle(status, "Terminated");
  }
  void Lifecycle(int status, const std::string& state) {
    HttpResponse response;
    response.status = status;
    response.body = state;
    host().SetHttp("GET", absl::StrCat(kService, "meta-data/autoscaling/target-lifecycle-state"),
                   response);
  }
  // A process of the agent that reads them once.
  std::string Restart(const std::string& boot_id = "boot-1") {
    auto after = std::make_unique<ProbeBench>(std::move(bench_->host));
    bench_ = std::move(after);
    NoticeNotes notes(host(), kStateDir, boot_id, bench_->cache);
    const std::string read = Text(bench_->Run(ReadInstanceNotices, "instance.notices"));
    notes.Keep();
    return read;
  }

  std::unique_ptr<ProbeBench> bench_ = std::make_unique<ProbeBench>();
};

TEST_F(NoticeNotesTest, WhatWasSaidStandsOverARestartWhileItCannotBeAsked) {
  const std::string said = Restart();
  ASSERT_TRUE(absl::StrContains(said, "TERMINATING")) << said;
  Answers(503);
  for (int i = 0; i < 2; ++i) {
    const std::string read = Restart();
    EXPECT_TRUE(absl::StrContains(read, "TERMINATING")) << read;
    EXPECT_TRUE(absl::StrContains(read, "path: \"instance.notices\"")) << read;
  }
}

TEST_F(NoticeNotesTest, ABootForgetsIt) {
  Restart();
  Answers(503);
  EXPECT_FALSE(absl::StrContains(Restart("boot-2"), "TERMINATING"));
}

TEST_F(NoticeNotesTest, WhatIsTakenBackIsForgotten) {
  Restart();
  Lifecycle(200, "InService");
  EXPECT_EQ(Restart(), "");
  Answers(503);
  EXPECT_FALSE(absl::StrContains(Restart(), "TERMINATING"));
}

TEST_F(NoticeNotesTest, ItIsWrittenOnlyWhereItChanges) {
  Lifecycle(200, "InService");
  Restart();
  EXPECT_EQ(host().ReadFile(kFile).status().code(), absl::StatusCode::kNotFound);
  Lifecycle(200, "Terminated");
  Restart();
  const size_t changes = host().changes().size();
  Restart();
  EXPECT_EQ(host().changes().size(), changes);
}

TEST_F(NoticeNotesTest, WhatCannotBeWrittenIsWrittenOnceItCan) {
  NoticeNotes notes(host(), kStateDir, "boot-1", bench_->cache);
  bench_->Run(ReadInstanceNotices, "instance.notices");
  host().SetError(kFile, absl::ResourceExhaustedError("full"));
  notes.Keep();
  host().SetError(kFile, absl::OkStatus());
  notes.Keep();
  EXPECT_TRUE(host().ReadFile(kFile).ok());
}

TEST_F(NoticeNotesTest, WhatIsDamagedCountsAsNothing) {
  host().SetFile(kFile, "\xff\xff");
  Answers(503);
  EXPECT_FALSE(absl::StrContains(Restart(), "TERMINATING"));
}

}  // namespace
}  // namespace connect_ha
