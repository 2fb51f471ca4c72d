#include "agent/probes/connect/connect_config.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/connect/connect_keys.h"

namespace connect_ha {
namespace {

ConnectConfig Merge(const std::string& text, const std::vector<std::string>& environment = {}) {
  std::vector<UnitVariable> variables;
  for (const std::string& assignment : environment) variables.push_back({assignment, "", 0});
  return MergeConnectConfig(ParseGcfg(text).entries, variables);
}

// "Server/sub/DataDir = a|b (line 2)" or "(environment)".
std::vector<std::string> Lines(const ConnectConfig& config) {
  std::vector<std::string> lines;
  for (const ConnectConfig::Key& key : config.keys()) {
    lines.push_back(absl::StrCat(
        key.section, "/", key.subsection, "/", key.name, " = ", absl::StrJoin(key.values, "|"),
        key.from_environment ? " (environment)" : absl::StrCat(" (line ", key.line, ")")));
  }
  return lines;
}

using Expected = std::vector<std::string>;

TEST(ConnectConfigTest, LastValueHoldsButForKeysWithMany) {
  EXPECT_EQ(Lines(Merge("[Server]\nDataDir = /a\n"
                        "[Python]\nExecutable = /one\n"
                        "[server]\ndatadir = /b\n"
                        "[PYTHON]\nexecutable = /two\n")),
            (Expected{"Server//DataDir = /b (line 6)", "Python//Executable = /one|/two (line 8)"}));
}

TEST(ConnectConfigTest, AKeyThatIsNotKnownKeepsEveryValue) {
  EXPECT_EQ(Lines(Merge("[Odd]\nKey = 1\nKey = 2\n[RPackageRepository \"CRAN\"]\nURL = x\n"
                        "[RPackageRepository \"cran\"]\nURL = y\n")),
            (Expected{"Odd//Key = 1|2 (line 3)", "RPackageRepository/CRAN/URL = x (line 5)",
                      "RPackageRepository/cran/URL = y (line 7)"}));
}

TEST(ConnectConfigTest, ABareNameIsTrueAndForgetsTheManyBefore) {
  EXPECT_EQ(Lines(Merge("[Python]\nEnabled\nExecutable = /one\nExecutable\nExecutable = /two\n")),
            (Expected{"Python//Enabled = true (line 2)", "Python//Executable = /two (line 5)"}));
}

TEST(ConnectConfigTest, EnvironmentOverridesTheFile) {
  EXPECT_EQ(Lines(Merge("[Server]\nDataDir = /a\n[Odd]\nKey = 1\n",
                        {"PATH=/bin", "CONNECT_SERVER_DATADIR=/env", "CONNECT_ODD_KEY=2=3",
                         "CONNECT_POSTGRES_INSTRUMENTATIONPASSWORD=pw",
                         "CONNECT_NEWSECTION_NEW_KEY=x", "CONNECT_SERVER", "CONNECT_=y",
                         "CONNECT_LONELY=z", "connect_server_tempdir=/no"})),
            (Expected{"Server//DataDir = /env (environment)", "Odd//Key = 2=3 (environment)",
                      "Postgres//InstrumentationPassword = pw (environment)",
                      "NEWSECTION//NEW_KEY = x (environment)"}));
}

TEST(ConnectConfigTest, DefaultsAreConnects) {
  const ConnectConfig config({});
  EXPECT_EQ(config.Get("server", "datadir"), "/var/lib/rstudio-connect");
  EXPECT_EQ(config.Get("Database", "Dir"), "/var/lib/rstudio-connect/db");
  EXPECT_EQ(config.Get("Database", "Provider"), "sqlite");
  EXPECT_EQ(config.Get("HTTP", "Listen"), ":3939");
  EXPECT_EQ(config.Get("Applications", "RunAs"), "rstudio-connect");
  EXPECT_EQ(config.Get("Server", "LandingDir"), std::nullopt);
  EXPECT_EQ(config.Get("No", "Such"), std::nullopt);
  EXPECT_TRUE(config.GetBool("R", "Enabled", false));
  EXPECT_FALSE(config.GetBool("Python", "Enabled", true));
  EXPECT_FALSE(config.IsSet("Server", "DataDir"));
}

TEST(ConnectConfigTest, DefaultsFollowWhatTheyAreDerivedFrom) {
  const ConnectConfig config = Merge("[Server]\nDataDir = /mnt/connect\n");
  EXPECT_EQ(config.Get("Database", "Dir"), "/mnt/connect/db");
  EXPECT_EQ(config.Get("Metrics", "DataPath"), "/mnt/connect/metrics/rrd");
}

TEST(ConnectConfigTest, ReadsSwitchesInAnyCase) {
  const ConnectConfig config = Merge("[a]\nb = Yes\nc = OFF\nd = maybe\n");
  EXPECT_TRUE(config.GetBool("a", "b", false));
  EXPECT_FALSE(config.GetBool("a", "c", true));
  EXPECT_TRUE(config.GetBool("a", "d", true));
  EXPECT_FALSE(config.GetBool("a", "d", false));
}

TEST(ConnectConfigTest, DirectoriesAreThoseSetOrWithADefault) {
  std::vector<std::string> lines;
  for (const ConfiguredPath& path :
       Merge("[Server]\nDataDir = /mnt/connect\nLandingDir = /mnt/landing\nTempDir =\n")
           .Directories()) {
    lines.push_back(absl::StrCat(path.key, " ", path.path, path.is_default ? " default" : ""));
  }
  EXPECT_EQ(lines, (Expected{"Server.DataDir /mnt/connect", "Database.Dir /mnt/connect/db default",
                             "Server.LandingDir /mnt/landing",
                             "Metrics.DataPath /mnt/connect/metrics/rrd default"}));
}

TEST(ConnectKeysTest, SecretsAreKnownByNameOrEnding) {
  EXPECT_TRUE(IsSecretKey("postgres", "password"));
  EXPECT_TRUE(IsSecretKey("Server", "EncryptionKey"));
  EXPECT_TRUE(IsSecretKey("LDAP", "BindPassword"));
  EXPECT_TRUE(IsSecretKey("OAuth2", "ClientSecret"));
  EXPECT_TRUE(IsSecretKey("New", "APIKEY"));
  EXPECT_FALSE(IsSecretKey("Server", "EncryptionKeyFile"));
  EXPECT_FALSE(IsSecretKey("HTTPS", "Key"));
  EXPECT_FALSE(IsSecretKey("Server", "DataDir"));
}

}  // namespace
}  // namespace connect_ha
