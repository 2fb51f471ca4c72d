#include "common/connect/connect_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

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

TEST(ConnectKeysTest, ALineThatIsNoKeyIsNamed) {
  std::vector<std::string> wrong;
  const auto keys = ParseConnectKeys(
      "# a comment\n\nServer\nServer.A dflt x\nServer.B many default y z\nServer.C.D\n", &wrong);
  EXPECT_EQ(wrong, (std::vector<std::string>{"3: Server", "4: Server.A dflt x", "6: Server.C.D"}));
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_TRUE(keys[0].many);
  EXPECT_EQ(keys[0].default_value, "y z");
}

}  // namespace
}  // namespace connect_ha
