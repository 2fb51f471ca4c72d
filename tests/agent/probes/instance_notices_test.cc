// What EC2 says that it is about to do, in its documented forms.
#include "agent/probes/machine/instance_notices.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kService[] = "http://169.254.169.254/latest/";

class InstanceNotices : public testing::Test {
 protected:
  InstanceNotices() {
    bench_.host->SetFile("/sys/class/dmi/id/sys_vendor", "Amazon EC2\n");
    HttpResponse token;
    token.status = 200;
    token.body = "token";
    bench_.host->SetHttp("PUT", absl::StrCat(kService, "api/token"), token);
    for (const char* item :
         {"spot/instance-action", "events/recommendations/rebalance",
          "events/maintenance/scheduled", "autoscaling/target-lifecycle-state"}) {
      Says(item, 404, "");
    }
  }
  void Says(const std::string& item, int status, const std::string& body) {
    HttpResponse response;
    response.status = status;
    response.body = body;
    bench_.host->SetHttp("GET", absl::StrCat(kService, "meta-data/", item), response);
  }
  std::string Read() { return Text(bench_.Run(ReadInstanceNotices, "instance.notices")); }

  ProbeBench bench_;
};

TEST_F(InstanceNotices, MostlyThereIsNone) {
  EXPECT_EQ(Read(), "");
  Says("autoscaling/target-lifecycle-state", 200, "InService");
  Says("events/maintenance/scheduled", 200, "[]");
  EXPECT_EQ(Read(), "");
}

TEST_F(InstanceNotices, OffEc2NobodyIsAsked) {
  bench_.host->SetFile("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n");
  EXPECT_EQ(Read(), "");
  EXPECT_TRUE(bench_.host->http_requests().empty());
}

TEST_F(InstanceNotices, ASpotInterruptionHasItsTime) {
  Says("spot/instance-action", 200, R"({"action": "terminate", "time": "2024-08-01T12:02:00Z"})");
  EXPECT_EQ(Read(),
            "instance {\n  notices {\n    kind: SPOT_INTERRUPTION\n    at {\n      seconds: "
            "1722513720\n    }\n    text: \"terminate\"\n  }\n}\n");
}

TEST_F(InstanceNotices, OfMaintenanceWhatIsActiveCounts) {
  Says("events/maintenance/scheduled", 200, R"([
    {"NotBefore": "21 Jan 2019 09:00:43 GMT", "Code": "system-reboot",
     "Description": "scheduled reboot", "EventId": "instance-event-0d59937288b749b32",
     "NotAfter": "21 Jan 2019 09:17:23 GMT", "State": "active"},
    {"NotBefore": "22 Jan 2019 09:00:43 GMT", "Code": "system-reboot",
     "EventId": "instance-event-1", "State": "completed"}])");
  EXPECT_EQ(Read(),
            "instance {\n  notices {\n    kind: MAINTENANCE\n    at {\n      seconds: 1548061243\n"
            "    }\n    text: \"system-reboot instance-event-0d59937288b749b32\"\n  }\n}\n");
}

TEST_F(InstanceNotices, ARebalanceAndAnEndByAutoScalingHaveNoTime) {
  Says("events/recommendations/rebalance", 200, R"({"noticeTime": "2024-08-01T11:59:00Z"})");
  Says("autoscaling/target-lifecycle-state", 200, "Terminated");
  EXPECT_EQ(Read(),
            "instance {\n  notices {\n    kind: REBALANCE\n    text: \"rebalance "
            "recommendation\"\n  }\n  notices {\n    kind: TERMINATING\n    text: \"Auto Scaling "
            "has it end\"\n  }\n}\n");
}

TEST_F(InstanceNotices, WhatIsNotUnderstoodIsUnknownAndHidesNoOther) {
  Says("spot/instance-action", 200, "soon");
  Says("autoscaling/target-lifecycle-state", 200, "Terminated");
  const std::string facts = Read();
  EXPECT_NE(facts.find("kind: TERMINATING"), std::string::npos) << facts;
  EXPECT_NE(facts.find("path: \"instance.notices\""), std::string::npos) << facts;
  EXPECT_NE(facts.find("spot/instance-action is not understood"), std::string::npos) << facts;
}

// A node that drains for it does not come back into service.
TEST_F(InstanceNotices, WhatWasSaidStandsWhileItCannotBeAsked) {
  Says("spot/instance-action", 200, R"({"action": "terminate", "time": "2024-08-01T12:02:00Z"})");
  Says("autoscaling/target-lifecycle-state", 200, "Terminated");
  const std::string said = Read();
  Says("spot/instance-action", 503, "");
  const std::string failed = Read();
  EXPECT_EQ(failed.substr(0, said.size()), said);
  EXPECT_NE(failed.find("answered 503 for spot/instance-action"), std::string::npos) << failed;
  EXPECT_EQ(Read(), failed);
  Says("spot/instance-action", 404, "");
  const std::string over = Read();
  EXPECT_EQ(over.find("SPOT_INTERRUPTION"), std::string::npos) << over;
  EXPECT_NE(over.find("TERMINATING"), std::string::npos) << over;
}

TEST_F(InstanceNotices, AServiceThatFailsIsUnknown) {
  Says("events/maintenance/scheduled", 503, "");
  EXPECT_EQ(Read(),
            "unobserved {\n  path: \"instance.notices\"\n  reason: \"the instance metadata service "
            "answered 503 for events/maintenance/scheduled\"\n}\n");
}

}  // namespace
}  // namespace connect_ha
