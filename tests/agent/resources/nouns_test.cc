// The resources that are made without a package manager: accounts, archives, licence.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/probes/installed/manifest.h"
#include "tests/agent/resources/nouns_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

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

}  // namespace
}  // namespace connect_ha
