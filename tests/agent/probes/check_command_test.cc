// `connect-ha-agent check` over captured nodes: with every probe of the table but those that ask a
// real database or the kernel.
#include "agent/check_command.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "absl/strings/str_join.h"
#include "agent/probes/connect/configuration.h"
#include "agent/probes/table.h"
#include "connect_ha/v1/checklist.pb.h"
#include "google/protobuf/util/json_util.h"
#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

class CheckCommandTest : public testing::Test {
 protected:
  CheckCommandTest() { check_.node = "node-1"; }

  v1::Facts Read() {
    absl::StatusOr<ConnectConfig> config = LoadConnectConfig(*bench_.host, bench_.agent_config);
    if (config.ok()) bench_.config = std::make_shared<const ConnectConfig>(*std::move(config));
    v1::Facts facts;
    for (const Probe& probe : Probes()) {
      const std::string name = probe.name;
      if (name.find("database") != std::string::npos || name == "listeners") continue;
      if (probe.pace == Pace::kVerify && !check_.full) continue;
      facts.MergeFrom(bench_.Run(probe.read, probe.path));
    }
    return facts;
  }

  int Check() {
    out_.str("");
    check_.now = bench_.host->Now();
    return PrintNodeCheck(Read(), check_, terminal_);
  }
  // What is to be typed about what does not pass, one step a line.
  std::map<std::string, std::string> Steps() {
    check_.json = true;
    Check();
    v1::Checklist checklist;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(out_.str(), &checklist).ok());
    std::map<std::string, std::string> steps;
    for (const v1::Finding& finding : checklist.findings()) {
      if (finding.fixes().empty()) continue;
      steps[finding.rule()] =
          absl::StrJoin(finding.fixes(), "\n", [](std::string* out, const v1::Fix& fix) {
            absl::StrAppend(out, absl::StrJoin(fix.commands(), "\n"));
          });
    }
    return steps;
  }
  bool Prints(const std::string& text) const { return out_.str().find(text) != std::string::npos; }

  ProbeBench bench_{FakeHost::FromDirectory("tests/nodes/healthy")};
  NodeCheck check_;
  std::ostringstream out_;
  std::ostringstream error_;
  Terminal terminal_{out_, error_, false, 200};
};

TEST_F(CheckCommandTest, ASteadyLookLeavesToTheFullOneWhatTakesLonger) {
  const std::string full = "connect-ha-agent check --full";
  const std::map<std::string, std::string> expected = {{"connect-files-intact", full},
                                                       {"license-is-valid", full},
                                                       {"runtimes-match-python", full},
                                                       {"runtimes-match-quarto", full},
                                                       {"runtimes-match-r", full}};
  EXPECT_EQ(Steps(), expected);

  check_.json = false;
  EXPECT_EQ(Check(), kUnknown);
  EXPECT_TRUE(Prints("node-1 not looked at yet, as it takes longer   do  " + full + "\n"))
      << out_.str();
}

TEST_F(CheckCommandTest, AFullLookAtAHealthyNodeHolds) {
  check_.full = true;
  EXPECT_EQ(Check(), kHolds) << out_.str();
  EXPECT_FALSE(Prints("check --full\n"));
  EXPECT_FALSE(Prints("unknown"));
}

TEST_F(CheckCommandTest, WhatCouldNotBeReadIsSeenInTheNodesOwnFacts) {
  bench_.host->SetError("rstudio-connect.service", absl::UnavailableError("no bus"));
  EXPECT_EQ(Steps()["connect-version-matches"], "connect-ha-agent facts");
  check_.full = true;
  EXPECT_EQ(Steps()["connect-version-matches"], "connect-ha-agent facts --full");
}

TEST_F(CheckCommandTest, TheSpecificationThatTheNodeHoldsCounts) {
  check_.full = true;
  check_.held.set_generation(7);
  v1::ClusterSpec& spec = *check_.held.mutable_spec();
  spec.set_cluster("analytics");
  spec.mutable_limits()->set_license_days_left(4000);
  spec.mutable_limits()->set_disk_used_percent(1);
  spec.mutable_storage()->set_mount_point("/srv/connect");
  (*spec.mutable_accounts())["rstudio-connect"].set_uid(1234);

  EXPECT_EQ(Check(), kFails);

  EXPECT_TRUE(Prints("4000")) << out_.str();
  EXPECT_TRUE(Prints("(limit 1%)")) << out_.str();
  EXPECT_TRUE(Prints("nothing is mounted at /srv/connect")) << out_.str();
  EXPECT_TRUE(Prints("rstudio-connect has uid 999, wanted 1234")) << out_.str();
  EXPECT_TRUE(Prints("node node-1   by generation 7   ")) << out_.str();
}

TEST_F(CheckCommandTest, NothingNamesTheCoordinatorsProgram) {
  for (const char* version : {"4.0.1", "4.0.2", "4.0.3", "4.0.4"}) {
    bench_.host->SetFile(std::string("/opt/R/") + version + "/bin/R", "#!");
  }
  Check();
  EXPECT_TRUE(Prints("connect-ha-agent check --all\n")) << out_.str();
  EXPECT_FALSE(Prints("connect-ha "));
  check_.all = true;
  Check();
  EXPECT_TRUE(Prints("\nruntimes\n")) << out_.str();
  EXPECT_TRUE(Prints("runtimes-match-quarto")) << out_.str();
  EXPECT_FALSE(Prints("connect-ha "));
}

}  // namespace
}  // namespace connect_ha
