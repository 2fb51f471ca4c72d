#include "agent/preview_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "absl/strings/str_split.h"
#include "agent/assignment/assignment_file.h"
#include "agent/resources/nouns.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

class PreviewCommandTest : public testing::Test {
 protected:
  int Print(const std::string& noun = "", bool json = false) {
    out_.str("");
    error_.str("");
    return PrintNodePreview(node_.host, node_.Options(), noun, json, terminal_);
  }
  void Hold(const v1::Assignment& assignment) {
    ASSERT_TRUE(StoreAssignment(node_.host, kStateDir, assignment).ok());
  }

  BareNode node_;
  std::ostringstream out_;
  std::ostringstream error_;
  Terminal terminal_{out_, error_, false, 200};
};

TEST_F(PreviewCommandTest, ShowsWhatWouldBeChanged) {
  Hold(node_.FullAssignment());
  EXPECT_EQ(Print("package"), kFails);
  EXPECT_EQ(out_.str(),
            "RESOURCE                 FROM    TO               INTERRUPTS\n"
            "package rstudio-connect  absent  2024.08.0, held  Connect must be stopped\n"
            "package r-4.3.3          absent  installed, held\n"
            "package r-4.4.1          absent  installed, held\n"
            "package python-3.11.9    absent  installed, held\n");
  EXPECT_EQ(error_.str(), "");
}

TEST_F(PreviewCommandTest, EveryKindOfResourceCanBeNamed) {
  v1::Assignment assignment = node_.FullAssignment();
  assignment.mutable_desired()->mutable_spec()->mutable_runtimes()->set_prune(true);
  FakeDeb left{"r-4.0.5", "1"};
  node_.SetInstalled(left, "install ok half-configured");
  node_.host.SetFile(std::string(kStateDir) + "/artifacts/r-4.0.5", "begun begun\n");
  node_.host.SetFile("/opt/R/4.1.0/bin/R", "old");
  // Connect's default for Server.DataDir.
  v1::StorageSpec& storage = *assignment.mutable_desired()->mutable_spec()->mutable_storage();
  storage.set_mount_point("/var/lib/rstudio-connect");
  storage.mutable_nfs()->set_server("nfs.example.com");
  storage.mutable_owner()->set_user("rstudio-connect");
  node_.host.SetFile("/sbin/mount.nfs4", "");
  node_.host.SetFile("/proc/self/mountinfo", "28 1 259:1 / / rw - ext4 /dev/root rw\n");
  Hold(assignment);
  for (const auto noun : absl::StrSplit(kNouns, '|')) {
    EXPECT_EQ(Print(std::string(noun)), kFails) << noun << error_.str();
  }
  // And what has a name of another beginning could not be.
  const std::vector<std::string> nouns = absl::StrSplit(kNouns, '|');
  Agent agent(node_);
  const v1::Preview preview = agent.converge.MakePreview(assignment.desired());
  for (const v1::Change& change : preview.changes()) {
    const std::string noun = change.resource().substr(0, change.resource().find(' '));
    EXPECT_NE(std::find(nouns.begin(), nouns.end(), noun), nouns.end()) << change.resource();
  }
  Print("packages");
  EXPECT_NE(out_.str().find("packages of older specifications"), std::string::npos) << out_.str();
  EXPECT_EQ(out_.str().find("package rstudio-connect"), std::string::npos) << out_.str();
}

TEST_F(PreviewCommandTest, AsJsonToo) {
  Hold(node_.FullAssignment());
  EXPECT_EQ(Print("license", true), kFails);
  EXPECT_NE(out_.str().find("\"resource\": \"license connect.lic\""), std::string::npos);
}

TEST_F(PreviewCommandTest, NothingToChangeIsSaid) {
  v1::Assignment assignment = node_.FullAssignment();
  Hold(assignment);
  Agent agent(node_);
  TestWatch watch(node_.host);
  agent.converge.Turn(assignment, watch);
  EXPECT_EQ(Print(), kHolds);
  EXPECT_EQ(out_.str(), "nothing to change: this node is as generation 7 says\n");
}

TEST_F(PreviewCommandTest, WhatCannotBeLookedAtIsAnErrorWithItsFix) {
  Hold(node_.FullAssignment());
  node_.host.Erase("/etc/connect-ha/secrets/db");
  EXPECT_EQ(Print("file"), kUnknown);
  EXPECT_EQ(
      error_.str(),
      "error: file /etc/rstudio-connect/rstudio-connect.gcfg: secret db_password: there is no "
      "/etc/connect-ha/secrets/db\n"
      "fix:   install -m 0600 /dev/stdin /etc/connect-ha/secrets/db on this node\n");
}

TEST_F(PreviewCommandTest, WhatIsNotSignedIsNotLookedAtWhereItHasToBe) {
  Hold(node_.FullAssignment());
  node_.host.SetDirectory(kTrustedDirectory);  // with no key in it, which is not leave for all
  EXPECT_EQ(Print(), kUnknown);
  EXPECT_EQ(out_.str(), "");
  EXPECT_NE(error_.str().find("generation 7, which this node holds, is not gone by: "),
            std::string::npos)
      << error_.str();
}

TEST_F(PreviewCommandTest, ANodeWithoutASpecificationSaysSo) {
  EXPECT_EQ(Print(), kUnknown);
  EXPECT_EQ(error_.str(),
            "error: this node holds no specification yet\nfix:   connect-ha apply cluster.yaml\n");
}

}  // namespace
}  // namespace connect_ha
