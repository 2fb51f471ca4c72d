#include "coordinator/identity/admins.h"

#include <gtest/gtest.h>

#include "common/file.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Time kNow = Time(std::chrono::seconds(1'730'000'000));

class AdminsTest : public testing::Test {
 protected:
  static v1::AuditEntry By(const std::string& actor, Time now = kNow) {
    v1::AuditEntry entry;
    *entry.mutable_at() = ToProto(now);
    entry.set_actor(actor);
    entry.set_address("10.0.0.1");
    entry.set_why("because");
    return entry;
  }

  absl::StatusOr<v1::CreateAdminResponse> Create(const std::string& name, v1::Role role, Time now,
                                                 bool replace = false) {
    v1::CreateAdminRequest request;
    request.set_name(name);
    request.set_role(role);
    request.set_csr_der(*MakeCsr(*MakeKey()));
    request.set_replace(replace);
    return admins_.Create(request, By("admin/admin", now), now);
  }

  absl::Status Remove(const std::string& name, Time now) {
    v1::RemoveAdminRequest request;
    request.set_name(name);
    return admins_.Remove(request, By("admin/admin", now), now);
  }

  std::string Issue(const std::string& name, Time now) {
    return *authority_.Issue({{"analytics", Role::kAdmin, name}, {}}, *MakeCsr(*MakeKey()), now);
  }

  // As init leaves it.
  std::string MakeFirst(Time now) {
    std::string certificate = Issue("admin", now);
    EXPECT_TRUE(WriteSmallFile(first_, certificate, 0600).ok());
    return certificate;
  }

  absl::Status Check(const std::string& certificate_pem, v1::Role least) {
    return admins_.Check(*ParseCertificate(certificate_pem), least);
  }

  v1::AuditEntry Newest() { return store_->ListAudit(0, 1000)->back(); }

  TemporaryDirectory dir_;
  std::unique_ptr<SqliteStore> store_ = *SqliteStore::Open(dir_ / "store.db");
  Authority authority_ = *Authority::Create("analytics", kNow - hours(24));
  const std::string first_ = dir_ / "first-admin.crt";
  Admins admins_{*store_, authority_, first_};
};

TEST_F(AdminsTest, TheFirstIsLetInWhereTheStoreKnowsNobody) {
  const std::string before = Issue("admin", kNow - hours(1));
  const std::string first = MakeFirst(kNow);

  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());

  EXPECT_TRUE(Check(first, v1::ADMIN).ok());
  EXPECT_EQ(Check(before, v1::VIEWER).code(), absl::StatusCode::kPermissionDenied);
  ASSERT_EQ(store_->ListAudit(0, 10)->size(), 1u);
  EXPECT_EQ(Newest().action(), v1::AuditEntry::ADMIN_CREATED);
  EXPECT_EQ(Newest().actor(), "init");
  EXPECT_EQ(Newest().subject(), "admin");
}

TEST_F(AdminsTest, AnotherAuthoritysCertificateLetsNobodyIn) {
  const Authority other = *Authority::Create("analytics", kNow);
  const std::string forged =
      *other.Issue({{"analytics", Role::kAdmin, "mallory"}, {}}, *MakeCsr(*MakeKey()), kNow);
  ASSERT_TRUE(WriteSmallFile(first_, forged, 0600).ok());

  EXPECT_EQ(admins_.TakeInFirst(false, kNow).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(admins_.List()->admins_size(), 0);
}

TEST_F(AdminsTest, ANodesCertificateIsNoWayInEither) {
  const std::string node =
      *authority_.Issue({{"analytics", Role::kNode, "node-1"}, {}}, *MakeCsr(*MakeKey()), kNow);
  ASSERT_TRUE(WriteSmallFile(first_, node, 0600).ok());

  EXPECT_EQ(admins_.TakeInFirst(false, kNow).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(AdminsTest, OfAnOlderReleaseTheOneThereWasStaysIn) {
  const std::string long_ago = Issue("admin", kNow - hours(20 * 24));

  ASSERT_TRUE(admins_.TakeInFirst(true, kNow).ok());

  EXPECT_TRUE(Check(long_ago, v1::ADMIN).ok());
}

TEST_F(AdminsTest, WithNoFileAndANewStoreNobodyIsLetIn) {
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());

  EXPECT_EQ(admins_.List()->admins_size(), 0);
  const absl::Status refused = Check(Issue("admin", kNow), v1::VIEWER);
  EXPECT_EQ(refused,
            absl::PermissionDeniedError(
                "this coordinator knows no admin \"admin\"; fix: an admin can let you in: "
                "connect-ha admin create admin --role viewer; where none is left, root on the "
                "coordinator's host: connect-ha init, then systemctl reload "
                "connect-ha-coordinator"));
}

TEST_F(AdminsTest, EachMayDoWhatItsRoleSays) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  for (const v1::Role role : {v1::VIEWER, v1::OPERATOR, v1::ADMIN}) {
    const auto created = Create("of-" + RoleWord(role), role, kNow);
    ASSERT_TRUE(created.ok()) << created.status();
    for (const v1::Role least : {v1::VIEWER, v1::OPERATOR, v1::ADMIN}) {
      EXPECT_EQ(Check(created->certificate_pem(), least).ok(), least <= role)
          << RoleWord(role) << " " << RoleWord(least);
    }
  }
  EXPECT_EQ(Check(Issue("of-viewer", kNow), v1::OPERATOR),
            absl::PermissionDeniedError(
                "this call is for the role operator, admin \"of-viewer\" is viewer; fix: ask an "
                "admin to do it, or for: connect-ha admin create of-viewer --role operator "
                "--replace"));
}

TEST_F(AdminsTest, ARemovedOneIsOutAndInAgainOnlyWithANewCertificate) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  const auto before = Create("bob", v1::OPERATOR, kNow);

  ASSERT_TRUE(Remove("bob", kNow + minutes(1)).ok());

  EXPECT_EQ(Newest().action(), v1::AuditEntry::ADMIN_REMOVED);
  EXPECT_EQ(Newest().subject(), "bob");
  EXPECT_EQ(Newest().why(), "because");
  EXPECT_EQ(Check(before->certificate_pem(), v1::VIEWER).code(),
            absl::StatusCode::kPermissionDenied);
  const auto after = Create("bob", v1::VIEWER, kNow + minutes(2));
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(Check(after->certificate_pem(), v1::VIEWER).ok());
  EXPECT_FALSE(Check(before->certificate_pem(), v1::VIEWER).ok());
}

TEST_F(AdminsTest, AReplacedCertificateIsRefusedAndTheRoleIsTheNewOne) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  const auto before = Create("bob", v1::ADMIN, kNow);

  const auto taken = Create("bob", v1::VIEWER, kNow + minutes(1));
  const auto after = Create("bob", v1::VIEWER, kNow + minutes(1), true);

  EXPECT_EQ(taken.status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(Newest().action(), v1::AuditEntry::ADMIN_CHANGED);
  EXPECT_FALSE(Check(before->certificate_pem(), v1::VIEWER).ok());
  EXPECT_TRUE(Check(after->certificate_pem(), v1::VIEWER).ok());
  EXPECT_FALSE(Check(after->certificate_pem(), v1::OPERATOR).ok());
}

TEST_F(AdminsTest, TheLastOneThatMayDoAllStays) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  ASSERT_TRUE(Create("bob", v1::OPERATOR, kNow).ok());

  EXPECT_EQ(Remove("admin", kNow).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Create("admin", v1::OPERATOR, kNow, true).status().code(),
            absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(Create("carol", v1::ADMIN, kNow).ok());
  EXPECT_TRUE(Remove("admin", kNow).ok());
  EXPECT_EQ(Remove("carol", kNow).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Remove("bob", kNow).ok());
  EXPECT_EQ(Remove("bob", kNow).message(),
            "no admin \"bob\"; fix: list them with: connect-ha admin list");
}

TEST_F(AdminsTest, NamesRolesAndRequestsThatAreNoneAreRefusedBeforeAnythingIsKept) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  EXPECT_FALSE(Create("Bob", v1::VIEWER, kNow).ok());
  EXPECT_FALSE(Create("bob", v1::ROLE_UNSPECIFIED, kNow).ok());
  EXPECT_FALSE(Create("bob", static_cast<v1::Role>(17), kNow).ok());
  v1::CreateAdminRequest request;
  request.set_name("bob");
  request.set_role(v1::VIEWER);
  request.set_csr_der("garbage");
  EXPECT_EQ(admins_.Create(request, By("admin/admin"), kNow).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(admins_.List()->admins_size(), 1);
}

TEST_F(AdminsTest, RecordsAreReadBackAfterARestart) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  const auto bob = Create("bob", v1::OPERATOR, kNow);
  ASSERT_TRUE(Create("eve", v1::ADMIN, kNow).ok());
  ASSERT_TRUE(Remove("eve", kNow + minutes(1)).ok());

  Admins again(*store_, authority_, first_);
  ASSERT_TRUE(again.Load().ok());

  EXPECT_TRUE(again.Check(*ParseCertificate(bob->certificate_pem()), v1::OPERATOR).ok());
  EXPECT_FALSE(again.Check(*ParseCertificate(Issue("eve", kNow)), v1::VIEWER).ok());
}

// Its key may be in other hands: a store that is lost must not bring it back.
TEST_F(AdminsTest, AFirstAdminThatWasRemovedIsNoWayInEvenWhereTheStoreIsLost) {
  const std::string first = MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  ASSERT_TRUE(Create("carol", v1::ADMIN, kNow).ok());
  ASSERT_TRUE(Remove("admin", kNow + minutes(1)).ok());

  const auto new_store = *SqliteStore::Open(dir_ / "new.db");
  Admins after(*new_store, authority_, first_);
  ASSERT_TRUE(after.TakeInFirst(false, kNow + minutes(2)).ok());
  EXPECT_FALSE(after.Check(*ParseCertificate(first), v1::VIEWER).ok());

  // Root ran init again.
  const std::string anew = MakeFirst(kNow + minutes(3));
  ASSERT_TRUE(after.TakeInFirst(false, kNow + minutes(3)).ok());
  EXPECT_TRUE(after.Check(*ParseCertificate(anew), v1::ADMIN).ok());
  EXPECT_FALSE(after.Check(*ParseCertificate(first), v1::VIEWER).ok());
}

TEST_F(AdminsTest, WhereNobodysKeyIsLeftInitMakesAWayIn) {
  MakeFirst(kNow);
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow).ok());
  ASSERT_TRUE(Create("carol", v1::ADMIN, kNow).ok());
  ASSERT_TRUE(Remove("admin", kNow + minutes(1)).ok());
  ASSERT_TRUE(admins_.TakeInFirst(false, kNow + minutes(2)).ok());
  const std::string anew = MakeFirst(kNow + minutes(3));
  EXPECT_FALSE(Check(anew, v1::VIEWER).ok());

  ASSERT_TRUE(admins_.TakeInFirst(false, kNow + minutes(3)).ok());

  EXPECT_TRUE(Check(anew, v1::ADMIN).ok());
}

}  // namespace
}  // namespace connect_ha
