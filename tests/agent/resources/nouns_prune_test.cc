// The removal of versions that a specification does not name.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/agent/resources/nouns_fixture.h"

namespace connect_ha {
namespace {

using absl::StrContains;

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
