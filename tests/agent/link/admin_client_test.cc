// The admin's side of the conversation, with a real coordinator over TLS.
#include "coordinator/cli/link/admin_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/file.h"
#include "common/tls/certificate.h"
#include "common/tls/credential_files.h"
#include "common/tls/identity.h"
#include "coordinator/identity/init.h"
#include "tests/agent/link/client_fixture.h"
#include "tests/agent/link/older_coordinator.h"
#include "tests/coordinator/service/test_cluster.h"

namespace connect_ha {
namespace {

using std::chrono::hours;

class AdminClientTest : public ClientTest {
 protected:
  AdminClientTest() { cluster_.LetIn("alice", v1::VIEWER); }

  std::string Identity(Role role, hours age) {
    const std::string dir = state_ / "identity";
    std::filesystem::create_directory(dir);
    const auto authority = LoadAuthority(cluster_.dir());
    const std::string key = *MakeKey();
    const std::string certificate =
        *authority->Issue({{"test", role, "alice"}, {}}, *MakeCsr(key), TestNow() - age);
    EXPECT_TRUE(StoreCredentials(dir, "admin", {key, certificate}).ok());
    EXPECT_TRUE(WriteSmallFile(dir + "/ca.crt", authority->certificate(), 0644).ok());
    EXPECT_TRUE(WriteSmallFile(dir + "/coordinator", cluster_.target() + "\n", 0644).ok());
    return dir;
  }
};

TEST_F(AdminClientTest, RenewsItsCertificateOnTheWay) {
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  const std::string old_certificate = LoadCredentials(dir, "admin")->certificate;

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();
  EXPECT_TRUE((*admin)->GetChecklist({}).ok());
  const auto renewed = ParseCertificate(LoadCredentials(dir, "admin")->certificate);
  EXPECT_GT(renewed->not_after, TestNow() + hours(29 * 24));
  EXPECT_EQ(FormatActor(renewed->identity), "admin/alice");
}

TEST_F(AdminClientTest, GoesOnWithTheOldCertificateWhileTheCoordinatorIsAway) {
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  cluster_.Stop();

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();
  const auto checklist = (*admin)->GetChecklist({});
  EXPECT_EQ(checklist.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(checklist.status().message().find("systemctl status connect-ha-coordinator"),
            absl::string_view::npos)
      << checklist.status();
}

TEST_F(AdminClientTest, AnOlderCoordinatorHasToBeUpgraded) {
  const OlderCoordinator older(cluster_.dir());
  const std::string dir = Identity(Role::kAdmin, hours(20 * 24));
  ASSERT_TRUE(WriteSmallFile(dir + "/coordinator", older.address() + "\n", 0644).ok());

  const auto admin = OpenAdminClient(dir, TestNow());

  ASSERT_TRUE(admin.ok()) << admin.status();  // with the certificate that it has
  const auto nodes = (*admin)->ListNodes({});
  EXPECT_NE(nodes.status().message().find("fix: upgrade the coordinator"), absl::string_view::npos)
      << nodes.status();
}

TEST_F(AdminClientTest, SaysWhatToDoAboutAnIdentityThatWillNotDo) {
  EXPECT_EQ(OpenAdminClient("/nonexistent", TestNow()).status().code(),
            absl::StatusCode::kNotFound);
  const auto expired = OpenAdminClient(Identity(Role::kAdmin, hours(31 * 24)), TestNow());
  EXPECT_EQ(expired.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(expired.status().message().find("connect-ha init"), absl::string_view::npos);
  const auto node = OpenAdminClient(Identity(Role::kNode, hours(0)), TestNow());
  EXPECT_EQ(node.status().message(),
            state_ / "identity" + "/admin.crt is the certificate of node/alice, not of an admin");
}

}  // namespace
}  // namespace connect_ha
