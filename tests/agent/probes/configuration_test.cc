#include "agent/probes/connect/configuration.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "agent/probes/probe_cache.h"
#include "common/tls/crypto.h"
#include "tests/fakes/fake_host.h"

namespace connect_ha {
namespace {

constexpr char kPath[] = "/etc/rstudio-connect/rstudio-connect.gcfg";
constexpr char kUnit[] = "rstudio-connect.service";

class ConfigurationTest : public testing::Test {
 protected:
  ConfigurationTest() {
    FakeFile file;
    file.content =
        "[Server]\nDataDir = /mnt/connect\n"
        "[Postgres]\nURL = postgres://u:urlpass@db/connect\nPassword = \"hunter2\"\n"
        "[HTTP]\nListen = :3939\n";
    file.mode = 0600;
    file.modified_at = Time(std::chrono::seconds(1700000000));
    file.changed_at = Time(std::chrono::seconds(1700000500));
    host_.SetFile(kPath, file);
    host_.SetUnitEnvironment(kUnit, {"CONNECT_HTTP_LISTEN=:80", "CONNECT_SMTP_PASSWORD=envpass"});
  }

  absl::Status Read() {
    return ReadConfiguration(
        {host_, agent_config_, nullptr, absl::OkStatus(), digest_key_, Time(), cache_}, facts_);
  }

  std::string Digest(const std::string& secret) { return KeyedDigestHex(digest_key_, secret); }

  FakeHost host_;
  v1::AgentConfig agent_config_;
  std::string digest_key_ = std::string(32, 'k');
  ProbeCache cache_;
  v1::Facts facts_;
};

TEST_F(ConfigurationTest, AChangeOfTheModeAloneIsNoneOfTheContent) {
  ASSERT_TRUE(Read().ok());
  FakeFile file;
  file.content = host_.ReadFile(kPath).value();
  file.mode = 0640;
  file.changed_at = Time(std::chrono::seconds(1700000900));
  host_.SetFile(kPath, file);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().mode(), 0640u);
  EXPECT_EQ(facts_.configuration().changed_at().seconds(), 1700000500);

  file.content += "; another line\n";
  host_.SetFile(kPath, file);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().changed_at().seconds(), 1700000900);
}

TEST_F(ConfigurationTest, ReportsTheEffectiveKeysWithoutSecrets) {
  ASSERT_TRUE(Read().ok());

  v1::Facts expected;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
      configuration {
        path: "/etc/rstudio-connect/rstudio-connect.gcfg"
        mode: 384 uid: 0 gid: 0
        modified_at { seconds: 1700000000 }
        changed_at { seconds: 1700000500 }
        keys { section: "HTTP" name: "Listen" values: ":80" source: ENVIRONMENT }
        keys { section: "Postgres" name: "Password" source: FILE line: 5
               file: "/etc/rstudio-connect/rstudio-connect.gcfg" }
        keys { section: "Postgres" name: "URL" values: "postgres://u:***@db/connect"
               source: FILE line: 4 file: "/etc/rstudio-connect/rstudio-connect.gcfg" }
        keys { section: "Server" name: "DataDir" values: "/mnt/connect" source: FILE line: 2
               file: "/etc/rstudio-connect/rstudio-connect.gcfg" }
        keys { section: "SMTP" name: "Password" source: ENVIRONMENT }
      })",
                                                            &expected));
  v1::ConfigurationFacts& configuration = *expected.mutable_configuration();
  configuration.set_digest(Digest(host_.ReadFile(kPath).value()));
  configuration.mutable_keys(1)->set_secret_digest(Digest("hunter2"));
  configuration.mutable_keys(2)->set_secret_digest(Digest("urlpass\n"));
  configuration.mutable_keys(4)->set_secret_digest(Digest("envpass"));
  EXPECT_EQ(facts_.DebugString(), expected.DebugString());
  for (const char* secret : {"hunter2", "urlpass", "envpass"}) {
    EXPECT_EQ(facts_.SerializeAsString().find(secret), std::string::npos) << secret;
  }
}

// In a URL with a blank or without a scheme, in a subsection's name, behind a comment's sign.
TEST_F(ConfigurationTest, NoSecretShowsWhereverItStands) {
  host_.SetFile(
      kPath,
      "[Postgres]\nURL = postgres://u:hunter2 hunter2@db/connect\n"
      "InstrumentationURL = postgres://u:hunter2;hunter2@db/connect\n"
      "[RPackageRepository \"CRAN\"]\nURL = https://hunter2@example.com/cran\n"
      "[RPackageRepository \"https://hunter2@example.com\"]\nURL = hunter2@example.com\n"
      "[OAuth2]\nClientSecrets = hunter2\nIssuer = \"https://a/?client_secret=hunter2\"\n");
  host_.SetUnitEnvironment(kUnit, {"CONNECT_PYTHON_INDEXURL=https://hunter2:@example.com/simple",
                                   "CONNECT_LDAP_BIND_PASSWORD=hunter2"});
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.SerializeAsString().find("hunter2"), std::string::npos) << facts_.DebugString();
  ASSERT_EQ(facts_.configuration().keys_size(), 8);
  for (const v1::ConfigKey& key : facts_.configuration().keys()) {
    EXPECT_TRUE(key.has_secret_digest()) << key.DebugString();
  }
}

TEST_F(ConfigurationTest, KeepsWhatCameBeforeAnErrorAndListsAll) {
  host_.SetFile(kPath, "[Server]\nDataDir = /a\nTempDir\nbad \"\n[x\nLandingDir = /b\n");
  ASSERT_TRUE(Read().ok());
  std::string text;
  for (const v1::ConfigKey& key : facts_.configuration().keys()) text += key.name() + " ";
  for (const v1::ConfigError& error : facts_.configuration().errors()) {
    text += std::to_string(error.line()) + ":" + std::to_string(error.column()) + " " +
            error.message() + "; ";
  }
  EXPECT_EQ(text,
            "Listen DataDir TempDir Password 3:1 TempDir has no =; write TempDir = and its value; "
            "4:5 the quote is not closed on its line; "
            "5:3 expected ] or a quoted subsection name; ");
}

TEST_F(ConfigurationTest, ASecretOnALineOfItsOwnIsNotTakenForAName) {
  host_.SetFile(kPath, "[OAuth2]\nClientSecret =\nhunter2hunter2\n");
  ASSERT_TRUE(Read().ok());
  ASSERT_EQ(facts_.configuration().errors_size(), 1);
  EXPECT_EQ(facts_.configuration().errors(0).line(), 3u);
  EXPECT_EQ(facts_.configuration().errors(0).message(),
            "a name without = that is no key of Connect's; write a value behind its key's =");
  EXPECT_EQ(facts_.SerializeAsString().find("hunter2hunter2"), std::string::npos);
}

// What ends in the padding of base64, and anything below a secret's key without a value.
TEST_F(ConfigurationTest, ASecretOnALineOfItsOwnMayHoldAnEqualsSign) {
  host_.SetFile(kPath,
                "[OAuth2]\nClientSecret =\nhunter2hunter2==\n[LDAP]\nBindPassword =\n"
                "hunter2 = hunter2\n[Postgres]\nPassword = 12;34@hunter2\n"
                "URL = postgres://u:1234#hunter2@db\n");
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().errors_size(), 0);
  std::string lines;
  for (const v1::ConfigError& warning : facts_.configuration().warnings()) {
    lines += std::to_string(warning.line()) + ":" + std::to_string(warning.column()) + " ";
  }
  EXPECT_EQ(lines, "3:1 6:1 8:1 9:1 ");
  EXPECT_EQ(facts_.SerializeAsString().find("hunter2"), std::string::npos);
  EXPECT_EQ(facts_.SerializeAsString().find("1234"), std::string::npos);
}

// A switch without = is true to go-gcfg; anything else is refused by it.
TEST_F(ConfigurationTest, ABareSwitchIsTrueAndAWarning) {
  host_.SetFile(kPath, "[HTTP]\nListen = :80\nNoWarning\n[R]\nExecutable\n");
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().errors_size(), 0);
  ASSERT_EQ(facts_.configuration().warnings_size(), 2);
  const v1::ConfigError& warning = facts_.configuration().warnings(0);
  EXPECT_EQ(warning.line(), 3u);
  EXPECT_EQ(warning.column(), 1u);
  EXPECT_EQ(warning.message(), "HTTP.NoWarning has no =; Connect reads it as NoWarning = true");
  std::string value;
  for (const v1::ConfigKey& key : facts_.configuration().keys()) {
    if (key.name() == "NoWarning") value = key.values(0);
  }
  EXPECT_EQ(value, "true");
  EXPECT_EQ(LoadConnectConfig(host_, agent_config_)->Get("HTTP", "NoWarning"), "true");
}

TEST_F(ConfigurationTest, AVariableIsFoundWhereItIsWritten) {
  host_.SetUnitVariables(kUnit, {{"CONNECT_HTTP_LISTEN=:80", "/etc/default/rstudio-connect", 4},
                                 {"CONNECT_HTTP_LISTEN=:81", "/etc/systemd/x.conf", 2}});
  ASSERT_TRUE(Read().ok());
  const v1::ConfigKey& key = facts_.configuration().keys(0);
  EXPECT_EQ(key.values(0), ":81");
  EXPECT_EQ(key.file(), "/etc/systemd/x.conf");
  EXPECT_EQ(key.line(), 2u);
}

// Names alone, whether the unit's value changed, went or came.
TEST_F(ConfigurationTest, TellsVariablesThatTheProcessHasOtherwise) {
  host_.SetUnitEnvironment(kUnit, {"CONNECT_A=hunter1", "CONNECT_B=1", "CONNECT_D=1", "TZ=UTC",
                                   "OTHER=1", "CONNECT_D=2"});
  host_.SetProcessEnvironment(
      kUnit, {"CONNECT_A=hunter2", "CONNECT_C=hunter2", "CONNECT_D=2", "PATH=/bin", "TZ=CET"});
  ASSERT_TRUE(Read().ok());
  const auto& stale = facts_.configuration().stale_environment();
  EXPECT_EQ(std::vector<std::string>(stale.begin(), stale.end()),
            (std::vector<std::string>{"CONNECT_A", "CONNECT_B", "CONNECT_C", "TZ"}));
  EXPECT_EQ(facts_.SerializeAsString().find("hunter2"), std::string::npos);
  host_.SetError(std::string(kUnit) + ".process", absl::PermissionDeniedError("no leave"));
  ASSERT_TRUE(Read().ok());
  ASSERT_EQ(facts_.unobserved_size(), 1);
  EXPECT_EQ(facts_.unobserved(0).path(), "configuration.stale_environment");
}

TEST_F(ConfigurationTest, AFileThatIsNoGcfgDoesNotFillTheReport) {
  std::string noise;
  for (int i = 0; i < 1000; ++i) noise += "?\n";
  host_.SetFile(kPath, noise);
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().errors_size(), 20);
}

TEST_F(ConfigurationTest, NoFileIsObservedAbsent) {
  host_.Erase(kPath);
  ASSERT_TRUE(Read().ok());
  EXPECT_FALSE(facts_.configuration().has_mode());
  EXPECT_FALSE(facts_.configuration().has_digest());
  EXPECT_EQ(facts_.configuration().keys_size(), 2);
  EXPECT_EQ(facts_.unobserved_size(), 0);
}

TEST_F(ConfigurationTest, AnUnreadableEnvironmentLeavesTheKeysUnobserved) {
  host_.SetError(kUnit, absl::UnavailableError("no bus"));
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(facts_.configuration().keys_size(), 0);
  ASSERT_EQ(facts_.unobserved_size(), 2);
  EXPECT_EQ(facts_.unobserved(0).path(), "configuration.keys");
  EXPECT_EQ(facts_.unobserved(1).path(), "configuration.stale_environment");
}

TEST_F(ConfigurationTest, WithoutADigestKeySecretsHaveNoDigest) {
  digest_key_.clear();
  ASSERT_TRUE(Read().ok());
  for (const v1::ConfigKey& key : facts_.configuration().keys()) {
    EXPECT_FALSE(key.has_secret_digest()) << key.name();
  }
  ASSERT_EQ(facts_.unobserved_size(), 1);
  EXPECT_EQ(facts_.unobserved(0).path(), "configuration.digest");
}

// Whichever call fails, nothing is reported as absent.
TEST_F(ConfigurationTest, EveryFailingCallIsAnErrorOrUnobserved) {
  for (int n = 1; n <= 3; ++n) {
    host_.FailCall(n, absl::PermissionDeniedError("no leave"));
    const absl::Status status = Read();
    EXPECT_TRUE(!status.ok() || facts_.unobserved_size() > 0) << n;
    if (status.ok()) {
      EXPECT_EQ(facts_.configuration().keys_size(), 0) << n;
    }
  }
}

TEST_F(ConfigurationTest, LoadsTheConfigurationForOtherProbes) {
  const auto config = LoadConnectConfig(host_, agent_config_);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->Get("HTTP", "Listen"), ":80");
  EXPECT_EQ(config->Get("Postgres", "Password"), "hunter2");
}

TEST_F(ConfigurationTest, LoadingNamesWhatStopsIt) {
  host_.SetFile(kPath, "[Server]\nbad \"\n");
  EXPECT_EQ(LoadConnectConfig(host_, agent_config_).status(),
            absl::FailedPreconditionError("/etc/rstudio-connect/rstudio-connect.gcfg:2:5: the "
                                          "quote is not closed on its line"));
  host_.Erase(kPath);
  EXPECT_EQ(LoadConnectConfig(host_, agent_config_).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(ConfigurationTest, LooksWhereTheAgentIsTold) {
  agent_config_.set_connect_config("/etc/other.gcfg");
  agent_config_.set_connect_unit("other.service");
  host_.SetFile("/etc/other.gcfg", "[Server]\nDataDir = /other\n");
  EXPECT_EQ(LoadConnectConfig(host_, agent_config_)->Get("Server", "DataDir"), "/other");
  EXPECT_FALSE(LoadConnectConfig(host_, agent_config_)->IsSet("HTTP", "Listen"));
}

}  // namespace
}  // namespace connect_ha
