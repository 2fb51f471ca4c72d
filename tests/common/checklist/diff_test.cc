#include "common/checklist/diff.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/common/checklist/fixture.h"

namespace connect_ha::test {
namespace {

// "path: a | b (rule)", one a line.
std::string DiffText(const std::string& fixture) {
  const v1::Snapshot cluster = LoadCluster(ClustersDirectory() + "/" + fixture + ".textproto");
  std::string text;
  for (const auto& [difference, a_known, b_known] : Diff(cluster.nodes(0), cluster.nodes(1))) {
    EXPECT_TRUE((a_known && b_known) || difference.rule().empty());
    absl::StrAppend(&text, difference.path(), ": ", difference.a(), " | ", difference.b(), " (",
                    difference.rule(), ")\n");
  }
  return text;
}

TEST(Diff, IsEmptyForEqualNodes) {
  const v1::Snapshot cluster = BaseCluster();
  EXPECT_TRUE(Diff(cluster.nodes(0), cluster.nodes(1)).empty());
}

TEST(Diff, NamesTheRuleThatADifferenceBreaks) {
  EXPECT_EQ(DiffText("accounts-match/fail"),
            "accounts.rstudio-connect: uid 999, gid 999 | uid 998, gid 999 (accounts-match)\n");
}

TEST(Diff, ShowsSecretsAsDigestsOnly) {
  EXPECT_EQ(DiffText("configuration-matches/fail-secret"),
            "configuration.Postgres.Password: secret with digest 5d41402a | secret with digest "
            "aaaabbbb (configuration-matches)\n");
}

TEST(Diff, DigestsOfTwoKeysAreNoDifference) {
  EXPECT_EQ(DiffText("configuration-matches/unknown-digest-key"),
            "configuration.Postgres.Password: secret with digest 5d41402a | unknown: made with "
            "another digest key ()\n");
}

// As the rule does: Connect does not care in which order it is told of its versions of R, nor how
// a yes is written.
TEST(Diff, WhatConnectReadsAlikeIsNoDifference) {
  v1::Snapshot cluster = BaseCluster();
  for (v1::ConfigKey& key :
       *cluster.mutable_nodes(1)->mutable_facts()->mutable_configuration()->mutable_keys()) {
    if (key.values_size() == 2) key.mutable_values()->SwapElements(0, 1);
    if (key.values_size() == 1 && key.values(0) == "true") key.set_values(0, "yes");
  }
  EXPECT_TRUE(Diff(cluster.nodes(0), cluster.nodes(1)).empty());
}

TEST(Diff, ShowsWhatIsOnOneNodeOnly) {
  EXPECT_EQ(DiffText("runtimes-match-python/fail-missing"),
            "runtimes.python.3.11.9: build 0d1e2f3a4b5c | absent (runtimes-match-python)\n");
  EXPECT_EQ(DiffText("configuration-matches/fail-missing"),
            "configuration.RPackageRepository \"CRAN\".URL: "
            "https://packagemanager.example.com/cran/latest | not set (configuration-matches)\n");
}

TEST(Diff, AnAccountWithoutUidIsAbsent) {
  EXPECT_EQ(DiffText("accounts-match/fail-no-user"),
            "accounts.rstudio-connect: uid 999, gid 999 | absent (accounts-match)\n");
}

TEST(Diff, DoesNotCallTheUnknownABreach) {
  EXPECT_EQ(DiffText("platform-matches/unknown"),
            "host.os_id: ubuntu | unknown: host.os_id not observed: permission denied reading "
            "/etc/os-release ()\n");
}

TEST(Diff, DoesNotTakeTheConfigurationsReasonForAnythingElse) {
  v1::Snapshot cluster = BaseCluster();
  v1::Facts& facts = *cluster.mutable_nodes(1)->mutable_facts();
  MakeUnobserved(facts, "configuration.keys", "taken out");
  for (v1::Account& account : *facts.mutable_accounts()->mutable_accounts()) {
    account.set_name("other");
  }
  std::map<std::string, std::string> on_node_2;
  for (const Difference& difference : Diff(cluster.nodes(0), cluster.nodes(1))) {
    on_node_2[difference.message.path()] = difference.message.b();
  }
  EXPECT_EQ(on_node_2.at("configuration.Server.Address"),
            "unknown: configuration.keys not observed: taken out");
  EXPECT_EQ(on_node_2.at("accounts.rstudio-connect"), "absent");
}

// Nobody shares the directory of a key that no rule is about, and a directory whose mount is not
// known has no place.
TEST(Diff, ComparesSharedDirectoriesWhosePlaceIsKnown) {
  v1::Snapshot cluster = BaseCluster();
  v1::StorageFacts& storage = *cluster.mutable_nodes(1)->mutable_facts()->mutable_storage();
  for (v1::DataDirectory& directory : *storage.mutable_directories()) {
    if (directory.key() == "Metrics.DataPath") directory.set_path_in_source("/elsewhere");
    if (directory.key() == "Database.Dir") directory.set_mount_point("/nowhere");
  }
  std::string paths;
  for (const Difference& difference : Diff(cluster.nodes(0), cluster.nodes(1))) {
    absl::StrAppend(&paths, difference.message.path(), " ", difference.message.b(), "\n");
  }
  EXPECT_EQ(paths, "storage.Database.Dir absent\n");
}

TEST(Diff, PutsWhatBreaksARuleFirst) {
  v1::Snapshot cluster = BaseCluster();
  v1::Facts& facts = *cluster.mutable_nodes(1)->mutable_facts();
  facts.mutable_connect()->set_running_version("2024.06.0");
  facts.mutable_host()->set_kernel("6.8.0-1009-aws");
  facts.mutable_encryption_key()->set_fingerprint("0123456789abcdef0123");
  std::vector<std::string> rules;
  for (const Difference& difference : Diff(cluster.nodes(0), cluster.nodes(1))) {
    rules.push_back(difference.message.rule());
  }
  EXPECT_EQ(rules,
            std::vector<std::string>({"encryption-key-matches", "connect-version-matches", ""}));
}

}  // namespace
}  // namespace connect_ha::test
