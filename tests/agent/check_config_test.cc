// What check-config says of the signers that a node trusts.
#include "agent/check_config.h"

#include <gtest/gtest.h>

#include <sstream>

#include "agent/assignment/trusted_signers.h"
#include "tests/agent/assignment/signed_fixture.h"
#include "tests/fakes/fake_host.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

class CheckConfigTest : public testing::Test {
 protected:
  CheckConfigTest() {
    host_.SetFile("/etc/rstudio-connect/rstudio-connect.gcfg",
                  "[Server]\nAddress = https://connect.example.com\n");
  }
  void Trust(const std::string& line) {
    host_.SetFile(std::string(kTrustedDirectory) + "/alice.pub", line);
  }
  // On a node that has no agent.yaml.
  int Check() {
    Terminal terminal{out_, error_};
    terminal.width = 400;
    return CheckConfigFiles(host_, directory_ / "agent.yaml", false, terminal);
  }

  FakeHost host_;
  TemporaryDirectory directory_;
  std::ostringstream out_;
  std::ostringstream error_;
};

TEST_F(CheckConfigTest, CountsWhomTheNodeTrusts) {
  Trust(PublicKeyLine(NewKey().public_key));
  EXPECT_EQ(Check(), kHolds) << out_.str() << error_.str();
  EXPECT_NE(out_.str().find(": ok, 1 signer\n"), std::string::npos) << out_.str();
}

TEST_F(CheckConfigTest, WhatIsNoKeyIsAMistake) {
  Trust("no key\n");
  EXPECT_EQ(Check(), kUsage) << out_.str();
  EXPECT_NE(error_.str().find("alice.pub has no public key"), std::string::npos) << error_.str();
}

}  // namespace
}  // namespace connect_ha
