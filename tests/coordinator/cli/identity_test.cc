#include "coordinator/cli/link/identity.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Identities : public testing::Test {
 protected:
  Identities() {
    char pattern[] = "/tmp/connect-ha-identity.XXXXXX";
    root_ = mkdtemp(pattern);
  }
  ~Identities() override { fs::remove_all(root_); }

  std::string Make(const std::string& name) {
    fs::create_directories(root_ / name);
    std::ofstream(root_ / name / "admin.key") << "a key\n";
    return root_ / name;
  }
  absl::StatusOr<std::string> Find(const std::string& given) {
    return FindIdentity(given, [this](const std::string& name) { return variables_[name]; });
  }

  fs::path root_;
  std::map<std::string, std::string> variables_;
};

TEST_F(Identities, TheOptionComesBeforeTheVariableBeforeTheHome) {
  const std::string home = Make(".config/connect-ha");
  const std::string variable = Make("variable");
  const std::string option = Make("option");
  variables_["HOME"] = root_;
  EXPECT_EQ(*Find(""), home);
  variables_["CONNECT_HA_IDENTITY"] = variable;
  EXPECT_EQ(*Find(""), variable);
  EXPECT_EQ(*Find(option), option);
}

TEST_F(Identities, OneThatIsNamedAndMissingIsNotReplacedByAnother) {
  Make(".config/connect-ha");
  variables_["HOME"] = root_;
  const auto found = Find(root_ / "none");
  EXPECT_EQ(found.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("none/admin.key: No such file"));
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("fix: copy"));
}

TEST_F(Identities, AKeyThatMayNotBeReadAsksForSudo) {
  const std::string dir = Make("locked");
  fs::permissions(dir, fs::perms::none);
  if (geteuid() == 0) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto found = Find(dir);
  if (getuid() == 0) {
    ASSERT_EQ(seteuid(0), 0);
  }
  fs::permissions(dir, fs::perms::owner_all);
  EXPECT_THAT(std::string(found.status().message()), HasSubstr("Permission denied; fix: run the "
                                                               "same with sudo"));
}

}  // namespace
}  // namespace connect_ha
