// `connect-ha admin create`: what it leaves in a directory, and when it leaves nothing.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/file.h"
#include "common/tls/certificate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

mode_t Mode(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

class AdminCreate : public testing::Test {
 protected:
  AdminCreate() {
    std::ofstream(world_.identity() + "/ca.crt") << "the authority\n";
    std::ofstream(world_.identity() + "/coordinator") << "ha.example.com:8443\n";
  }

  World world_;
  TemporaryDirectory dir_;
  const std::string out_ = dir_ / "alice";
};

TEST_F(AdminCreate, LeavesAnIdentityWhoseKeyWasMadeHereAndIsNobodyElses) {
  EXPECT_EQ(world_.Run({"admin", "create", "alice", "--role", "operator", "--out", out_, "--why",
                        "on call"}),
            kHolds)
      << world_.error;

  EXPECT_THAT(world_.coordinator.changes, ElementsAre("create admin alice OPERATOR, why: on call"));
  EXPECT_EQ(*ReadSmallFile(out_ + "/admin.crt"), "a certificate\n");
  EXPECT_EQ(*ReadSmallFile(out_ + "/ca.crt"), "the authority\n");
  EXPECT_EQ(*ReadSmallFile(out_ + "/coordinator"), "ha.example.com:8443\n");
  EXPECT_TRUE(MakeCsr(*ReadSmallFile(out_ + "/admin.key")).ok());
  EXPECT_EQ(Mode(out_ + "/admin.key"), 0600u);
  EXPECT_EQ(Mode(out_), 0700u);
  EXPECT_THAT(world_.out, HasSubstr("--identity DIR"));
}

TEST_F(AdminCreate, NeverWritesOverAnIdentity) {
  std::filesystem::create_directory(out_);
  std::ofstream(out_ + "/admin.crt") << "another one's\n";

  EXPECT_EQ(world_.Run({"admin", "create", "alice", "--role", "viewer", "--out", out_}), kUsage);

  EXPECT_TRUE(world_.coordinator.changes.empty());
  EXPECT_THAT(world_.error, HasSubstr("\nfix:   give another --out DIR"));
}

TEST_F(AdminCreate, AsksTheCoordinatorForNothingThatCannotBeKept) {
  std::ofstream(dir_ / "file") << "";
  EXPECT_EQ(
      world_.Run({"admin", "create", "alice", "--role", "viewer", "--out", dir_ / "file/alice"}),
      kUnknown);
  EXPECT_TRUE(world_.coordinator.changes.empty());
}

TEST_F(AdminCreate, NeedsARoleAndAName) {
  EXPECT_EQ(world_.Run({"admin", "create", "alice", "--out", out_}), kUsage);
  EXPECT_THAT(world_.error, HasSubstr("needs --role"));
  EXPECT_EQ(world_.Run({"admin", "create", "Alice!", "--role", "viewer", "--out", out_}), kUsage);
  EXPECT_EQ(world_.Run({"admin", "create", "alice", "--role", "root", "--out", out_}), kUsage);
  EXPECT_TRUE(world_.coordinator.changes.empty());
  EXPECT_FALSE(FileExists(out_));
}

TEST_F(AdminCreate, ReplacesWhereAsked) {
  EXPECT_EQ(world_.Run({"admin", "create", "alice", "--role", "admin", "--replace", "--out", out_}),
            kHolds);
  EXPECT_THAT(world_.coordinator.changes, ElementsAre("create admin alice ADMIN replace"));
}

}  // namespace
}  // namespace connect_ha
