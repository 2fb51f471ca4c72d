#include "agent/probes/installed/dpkg.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

constexpr char kStatus[] = R"(Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.35-0ubuntu3.8

Package: libc6
Status: install ok installed
Architecture: i386
Version: 2.35-0ubuntu3.8

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: rstudio-connect
Status: hold ok half-configured
Architecture: amd64
Version: 2024.08.0~ubuntu22
Conffiles:
 /etc/rstudio-connect/rstudio-connect.gcfg 0cc175b9c0f1b6a831c399e269772661
 /etc/old 0cc175b9c0f1b6a831c399e269772661 obsolete
Description: Posit Connect
 A second line that looks like
 /opt/no/conffile 0cc175b9c0f1b6a831c399e269772661
)";

// Of "a".
constexpr char kMd5OfA[] = "0cc175b9c0f1b6a831c399e269772661";

std::chrono::steady_clock::time_point InAMinute() {
  return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

TEST(DpkgStatus, ListsInstalledPackagesInWhateverStateTheyAre) {
  const PackageDatabase database = ParseDpkgStatus(kStatus);
  EXPECT_EQ(database.packages.size(), 2u);
  ASSERT_NE(database.Find("rstudio-connect"), nullptr);
  EXPECT_EQ(Text(*database.Find("rstudio-connect")),
            "name: \"rstudio-connect\"\nversion: \"2024.08.0~ubuntu22\"\narchitecture: "
            "\"amd64\"\nstatus: \"hold ok half-configured\"\n");
  EXPECT_EQ(database.Find("libc6")->architecture(), "amd64");
  EXPECT_EQ(database.Find("gone"), nullptr);
}

TEST(DpkgStatus, HoldsNothingWhenItIsEmpty) { EXPECT_TRUE(ParseDpkgStatus("").packages.empty()); }

TEST(Conffiles, AreThoseOfThePackageAlone) {
  EXPECT_EQ(ParseConffiles(kStatus, "rstudio-connect"),
            (std::set<std::string>{"/etc/old", "/etc/rstudio-connect/rstudio-connect.gcfg"}));
  EXPECT_TRUE(ParseConffiles(kStatus, "libc6").empty());
}

TEST(Md5sums, MayHaveBlanksInAName) {
  const auto files = ParseMd5sums(std::string(kMd5OfA) + "  opt/a file\n");
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].path, "/opt/a file");
  EXPECT_EQ((*files)[0].md5, kMd5OfA);
}

TEST(Md5sums, NameTheLineThatIsNone) {
  EXPECT_EQ(ParseMd5sums(std::string(kMd5OfA) + "  opt/a\nnonsense\n").status().message(),
            "line 2 is no checksum");
}

TEST(PackageList, HasWholeLinesOnly) {
  EXPECT_TRUE(ListHas("/.\n/opt/R\n/opt/R/bin\n", "/opt/R"));
  EXPECT_TRUE(ListHas("/opt/R", "/opt/R"));
  EXPECT_FALSE(ListHas("/.\n/opt/R/bin\n/x/opt/R\n", "/opt/R"));
}

class VerifyPackageTest : public testing::Test {
 protected:
  VerifyPackageTest() {
    package_.set_name("tool");
    package_.set_architecture("amd64");
    bench_.host->SetFile("/var/lib/dpkg/status", "Package: tool\nStatus: install ok installed\n");
    bench_.host->SetFile("/var/lib/dpkg/info/tool:amd64.md5sums",
                         std::string(kMd5OfA) + "  opt/one\n" + kMd5OfA + "  opt/two\n");
    bench_.host->SetFile("/opt/one", "a");
    bench_.host->SetFile("/opt/two", "a");
  }
  absl::StatusOr<std::optional<v1::Integrity>> Verify() {
    return VerifyPackage(*bench_.host, bench_.cache, package_, InAMinute());
  }

  ProbeBench bench_;
  v1::Package package_;
};

TEST_F(VerifyPackageTest, CountsWhatChangedAndWhatIsMissing) {
  bench_.host->SetFile("/opt/one", "b");
  bench_.host->Erase("/opt/two");
  const auto integrity = Verify();
  ASSERT_TRUE(integrity.ok() && integrity->has_value());
  EXPECT_EQ(Text(**integrity), R"(checked_at {
  seconds: 1722513600
}
files_checked: 2
files_changed: 1
files_missing: 1
examples: "changed /opt/one"
examples: "missing /opt/two"
)");
}

TEST_F(VerifyPackageTest, ReadsOnlyWhatChangedTheSecondTime) {
  ASSERT_TRUE(Verify().ok());
  bench_.host->SetError("/opt/one", absl::OkStatus());
  const int before = bench_.host->calls();
  ASSERT_TRUE(Verify().ok());
  const int unchanged = bench_.host->calls() - before;
  bench_.host->SetFile("/opt/one", "changed");
  const auto integrity = Verify();
  EXPECT_EQ((*integrity)->files_changed(), 1u);
  // The file, and dpkg's two places for path-exclude, which might explain it.
  EXPECT_EQ(bench_.host->calls() - before - unchanged, unchanged + 3);
}

// As `rsync --inplace -t` and `touch -r` leave it: of the same size, and as old as before.
TEST(VerifiedFiles, AFileThatWasWrittenOverInPlaceIsNotTheOneThatWasRead) {
  VerifiedFiles verified;
  const ShippedFile file{"/opt/one", kMd5OfA};
  FileStatus status;
  status.inode = 7;
  status.size_bytes = 1;
  status.modified_at = Time(std::chrono::seconds(1700000000));
  status.changed_at = status.modified_at;
  verified.Add(file, status);
  EXPECT_TRUE(verified.Has(file, status));
  status.changed_at += std::chrono::seconds(900);
  EXPECT_FALSE(verified.Has(file, status));
}

TEST_F(VerifyPackageTest, AnUnreadableFileIsAnErrorAndNoChange) {
  bench_.host->SetError("/opt/two", absl::PermissionDeniedError("permission denied: /opt/two"));
  EXPECT_EQ(Verify().status().message(), "permission denied: /opt/two");
}

TEST_F(VerifyPackageTest, EndsAtTheDeadlineAndSaysHowFarItCame) {
  const auto integrity =
      VerifyPackage(*bench_.host, bench_.cache, package_, std::chrono::steady_clock::time_point());
  EXPECT_EQ(integrity.status().message(),
            "the files of tool could not be read in time: 0 of 2 were");
}

TEST_F(VerifyPackageTest, APackageWithoutChecksumsHasNoIntegrity) {
  bench_.host->Erase("/var/lib/dpkg/info/tool:amd64.md5sums");
  const auto integrity = Verify();
  ASSERT_TRUE(integrity.ok());
  EXPECT_FALSE(integrity->has_value());
}

TEST(PackageDatabase, IsParsedAgainOnlyWhenItsFileChanged) {
  ProbeBench bench;
  bench.host->SetFile("/var/lib/dpkg/status", kStatus);
  const auto first = ReadPackages(*bench.host, bench.cache);
  const auto second = ReadPackages(*bench.host, bench.cache);
  bench.host->SetFile("/var/lib/dpkg/status", "");
  const auto third = ReadPackages(*bench.host, bench.cache);
  ASSERT_TRUE(first.ok() && second.ok() && third.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_TRUE((*third)->packages.empty());
}

}  // namespace
}  // namespace connect_ha
