#include "common/spec/spec_bundle.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace connect_ha {
namespace {

const std::string kDigest(64, 'a');
const std::string kOther(64, 'b');

std::string Artifact(const std::string& url, const std::string& sha256 = kDigest) {
  return absl::StrCat("{url: \"", url, "\", sha256: \"", sha256, "\"}");
}

class SpecBundleTest : public testing::Test {
 protected:
  SpecBundleTest() {
    std::string pattern = testing::TempDir() + "spec_bundle_XXXXXX";
    dir_ = mkdtemp(pattern.data());
  }
  ~SpecBundleTest() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& content) {
    std::ofstream(dir_ + "/" + name) << content;
  }
  // The problems of a cluster.yaml with this text, without the directory's name.
  std::string Load(const std::string& yaml) {
    Write("cluster.yaml", yaml);
    bundle_.Clear();
    return absl::StrReplaceAll(FormatProblems(LoadSpecBundle(dir_ + "/cluster.yaml", bundle_)),
                               {{dir_ + "/", ""}});
  }

  std::string dir_;
  v1::SpecBundle bundle_;
};

TEST_F(SpecBundleTest, ReadsTheFilesBesideIt) {
  Write("connect.lic", std::string("li\0c", 4));
  Write("connect.gcfg",
        "[Server]\nDataDir = /mnt/connect/data\n[Metrics]\nDataPath = "
        "/var/lib/metrics\n[Postgres]\nPassword = "
        "${secret.db_password}\n[Database]\nProvider = postgres\n");
  const std::string yaml = absl::StrCat(
      "cluster: analytics\nenforcement: enforce\nconnect:\n  version: 2024.08.0\n  package: ",
      Artifact("https://a/rstudio-connect_2024.08.0~ubuntu22_amd64.deb", kOther),
      "\n  config: connect.gcfg\n  license: {file: connect.lic}\nruntimes:\n  quarto: [{version: "
      "1.5.57, archive: ",
      Artifact("https://a/quarto.tar.gz"),
      "}]\nsecrets:\n  db_password: {file: /etc/connect-ha/secrets/db_password}\nprove: {storage: "
      "true, database: true}\nstorage: {mount_point: /mnt/connect}\n");
  EXPECT_EQ(Load(yaml), "");
  EXPECT_EQ(bundle_.source(), yaml);
  EXPECT_EQ(bundle_.license(), std::string("li\0c", 4));
  EXPECT_EQ(bundle_.connect_config().substr(0, 8), "[Server]");
  EXPECT_EQ(bundle_.spec().enforcement(), v1::ENFORCE);
  EXPECT_EQ(FormatProblems(CheckSpecBundle(bundle_)), "");
}

TEST_F(SpecBundleTest, ReportsEverythingAtOnceFileByFile) {
  Write("connect.gcfg", "[Postgres]\nPassword = s\n[Database]\nProvider = postgres\n");
  EXPECT_EQ(Load("cluster: a\nenforcment: enforce\nconnect: {config: connect.gcfg, license: {file: "
                 "none.lic}}\nruntimes: {r: [{version: 4.3}], prune: maybe}\n"),
            "cluster.yaml:2:1: unknown key \"enforcment\"; did you mean \"enforcement\"?\n"
            "cluster.yaml:3:49: connect.license.file names a file that will not do: cannot read "
            "none.lic: No such file or directory\n"
            "cluster.yaml:4:26: runtimes.r[0].version must be a full version as 4.3.3, not "
            "\"4.3\"\n"
            "cluster.yaml:4:40: runtimes.prune must be true or false, not \"maybe\"\n"
            "connect.gcfg:2:1: Postgres.Password is written out; write "
            "${secret.postgres_password}, and under secrets: where each node finds it: "
            "postgres_password: {file: /etc/connect-ha/secrets/postgres_password}\n");
}

TEST_F(SpecBundleTest, AValueThatCouldNotBeReadIsNotAlsoMissing) {
  EXPECT_EQ(Load("clustr: a\ndatabase: {major_version: fifteen, minimum_minor_version: 7}\n"),
            "cluster.yaml:1:1: unknown key \"clustr\"; did you mean \"cluster\"?\n"
            "cluster.yaml:2:27: database.major_version must be a whole number from 0 to "
            "4294967295, not \"fifteen\"\n");
}

TEST_F(SpecBundleTest, ChecksArtifacts) {
  const std::string head = "cluster: a\nconnect:\n  version: 2024.08.0\n  package: ";
  EXPECT_EQ(Load(head + "{url: \"\"}\n"),
            "cluster.yaml:4:12: connect.package.sha256 is missing; to see a file's: sha256sum "
            "FILE\n"
            "cluster.yaml:4:18: connect.package.url is missing\n");
  EXPECT_EQ(Load(head + Artifact("http://a/c.deb", "ABC") + "\n"),
            "cluster.yaml:4:18: connect.package.url must begin with https://, or write downloads: "
            "{allow_http: true}\n"
            "cluster.yaml:4:44: connect.package.sha256 must be 64 hex digits in lower case, as "
            "sha256sum prints them, not 3 characters\n");
  EXPECT_EQ(Load(head + Artifact("file://c.deb") + "\ndownloads: {allow_file: true}\n"),
            "cluster.yaml:4:18: connect.package.url must go on with an absolute path: "
            "file:///srv/...\n"
            "cluster.yaml:5:25: note: downloads.allow_file goes no further than the directory that "
            "each node's own agent.yaml names (artifact_dir)\n");
  EXPECT_EQ(Load(head + Artifact("https://u:p@a/c.rpm?x=1") + "\n"),
            "cluster.yaml:4:18: connect.package.url must not have a user or password in it: "
            "specifications are kept and shown\n"
            "cluster.yaml:4:18: connect.package.url is of an .rpm; only Debian and Ubuntu are "
            "known so far: take the .deb\n");
  EXPECT_EQ(Load(head + Artifact("http://a/c.deb") + "\ndownloads: {allow_http: true}\n"), "");
}

TEST_F(SpecBundleTest, EachRuntimeHasItsKindOfArtifact) {
  EXPECT_EQ(Load(absl::StrCat("cluster: a\nruntimes:\n  r:\n    - {version: 4.3.3, archive: ",
                              Artifact("https://a/r.tar.gz"),
                              "}\n  quarto:\n    - {version: 1.5.57, "
                              "package: ",
                              Artifact("https://a/q.deb"), "}\n")),
            "cluster.yaml:4:33: runtimes.r[0].archive is for Quarto; R and Python come as a .deb: "
            "write package\n"
            "cluster.yaml:6:34: runtimes.quarto[0].package is for R and Python; Quarto comes as a "
            ".tar.gz: write archive\n");
}

TEST_F(SpecBundleTest, RefusesValuesThatContradictEachOther) {
  EXPECT_EQ(Load(absl::StrCat("cluster: a\nconnect:\n  allow_downgrade: true\nruntimes:\n"
                              "  prune: true\naccounts:\n  x: {uid: 7}\n  y: {uid: 7}\n")),
            "cluster.yaml:3:20: connect.allow_downgrade needs connect.package, as nothing else "
            "installs a version\n"
            "cluster.yaml:5:10: runtimes.prune needs a list of versions to keep: r, python or "
            "quarto\n"
            "cluster.yaml:8:12: accounts.y.uid is 7, which accounts.x has already\n");
  EXPECT_EQ(Load(absl::StrCat(
                "cluster: a\nconnect: {package: ", Artifact("https://a/c.deb"),
                "}\nruntimes:\n  r:\n    - {version: 4.3.3, package: ", Artifact("https://a/c.deb"),
                "}\n    - {version: 4.4.1, package: ", Artifact("https://a/d.deb"), "}\n")),
            "cluster.yaml:2:20: connect.package needs connect.version beside it, which the package "
            "is checked to be\n"
            "cluster.yaml:5:39: runtimes.r[0].package.url is that of connect.package too\n"
            "cluster.yaml:6:66: runtimes.r[1].package.sha256 is that of connect.package too, which "
            "is something else\n");
}

TEST_F(SpecBundleTest, ASettingOfOneNodeIsToldWhereItBelongs) {
  EXPECT_EQ(Load("cluster: a\nimds_endpoint: http://x\nconnect: {connect_unit: x.service}\nnodes:\n"
                 "  node-1: {zone: a}\n"),
            "cluster.yaml:2:1: \"imds_endpoint\" is a setting of one node; write it in that "
            "node's /etc/connect-ha/agent.yaml\n"
            "cluster.yaml:3:11: \"connect_unit\" is a setting of one node; write it in that node's "
            "/etc/connect-ha/agent.yaml\n"
            "cluster.yaml:5:3: \"node-1\" looks like a node; nodes are not listed here: this file "
            "holds for all, and each joins with a token (connect-ha token create)\n");
  v1::AgentConfig config;
  EXPECT_EQ(FormatProblems(ParseYaml("storage: {}\n", "agent.yaml", config)),
            "agent.yaml:1:1: \"storage\" is a setting of the whole cluster; write it in "
            "cluster.yaml\n");
}

TEST_F(SpecBundleTest, ChecksSecretsAndWarnsOfUnusedOnes) {
  EXPECT_EQ(Load("cluster: a\nsecrets:\n  ok: {credential: db}\n  \"b d\": {file: /x}\n"
                 "  c: {file: /etc/shadow}\n  d: {}\n"),
            "cluster.yaml:3:7: warning: secrets.ok is not used: no ${secret.ok} is in Connect's "
            "configuration\n"
            "cluster.yaml:4:10: secrets.b d must be of letters, digits, _ and -\n"
            "cluster.yaml:4:10: warning: secrets.b d is not used: no ${secret.b d} is in Connect's "
            "configuration\n"
            "cluster.yaml:4:17: secrets.b d.file must be a file on every node below "
            "/etc/connect-ha/secrets, as /etc/connect-ha/secrets/b d\n"
            "cluster.yaml:5:6: warning: secrets.c is not used: no ${secret.c} is in Connect's "
            "configuration\n"
            "cluster.yaml:5:13: secrets.c.file must be a file on every node below "
            "/etc/connect-ha/secrets, as /etc/connect-ha/secrets/c\n"
            "cluster.yaml:6:6: secrets.d needs a file or a credential\n"
            "cluster.yaml:6:6: warning: secrets.d is not used: no ${secret.d} is in Connect's "
            "configuration\n");
}

TEST_F(SpecBundleTest, AMaintenanceWindowInAnUnknownTimeZoneIsAnErrorWhereItStands) {
  EXPECT_EQ(Load("cluster: a\nrollout:\n  maintenance_window: Sat,Sun 22:00-01:30 Europe/Berlin\n"),
            "");
  EXPECT_EQ(Load("cluster: a\nrollout:\n  maintenance_window: Sun 02:00-04:00 Europe/Berln\n"),
            "cluster.yaml:3:23: rollout.maintenance_window names the time zone \"Europe/Berln\", "
            "which is not known here; did you mean \"Europe/Berlin\"?\n");
}

TEST_F(SpecBundleTest, NotesWhatHasNoEffectAndWarnsOfWhatIsNotInstalled) {
  EXPECT_EQ(
      Load("cluster: a\nenforcement: enforce\nconnect: {version: 2024.08.0}\nruntimes:\n"
           "  r: [{version: 4.3.3}]\nnodes: {minimum_serving: 1}\nload_balancer: {url: "
           "\"https://c\"}\nrollout: {drain_timeout: 5m, maintenance_window: \"Sun 02:00-04:00 "
           "UTC\"}\n"),
      "cluster.yaml:2:14: warning: enforcement is enforce, and no node enters service before it is "
      "proved that all use one file system and one database: write prove: {storage: true, "
      "database: true}\n"
      "cluster.yaml:2:14: warning: enforcement is enforce, and without storage.mount_point no node "
      "gets a guard: at a boot, and where it restarts Connect, systemd starts it unasked, with no "
      "preflight: write storage: {mount_point: /mnt/connect}\n"
      "cluster.yaml:3:20: warning: connect.version has no connect.package beside it: it is "
      "compared, not installed\n"
      "cluster.yaml:5:7: warning: runtimes.r[0] (4.3.3) has no package or archive: it is "
      "compared, not installed\n");
  EXPECT_EQ(Load("cluster: a\nenforcement: enforce\n"),
            "cluster.yaml:2:14: warning: enforcement is enforce, and there is nothing to bring the "
            "nodes to\n");
  EXPECT_EQ(
      Load("cluster: a\nrollout: {maintenance_window: \"Sunday 2-4\"}\nload_balancer: {}\n"
           "nodes: {minimum_serving: 0}\ndatabase: {tls: full, ca_file: x}\n"),
      "cluster.yaml:2:31: rollout.maintenance_window must be days, times and a time zone as Sun "
      "02:00-04:00 UTC or Sat,Sun 22:00-01:30 Europe/Berlin, or without days for every day, not "
      "\"Sunday 2-4\"\n"
      "cluster.yaml:4:26: nodes.minimum_serving must be 1 or more\n"
      "cluster.yaml:5:17: database.tls must be an sslmode, as verify-full or require, not "
      "\"full\"\n"
      "cluster.yaml:5:32: database.ca_file must be an absolute path, of a file on every "
      "node\n"
      "cluster.yaml:5:32: note: database.ca_file is read, but has no effect in this version; "
      "write database_ca_file into agent.yaml on each node\n");
}

TEST_F(SpecBundleTest, ABalancerIsAskedThroughItsAddress) {
  EXPECT_EQ(
      Load("cluster: a\nload_balancer: {health_check: connect}\n"),
      "cluster.yaml:2:31: note: load_balancer.health_check is connect: only a stopped Connect "
      "leaves service, and to close a node's gate takes nothing from it\n");
  EXPECT_EQ(Load("cluster: a\nload_balancer: {sticky: true}\n"),
            "cluster.yaml:2:25: load_balancer.sticky needs load_balancer.url beside it, through "
            "which it is looked at\n");
  EXPECT_EQ(Load("cluster: a\nload_balancer: {url: c.example.com}\n"),
            "cluster.yaml:2:22: load_balancer.url must be the address of the balancer, "
            "https://...\n");
}

// None at all would lower every fence, for good.
TEST_F(SpecBundleTest, RulesFenceOneNodeAnHourAtTheLeast) {
  EXPECT_EQ(Load("cluster: a\nnodes: {fences_per_hour: 100}\n"), "");
  for (const char* wrong : {"0", "101"}) {
    EXPECT_EQ(Load(std::string("cluster: a\nnodes: {fences_per_hour: ") + wrong + "}\n"),
              "cluster.yaml:2:26: nodes.fences_per_hour must be from 1 to 100\n");
  }
}

TEST_F(SpecBundleTest, ADrainEnds) {
  EXPECT_EQ(Load("cluster: a\nrollout: {drain_timeout: 1d}\n"), "");
  EXPECT_EQ(Load("cluster: a\nrollout: {drain_timeout: 2d}\n"),
            "cluster.yaml:2:26: rollout.drain_timeout must be at most 1d\n");
  EXPECT_EQ(Load("cluster: a\nrollout: {drain_timeout: 0s}\n"),
            "cluster.yaml:2:26: rollout.drain_timeout must be longer than 0s\n");
}

TEST_F(SpecBundleTest, AChangeTakesSomeNodesAndNoMoreThanSoManyRestarts) {
  EXPECT_EQ(Load("cluster: a\nrollout: {max_unavailable: 2, restarts_per_hour: 0}\n"), "");
  EXPECT_EQ(Load("cluster: a\nrollout: {max_unavailable: 0, restarts_per_hour: 101}\n"),
            "cluster.yaml:2:28: rollout.max_unavailable must be 1 or more\n"
            "cluster.yaml:2:50: rollout.restarts_per_hour must be at most 100\n");
}

TEST_F(SpecBundleTest, ABackupIsAmongWhatRootHasPutThere) {
  EXPECT_EQ(Load("cluster: a\ndatabase:\n  backup_before_migration: {command: pg-dump, deadline: "
                 "1h}\n"),
            "");
  for (const char* wrong : {"../pg-dump", "/bin/sh", "sh -c x", ".hidden", "-x"}) {
    EXPECT_EQ(
        Load(absl::StrCat("cluster: a\ndatabase:\n  backup_before_migration:\n    command: \"",
                          wrong, "\"\n")),
        absl::StrCat("cluster.yaml:4:14: database.backup_before_migration.command must be the "
                     "name of a file in /etc/connect-ha/backup.d on the coordinator's host, "
                     "as pg-dump, not \"",
                     wrong, "\"\n"));
  }
  EXPECT_EQ(
      Load("cluster: a\ndatabase:\n  backup_before_migration:\n    command: a\n    deadline: "
           "0s\n"),
      "cluster.yaml:5:15: database.backup_before_migration.deadline must be longer than 0s\n");
  EXPECT_EQ(Load("cluster: a\ndatabase:\n  backup_before_migration:\n    command: a\n    deadline: "
                 "2d\n"),
            "cluster.yaml:5:15: database.backup_before_migration.deadline must be at most 1d\n");
}

TEST_F(SpecBundleTest, WhatARuleDoesIsSaidByItsNameAndNoFenceIsLoweredThere) {
  EXPECT_EQ(Load("cluster: a\nrules:\n"
                 "  clocks-are-synchronised: {action: tell, fail_after: 0s, pass_after: 10m}\n"
                 "  service-is-healthy: {action: fence}\n"
                 "  data-dir-is-shared: {action: fence, fail_after: 30s}\n"
                 "  nodes-span-zones: {action: tell}\n"),
            "");
  EXPECT_EQ(Load("cluster: a\nrules:\n"
                 "  clock-are-synchronised: {action: tell}\n"
                 "  data-dir-is-shared: {action: tell}\n"
                 "  nodes-span-zones: {action: close}\n"
                 "  accounts-match: {pass_after: 2d}\n"),
            "cluster.yaml:3:27: rules.clock-are-synchronised is no rule; did you mean "
            "\"clocks-are-synchronised\"?\n"
            "cluster.yaml:4:32: rules.data-dir-is-shared.action cannot be lowered here, since this "
            "rule fences; for a time: connect-ha waive data-dir-is-shared --until 2h --reason "
            "TEXT\n"
            "cluster.yaml:5:30: rules.nodes-span-zones.action can only be tell: the rule is about "
            "the nodes together, and none is the wrong one\n"
            "cluster.yaml:6:32: rules.accounts-match.pass_after must be from 0s to 1d\n");
  EXPECT_EQ(Load("cluster: a\nrules:\n"
                 "  data-dir-is-shared: {fail_after: 10m, pass_after: 1d}\n"
                 "  accounts-match: {fail_after: 1d}\n"
                 "  storage-is-mounted: {fail_after: 11m}\n"),
            "cluster.yaml:5:36: rules.storage-is-mounted.fail_after must be at most 10m, since "
            "this rule fences; for a time: connect-ha waive storage-is-mounted --until 2h --reason "
            "TEXT\n");
  EXPECT_NE(
      Load("cluster: a\nrules: {disk-has-room: {action: shut}}\n").find("must be one of tell"),
      std::string::npos);
}

// One that is older than the coordinator does not know its new rules.
TEST_F(SpecBundleTest, AnAgentTakesASpecificationWithRulesThatItDoesNotKnow) {
  v1::SpecBundle bundle;
  bundle.mutable_spec()->set_cluster("a");
  (*bundle.mutable_spec()->mutable_rules())["rule-of-tomorrow"].set_action(v1::TELL);
  EXPECT_FALSE(HasErrors(CheckSpecBundle(bundle)));
  EXPECT_TRUE(HasErrors(CheckRules(bundle.spec())));
}

TEST_F(SpecBundleTest, FilesStayBesideItAndWithinTheirLimits) {
  Write("big.lic", std::string(kMaxLicenseBytes + 1, 'x'));
  std::filesystem::create_directory(dir_ + "/folder");
  EXPECT_EQ(Load("cluster: a\nconnect: {config: ../x.gcfg, license: {file: /etc/shadow}}\n"),
            "cluster.yaml:2:19: connect.config must be a file beside the specification, as "
            "rstudio-connect.gcfg, not \"../x.gcfg\"\n"
            "cluster.yaml:2:46: connect.license.file must be a file beside the specification, as "
            "connect.lic, not \"/etc/shadow\"\n");
  EXPECT_EQ(Load("cluster: a\nconnect: {config: folder, license: {file: big.lic}}\n"),
            "cluster.yaml:2:19: connect.config names a file that will not do: folder is no file\n"
            "cluster.yaml:2:43: connect.license.file names a file that will not do: big.lic has "
            "65537 bytes, the limit is 65536\n");
}

TEST_F(SpecBundleTest, AnUploadWithoutItsFilesIsRefused) {
  v1::SpecBundle bundle;
  bundle.mutable_spec()->set_cluster("a");
  bundle.mutable_spec()->mutable_connect()->set_config("c.gcfg");
  bundle.set_license("x");
  EXPECT_EQ(FormatProblems(CheckSpecBundle(bundle)),
            "cluster.yaml: connect.license is missing, though its file was given\n"
            "cluster.yaml: connect.config names a file that was not given\n");
}

}  // namespace
}  // namespace connect_ha
