#include "common/connect/connect_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/connect/config_value.h"

namespace connect_ha {
namespace {

TEST(ConnectKeysTest, EveryLineOfTheDataIsAKeyAndNoneIsThereTwice) {
  std::vector<std::string> wrong;
  const auto keys = ParseConnectKeys(kConnectKeysText, &wrong);
  EXPECT_EQ(wrong, std::vector<std::string>());
  std::set<std::string> seen;
  for (const ConnectKey& key : keys) {
    const std::string name = absl::AsciiStrToLower(absl::StrCat(key.section, ".", key.name));
    EXPECT_TRUE(seen.insert(name).second) << name;
  }
  EXPECT_GT(keys.size(), 80u);
}

TEST(ConnectKeysTest, ALineSaysWhatIsKnownOfAKey) {
  EXPECT_EQ(FindConnectKey("server", "datadir")->default_value, "/var/lib/rstudio-connect");
  EXPECT_EQ(FindConnectKey("Postgres", "URL")->default_value, std::nullopt);
  EXPECT_TRUE(FindConnectKey("Python", "Executable")->many);
  EXPECT_FALSE(FindConnectKey("Python", "Enabled")->many);
  EXPECT_EQ(FindConnectKey("Server", "RVersion")->former, "is an old name; write R.Executable");
  EXPECT_TRUE(FindConnectKey("Server", "RVersion")->many);
  EXPECT_EQ(FindConnectKey("Launcher", ""), nullptr);
  const auto sections = ConnectSections();
  EXPECT_EQ(std::count(sections.begin(), sections.end(), "Launcher"), 1);
  EXPECT_EQ(std::count(sections.begin(), sections.end(), "Server"), 1);
}

TEST(ConnectKeysTest, AKeySaysWhatAChangeOfItTakes) {
  for (const char* key : {"Provider", "Dir", "SomethingNew"}) {
    EXPECT_EQ(ChangeOfKey("database", key), KeyChange::kTogether) << key;
  }
  for (const char* key : {"DataDir", "EncryptionKey", "EncryptionKeyFile"}) {
    EXPECT_EQ(ChangeOfKey("Server", key), KeyChange::kTogether) << key;
  }
  EXPECT_EQ(ChangeOfKey("Postgres", "url"), KeyChange::kTogether);
  EXPECT_EQ(ChangeOfKey("Postgres", "InstrumentationURL"), KeyChange::kTogether);
  EXPECT_EQ(ChangeOfKey("SQLite", "Dir"), KeyChange::kTogether);
  EXPECT_EQ(ChangeOfKey("Postgres", "Password"), KeyChange::kRestart);
  EXPECT_EQ(ChangeOfKey("Standin", "Banner"), KeyChange::kReload);
  EXPECT_EQ(ChangeOfKey("Server", "Address"), KeyChange::kRestart);
  EXPECT_EQ(ChangeOfKey("Logging", "Other"), KeyChange::kRestart);
  EXPECT_EQ(ChangeOfKey("Nonsense", "URL"), KeyChange::kRestart);
}

// Nobody has read which are: one that is restarted for has its new value in any case.
TEST(ConnectKeysTest, NoKeyOfConnectIsReloadedByGuess) {
  for (const ConnectKey& key : ConnectKeys()) {
    EXPECT_EQ(key.reloadable, key.section == "Standin") << key.section << "." << key.name;
  }
}

TEST(ConnectKeysTest, ALineThatIsNoKeyIsNamed) {
  std::vector<std::string> wrong;
  const auto keys = ParseConnectKeys(
      "# a comment\n\nServer\nServer.A dflt x\nServer.B many default y z\nServer.C.D\n", &wrong);
  EXPECT_EQ(wrong, (std::vector<std::string>{"3: Server", "4: Server.A dflt x", "6: Server.C.D"}));
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_TRUE(keys[0].many);
  EXPECT_EQ(keys[0].default_value, "y z");
}

TEST(ConnectKeysTest, EveryKeyHasAType) {
  for (const ConnectKey& key : ConnectKeys()) {
    EXPECT_NE(key.type, KeyType::kUnknown) << key.section << "." << key.name;
    const bool secret = key.type == KeyType::kSecret;
    EXPECT_EQ(IsSecretKey(key.section, key.name), secret) << key.section << "." << key.name;
  }
}

TEST(ConnectKeysTest, AClassIsTheKeysOrItsSections) {
  EXPECT_EQ(ConnectKeyClass("metrics", "datapath"), KeyClass::kMustDiffer);
  EXPECT_EQ(ConnectKeyClass("Metrics", "Other"), KeyClass::kMustMatch);
  EXPECT_EQ(ConnectKeyClass("Logging", "Other"), KeyClass::kMayDiffer);
  EXPECT_EQ(ConnectKeyClass("HTTP", "Listen"), KeyClass::kMayDiffer);
  EXPECT_EQ(ConnectKeyClass("SAML", "IdPMetaDataURL"), KeyClass::kMustMatch);
  EXPECT_EQ(ConnectKeyClass("Nonsense", "URL"), KeyClass::kUnknown);
}

TEST(ConnectKeysTest, WaysToWriteOneValueAreOne) {
  const auto normal = [](const char* section, const char* name, const char* value) {
    return NormalizedConfigValue(section, name, value);
  };
  for (const char* yes : {"true", "Yes", "ON", "1"}) {
    EXPECT_EQ(normal("python", "enabled", yes), "true") << yes;
  }
  EXPECT_EQ(normal("Python", "Enabled", "off"), "false");
  EXPECT_EQ(normal("Python", "Enabled", "t"), "t");
  for (const char* half : {"30m", "1800s", "0.5h", "1800000000000", "29m60s"}) {
    EXPECT_EQ(normal("Authentication", "Inactivity", half), "30m") << half;
  }
  EXPECT_EQ(normal("Authentication", "Inactivity", "soon"), "soon");
  EXPECT_EQ(normal("SMTP", "Port", "025"), "25");
  EXPECT_EQ(normal("Server", "DataDir", "1"), "1");
  EXPECT_EQ(normal("Odd", "Key", "yes"), "yes");
}

TEST(ConnectKeysTest, SizesAreDecimalOrBinaryAsTheyAreWritten) {
  EXPECT_EQ(ReadConfigSize("2 GiB"), ReadConfigSize("2048MiB"));
  EXPECT_EQ(ReadConfigSize("2GB"), ReadConfigSize("2000 mb"));
  EXPECT_EQ(ReadConfigSize("42"), 42u);
  EXPECT_EQ(ReadConfigSize("MB"), std::nullopt);
  EXPECT_EQ(ReadConfigSize("5 PX"), std::nullopt);
}

}  // namespace
}  // namespace connect_ha
