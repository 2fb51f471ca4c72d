#include "common/spec/config_loader.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>

#include "common/file.h"
#include "common/spec/config_scalar.h"
#include "connect_ha/v1/checklist.pb.h"
#include "connect_ha/v1/token.pb.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

template <typename Config>
std::string Problems(const std::string& yaml) {
  Config config;
  return FormatProblems(ParseYaml(yaml, "c.yaml", config));
}

// What ParseYaml makes of a text that is right.
template <typename Config>
std::string Parsed(const std::string& yaml) {
  Config config;
  const auto problems = ParseYaml(yaml, "c.yaml", config);
  EXPECT_EQ(FormatProblems(problems), "");
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.PrintToString(config, &text);
  return text;
}

std::string Validated(const std::string& yaml) {
  v1::ClusterSpec spec;
  FilePositions positions;
  const auto problems = ParseYaml(yaml, "c.yaml", spec, &positions);
  EXPECT_EQ(FormatProblems(problems), "");
  return FormatProblems(ValidateClusterSpec(spec, "c.yaml", positions));
}

constexpr char kWhole[] = R"(
cluster: analytics
connect: {version: 2024.08.0}
runtimes:
  r:      [{version: 4.3.3}, {version: "4.4.1"}]
  python:
    - version: 3.11.9
  quarto: [{version: 1.5.57}]
accounts:
  rstudio-connect: {uid: 999, gid: 998}
storage:
  mount_point: /mnt/connect
  efs: {file_system: fs-0123456789abcdef0, region: us-east-1}
database: {major_version: 15, minimum_minor_version: 7}
limits:
  stale_after: 1m30s
  clock_offset: 500ms
  disk_used_percent: 85
prove: {storage: true, database: false}
)";

TEST(ConfigLoaderTest, FillsAMessageByFieldName) {
  EXPECT_EQ(Parsed<v1::ClusterSpec>(kWhole),
            "cluster: \"analytics\" connect { version: \"2024.08.0\" } runtimes { r { version: "
            "\"4.3.3\" } r { version: \"4.4.1\" } python { version: \"3.11.9\" } quarto { version: "
            "\"1.5.57\" } } accounts { key: \"rstudio-connect\" value { uid: 999 gid: 998 } } "
            "storage { mount_point: \"/mnt/connect\" efs { file_system: \"fs-0123456789abcdef0\" "
            "region: \"us-east-1\" } } database { major_version: 15 minimum_minor_version: 7 } "
            "limits { stale_after { seconds: 90 } clock_offset { nanos: 500000000 } "
            "disk_used_percent: 85 } prove { storage: true database: false } ");
  EXPECT_EQ(Validated(kWhole), "");
}

TEST(ConfigLoaderTest, KeepsTheTextOfAnUnquotedNumber) {
  EXPECT_EQ(
      Parsed<v1::RuntimesSpec>("python: [{version: 3.10}, {version: 3.1e2}, {version: 010}]"),
      "python { version: \"3.10\" } python { version: \"3.1e2\" } python { version: \"010\" } ");
}

TEST(ConfigLoaderTest, NamesTheNearestKeyAtItsPlace) {
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: a\nconnect:\n  verson: 2024.08.0\n"),
            "c.yaml:3:3: unknown key \"verson\"; did you mean \"version\"?\n");
}

TEST(ConfigLoaderTest, ListsTheKeysWhereNoneIsNear) {
  EXPECT_EQ(Problems<v1::DatabaseSpec>("password: x\n"),
            "c.yaml:1:1: unknown key \"password\"; there are major_version, "
            "minimum_minor_version, tls, ca_file, backup_before_migration\n");
}

TEST(ConfigLoaderTest, ReportsEverythingThatIsWrongInFileOrder) {
  EXPECT_EQ(Problems<v1::ClusterSpec>("clustr: a\n"
                                      "connect: 2024.08.0\n"
                                      "runtimes: {r: {version: 4.3.3}}\n"
                                      "database:\n"
                                      "  major_version: fifteen\n"
                                      "  minimum_minor_version: \"7\"\n"
                                      "limits:\n"
                                      "  stale_after: 30\n"
                                      "  disk_used_percent: -1\n"
                                      "  clock_offset:\n"),
            "c.yaml:1:1: unknown key \"clustr\"; did you mean \"cluster\"?\n"
            "c.yaml:2:10: connect must be a mapping of names to values, not \"2024.08.0\"\n"
            "c.yaml:3:15: runtimes.r must be a list, each item after \"- \", not a mapping\n"
            "c.yaml:5:18: database.major_version must be a whole number from 0 to 4294967295, not "
            "\"fifteen\"\n"
            "c.yaml:6:26: database.minimum_minor_version must be a number: leave out the quotes "
            "around 7\n"
            "c.yaml:8:16: limits.stale_after must be a duration as 500ms, 30s, 5m, 1h30m or 2d, "
            "not \"30\"\n"
            "c.yaml:9:22: limits.disk_used_percent must be a whole number from 0 to 4294967295, "
            "not \"-1\"\n"
            "c.yaml:10:3: limits.clock_offset has no value; it must be a duration as 30s or "
            "1h30m\n");
}

TEST(ConfigLoaderTest, RefusesAKeyGivenTwice) {
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: a\ncluster: b\naccounts:\n  x: {uid: 1}\n"
                                      "  x: {uid: 2}\n"),
            "c.yaml:2:1: key \"cluster\" is already given in line 1; keep one\n"
            "c.yaml:5:3: key \"x\" is already given in line 4; keep one\n");
}

TEST(ConfigLoaderTest, RefusesBothOfAOneof) {
  EXPECT_EQ(Problems<v1::StorageSpec>("mount_point: /mnt\nefs: {file_system: fs-01234567}\n"
                                      "nfs: {server: x}\n"),
            "c.yaml:3:1: both \"efs\" and \"nfs\" are given; keep one\n");
}

TEST(ConfigLoaderTest, TakesEnumsInLowerCaseAndBools) {
  EXPECT_EQ(Parsed<v1::Finding>("outcome: not_applicable\nrule_class: data\n"),
            "outcome: NOT_APPLICABLE rule_class: DATA ");
  EXPECT_EQ(Problems<v1::Finding>("outcome: pas\nrule_class: DATA\n"),
            "c.yaml:1:10: outcome must be one of pass, fail, unknown, not_applicable, follows, not "
            "\"pas\"; "
            "did you mean \"pass\"?\n"
            "c.yaml:2:13: rule_class must be one of data, service, advice, not \"DATA\"; did you "
            "mean \"data\"?\n");
  EXPECT_EQ(Parsed<v1::Token>("revoked: true"), "revoked: true ");
  EXPECT_EQ(Problems<v1::Token>("revoked: yes"),
            "c.yaml:1:10: revoked must be true or false, not \"yes\"\n");
}

TEST(ConfigLoaderTest, ASectionThatIsAllCommentsIsNotGiven) {
  EXPECT_EQ(Parsed<v1::ClusterSpec>("cluster: a\nlimits:\n#  stale_after: 30s\nruntimes:\n  r:\n"),
            "cluster: \"a\" runtimes { } ");
}

TEST(ConfigLoaderTest, AnEmptyFileIsAnEmptyMessage) {
  EXPECT_EQ(Parsed<v1::ClusterSpec>(""), "");
  EXPECT_EQ(Parsed<v1::ClusterSpec>("# nothing\n"), "");
}

TEST(ConfigLoaderTest, RefusesWhatIsNotOneYamlMapping) {
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: [a\n"),
            "c.yaml:2:1: is not YAML: end of sequence flow not found\n");
  EXPECT_EQ(Problems<v1::ClusterSpec>("- a\n"),
            "c.yaml:1:1: the file must be a mapping of names to values, not a list\n");
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: a\n---\ncluster: b\n"),
            "c.yaml:2:1: a second document begins; keep one\n");
  EXPECT_EQ(Problems<v1::ClusterSpec>("{cluster: a}\nconnect: {}\n"),
            "c.yaml:2:1: a second document begins; keep one\n");
  EXPECT_NE(Problems<v1::ClusterSpec>("&a, b"), "");
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: a\n? [x]\n: b\n"),
            "c.yaml:2:3: a key must be a name, not a list\n");
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: a\nconnect: \xff\n"),
            "c.yaml:2:10: is not UTF-8 text\n");
  EXPECT_EQ(Problems<v1::ClusterSpec>("cluster: \"a\\0b\"\n"),
            "c.yaml:1:10: cluster must be text without NUL\n");
}

TEST(ConfigLoaderTest, ReadsDurations) {
  const auto nanoseconds = [](const std::string& text) -> int64_t {
    const auto duration = ParseConfigDuration(text);
    return duration.ok() ? duration->seconds() * 1'000'000'000 + duration->nanos() : -1;
  };
  EXPECT_EQ(nanoseconds("500ms"), 500'000'000);
  EXPECT_EQ(nanoseconds("0s"), 0);
  EXPECT_EQ(nanoseconds("1h30m"), 5400 * int64_t{1'000'000'000});
  EXPECT_EQ(nanoseconds("2d"), 172800 * int64_t{1'000'000'000});
  for (const char* wrong : {"", "5", "m", "5 m", "-5m", "5m3", "1.5h", "5x", "99999999999d",
                            "36525d1ms", "9223372036854775808s"}) {
    EXPECT_EQ(nanoseconds(wrong), -1) << wrong;
  }
}

TEST(ConfigLoaderTest, ValidationNamesWhatIsMissing) {
  EXPECT_EQ(Validated("runtimes:\n  r:\n    - {}\nstorage:\n  nfs: {}\naccounts:\n  x: {}\n"),
            "c.yaml:1:1: cluster is missing; write the cluster's name, as cluster: analytics\n"
            "c.yaml:3:7: runtimes.r[0].version is missing; write {version: 4.3.3}\n"
            "c.yaml:7:6: accounts.x needs a uid, a gid or both\n"
            "c.yaml:5:3: storage.mount_point is missing; write where the data is mounted, as "
            "/mnt/connect\n"
            "c.yaml:5:8: storage.nfs.server must be the server's name or address\n");
}

// One that begins with - would be an option of useradd.
TEST(ConfigLoaderTest, ValidationChecksAccountNames) {
  for (const char* right : {"rstudio-connect", "_apt", "A.b-c_1", "john.doe@corp"}) {
    EXPECT_EQ(Validated(std::string("cluster: a\naccounts:\n  \"") + right + "\": {uid: 1}\n"), "")
        << right;
  }
  for (const char* wrong :
       {"--root=x", "-a", "1a", "a b", "a:b", "../a", "a,b", "a23456789012345678901234567890123"}) {
    EXPECT_EQ(Validated(std::string("cluster: a\naccounts:\n  \"") + wrong + "\": {uid: 1}\n"),
              "c.yaml:3:" + std::to_string(std::string(wrong).size() + 7) + ": accounts." + wrong +
                  " is not the name of an account: up to 32 letters, digits, _ . - and @, the "
                  "first a letter or _\n")
        << wrong;
  }
}

TEST(ConfigLoaderTest, ValidationChecksForms) {
  EXPECT_EQ(
      Validated("cluster: My_Cluster\n"
                "connect: {version: 2024.08.0~ubuntu22}\n"
                "runtimes: {python: [{version: 3.10}, {version: 3.11.9}, {version: 3.11.9}]}\n"
                "storage:\n"
                "  mount_point: /mnt/connect/\n"
                "  efs: {file_system: fs-1, region: virginia}\n"
                "database: {minimum_minor_version: 7}\n"
                "limits: {stale_after: 0s, disk_used_percent: 101}\n"),
      "c.yaml:1:10: cluster must be 1 to 63 of a-z, 0-9 and -, with no - at either end, not "
      "\"My_Cluster\"\n"
      "c.yaml:2:20: connect.version must be a version as 2024.08.0, not "
      "\"2024.08.0~ubuntu22\"\n"
      "c.yaml:3:31: runtimes.python[0].version must be a full version as 3.11.9, not "
      "\"3.10\"\n"
      "c.yaml:3:67: runtimes.python[2].version is \"3.11.9\" a second time\n"
      "c.yaml:5:16: storage.mount_point must be an absolute path without . or .. and no / at "
      "its end, not \"/mnt/connect/\"\n"
      "c.yaml:6:22: storage.efs.file_system must be an EFS id as fs-0123456789abcdef0, not "
      "\"fs-1\"\n"
      "c.yaml:6:36: storage.efs.region must be an AWS region as us-east-1, not "
      "\"virginia\"\n"
      "c.yaml:7:35: database.minimum_minor_version needs database.major_version beside it\n"
      "c.yaml:8:23: limits.stale_after must be 15s or longer, three heartbeats of a node, which "
      "sends one every 5s; write stale_after: 15s\n"
      "c.yaml:8:46: limits.disk_used_percent must be from 1 to 100\n");
}

TEST(ConfigLoaderTest, ValidationChecksHowTheStorageIsMounted) {
  EXPECT_EQ(Validated("cluster: a\n"
                      "storage:\n"
                      "  mount_point: /mnt/connect\n"
                      "  efs: {file_system: fs-01234567, access_point: fsap-1}\n"
                      "  efs_utils: {url: \"https://example.com/e.rpm\", sha256: \"0\"}\n"
                      "  owner: {user: \"0\", group: a b, mode: \"0888\"}\n"),
            "c.yaml:5:57: storage.efs_utils.sha256 must be 64 hex digits in lower case, as "
            "sha256sum prints them, not 1 characters\n"
            "c.yaml:5:20: storage.efs_utils.url is of an .rpm; only Debian and Ubuntu are known so "
            "far: take the .deb\n"
            "c.yaml:4:49: storage.efs.access_point must be the id of an access point as "
            "fsap-0123456789abcdef0, not \"fsap-1\"\n"
            "c.yaml:6:17: storage.owner.user must be the name of an account, as rstudio-connect\n"
            "c.yaml:6:29: storage.owner.group must be the name of a group, as rstudio-connect\n"
            "c.yaml:6:40: storage.owner.mode must be octal, as 0755, not \"0888\"\n");
  EXPECT_EQ(Validated("cluster: a\nstorage: {mount_point: /mnt/" + std::string(300, 'x') + "}\n"),
            "c.yaml:2:24: storage.mount_point is too long for the name of a unit of systemd, or "
            "ends with \\ or a blank\n");
}

TEST(ConfigLoaderTest, ValidationTakesEachVersionInOneForm) {
  EXPECT_EQ(Validated("cluster: a\n"
                      "connect: {version: 2024.08.0}\n"
                      "runtimes:\n"
                      "  r: [{version: 4.3.3}, {version: 4.10.0}, {version: 0.4.30}]\n"),
            "");
  EXPECT_EQ(Validated("cluster: a\n"
                      "runtimes:\n"
                      "  r: [{version: 4.3.3}, {version: 04.3.3}, {version: 4.3.03}]\n"
                      "  python: [{version: 3.00.1}]\n"
                      "  quarto: [{version: 1.05.57}]\n"),
            "c.yaml:3:35: runtimes.r[1].version must be a full version as 4.3.3, not \"04.3.3\"\n"
            "c.yaml:3:54: runtimes.r[2].version must be a full version as 4.3.3, not \"4.3.03\"\n"
            "c.yaml:4:22: runtimes.python[0].version must be a full version as 3.11.9, not "
            "\"3.00.1\"\n"
            "c.yaml:5:22: runtimes.quarto[0].version must be a full version as 1.5.57, not "
            "\"1.05.57\"\n");
}

TEST(ConfigLoaderTest, ValidationKnowsPlatformsAsTheyNameThemselves) {
  EXPECT_EQ(Validated("cluster: a\nplatform: {os_id: ubuntu, os_version: 24.10, architecture: "
                      "aarch64}\nlimits: {database_stage: 2s}\n"),
            "");
  EXPECT_EQ(Validated("cluster: a\nlimits: {database_stage: 0s}\n"
                      "platform: {os_id: Ubuntu Linux, os_version: \"\", architecture: amd64}\n"),
            "c.yaml:2:26: limits.database_stage must be longer than 0s\n"
            "c.yaml:3:19: platform.os_id must be ID of /etc/os-release, as ubuntu\n"
            "c.yaml:3:45: platform.os_version must be VERSION_ID of /etc/os-release, as 22.04\n"
            "c.yaml:3:63: platform.architecture must be as uname -m says, x86_64 or aarch64, not "
            "\"amd64\"\n");
}

TEST(ConfigLoaderTest, ValidationKeepsDataOutOfTheInstallation) {
  EXPECT_EQ(Validated("cluster: a\nstorage: {mount_point: /opt/rstudio-connect/data}\n"),
            "c.yaml:2:24: storage.mount_point is below /opt/rstudio-connect, where Connect refuses "
            "to keep data\n");
}

TEST(ConfigLoaderTest, ValidationWithoutAFileHasNoPlaces) {
  EXPECT_EQ(FormatProblems(ValidateClusterSpec(v1::ClusterSpec())),
            "cluster is missing; write the cluster's name, as cluster: analytics\n");
}

class ConfigFileTest : public testing::Test {
 protected:
  std::string Write(const std::string& content) {
    directory_.Write("cluster.yaml", content);
    return directory_ / "cluster.yaml";
  }
  const TemporaryDirectory directory_;
};

TEST_F(ConfigFileTest, LoadsASpecification) {
  v1::ClusterSpec spec;
  EXPECT_EQ(FormatProblems(LoadClusterSpec(Write(kWhole), spec)), "");
  EXPECT_EQ(spec.cluster(), "analytics");
}

TEST_F(ConfigFileTest, AMissingSpecificationIsAProblem) {
  v1::ClusterSpec spec;
  const auto problems = LoadClusterSpec("/nonexistent/cluster.yaml", spec);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].file, "/nonexistent/cluster.yaml");
}

TEST_F(ConfigFileTest, AgentConfigFillsInDefaults) {
  v1::AgentConfig config;
  EXPECT_EQ(FormatProblems(LoadAgentConfig(Write("imds_endpoint: http://127.0.0.1:1338\n"
                                                 "poll_interval: 5s\n"),
                                           MissingFile::kIsAProblem, config)),
            "");
  v1::AgentConfig expected;
  SetAgentDefaults(expected);
  expected.set_imds_endpoint("http://127.0.0.1:1338");
  expected.mutable_poll_interval()->set_seconds(5);
  EXPECT_EQ(config.DebugString(), expected.DebugString());
}

TEST_F(ConfigFileTest, AMissingAgentConfigMayMeanDefaults) {
  v1::AgentConfig config;
  EXPECT_EQ(LoadAgentConfig("/nonexistent/agent.yaml", MissingFile::kMeansDefaults, config).size(),
            0U);
  EXPECT_EQ(config.connect_unit(), "rstudio-connect.service");
  EXPECT_EQ(LoadAgentConfig("/nonexistent/agent.yaml", MissingFile::kIsAProblem, config).size(),
            1U);
}

// Uncommented, the shipped example has every key, and but for two that are unset by default the
// defaults.
TEST_F(ConfigFileTest, TheExampleOfTheAgentsSettingsLoads) {
  const std::string example = CONNECT_HA_SOURCE_DIR "/systemd/examples/agent.yaml";
  v1::AgentConfig config;
  EXPECT_EQ(FormatProblems(LoadAgentConfig(example, MissingFile::kIsAProblem, config)), "");

  std::string yaml = *ReadSmallFile(example);
  yaml = std::regex_replace(yaml, std::regex("(^|\n)#([a-z_]+: )"), "$1$2");

  v1::AgentConfig uncommented;
  EXPECT_EQ(FormatProblems(ParseYaml(yaml, "agent.yaml", uncommented)), "");
  EXPECT_EQ(FormatProblems(ValidateAgentConfig(uncommented)), "");
  const auto* keys = v1::AgentConfig::descriptor();
  for (int i = 0; i < keys->field_count(); ++i) {
    EXPECT_TRUE(uncommented.GetReflection()->HasField(uncommented, keys->field(i)))
        << keys->field(i)->name();
  }
  uncommented.clear_database_ca_file();
  uncommented.clear_artifact_dir();
  EXPECT_EQ(uncommented.DebugString(), config.DebugString());
}

TEST_F(ConfigFileTest, AgentConfigIsValidated) {
  v1::AgentConfig config;
  const std::string path = Write(
      "imds_endpoint: 169.254.169.254\nconnect_config: connect.gcfg\nconnect_unit: connect\n"
      "database_ca_file: ca.pem\npoll_interval: 0s\nartifact_dir: /srv/../etc\n"
      "allow: instal\n");
  EXPECT_EQ(FormatProblems(LoadAgentConfig(path, MissingFile::kIsAProblem, config)),
            path + ":1:16: imds_endpoint must begin with http://\n" + path +
                ":2:17: connect_config must be an absolute path\n" + path +
                ":3:15: connect_unit must end with .service\n" + path +
                ":4:19: database_ca_file must be an absolute path\n" + path +
                ":5:16: poll_interval must be longer than 0s\n" + path +
                ":6:15: artifact_dir must be an absolute path of a directory, as /srv/packages\n" +
                path +
                ":7:8: allow must be one of observe, install, serve, not \"instal\"; did you mean "
                "\"install\"?\n");
  v1::AgentConfig observed;
  EXPECT_EQ(FormatProblems(
                LoadAgentConfig(Write("allow: observe\n"), MissingFile::kIsAProblem, observed)),
            "");
  EXPECT_EQ(observed.allow(), v1::ALLOW_OBSERVE);
}

// What a text of a specification becomes on a node: an option, a line of a file, a part of a
// report.
TEST_F(ConfigFileTest, TextsOfASpecificationStayWithinWhatTheyAreFor) {
  v1::ClusterSpec spec;
  spec.set_cluster("a");
  (*spec.mutable_accounts())["--root=x"].set_uid(1);
  spec.mutable_platform()->set_os_id(std::string(3000, 'x'));
  spec.mutable_storage()->set_mount_point("/mnt/a\nb");
  spec.mutable_storage()->mutable_nfs()->set_server("nfs;reboot");
  const std::string problems = FormatProblems(ValidateClusterSpec(spec));
  for (const char* expected :
       {"accounts.--root=x is not the name of an account",
        "platform.os_id must be at most 2048 bytes", "storage.mount_point must be an absolute path",
        "storage.mount_point must not have control characters",
        "storage.nfs.server must be the server's name or address"}) {
    EXPECT_NE(problems.find(expected), std::string::npos) << expected << "\n" << problems;
  }
}

}  // namespace
}  // namespace connect_ha
