// Artifacts on their way to a node: what is told of their addresses, and what gives way to them.
#include "agent/resources/install/download.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/resources/install/installer.h"
#include "common/tls/crypto.h"
#include "tests/agent/resources/bare_node.h"
#include "tests/fakes/log_capture.h"
#include "tests/fakes/no_progress.h"

namespace connect_ha {
namespace {

using absl::StrContains;

constexpr char kShown[] = "https://example.com/connect.deb";
constexpr char kSigned[] = "https://example.com/connect.deb?X-Amz-Signature=SECRET";
constexpr char kShownArchive[] = "https://example.com/quarto-1.5.57.tar.gz";
constexpr char kSignedArchive[] = "https://example.com/quarto-1.5.57.tar.gz?X-Amz-Signature=SECRET";

// Connect's package, or Quarto's archive, from a signed address.
class SignedUrlTest : public testing::Test {
 protected:
  SignedUrlTest() {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    spec().set_enforcement(v1::ENFORCE);
  }
  v1::ClusterSpec& spec() { return *assignment_.mutable_desired()->mutable_spec(); }
  v1::Artifact& WantConnect(const FakeDeb& deb) {
    spec().mutable_connect()->set_version("2024.08.0");
    v1::Artifact& artifact = *spec().mutable_connect()->mutable_package();
    artifact = node_.Publish("connect.deb", deb);
    artifact.set_url(kSigned);
    Serve(kSigned, absl::StrCat("deb connect.deb", std::string(1000, 'x')));
    return artifact;
  }
  void WantQuarto() {
    v1::RuntimeSpec& quarto = *spec().mutable_runtimes()->add_quarto();
    quarto.set_version("1.5.57");
    *quarto.mutable_archive() = node_.PublishQuarto("1.5.57");
    quarto.mutable_archive()->set_url(kSignedArchive);
    Serve(kSignedArchive, absl::StrCat("quarto 1.5.57", std::string(1000, 'q')));
  }
  void Serve(const char* url, const std::string& content, const absl::Status& error = {}) {
    node_.host.SetDownload(url, {content, {}, error});
  }
  // The trouble names the address, without its query; nothing that was told has that.
  void ExpectTroubleWithout(const std::string& secret, const std::string& error,
                            const std::string& shown = kShown) {
    const LogCapture log;
    agent_.converge.Turn(assignment_, watch_);
    const std::string said = Describe(watch_.last());
    ASSERT_EQ(watch_.last().troubles_size(), 1) << said;
    EXPECT_TRUE(StrContains(said, error)) << said;
    EXPECT_TRUE(StrContains(said, shown)) << said;
    for (const v1::Convergence& published : watch_.published) {
      EXPECT_FALSE(StrContains(published.SerializeAsString(), secret)) << Describe(published);
    }
    EXPECT_EQ(log.Await("event=change-failed").size(), 1u);
    for (const std::string& line : log.Await("")) EXPECT_FALSE(StrContains(line, secret)) << line;
  }

  BareNode node_;
  FakeDeb deb_{"rstudio-connect", "2024.08.0~ubuntu22"};
  v1::Assignment assignment_;
  Agent agent_{node_};
  TestWatch watch_{node_.host};
};

TEST_F(SignedUrlTest, IsNotToldWhereTheFileIsAnother) {
  WantConnect(deb_).set_sha256(std::string(64, 'a'));
  ExpectTroubleWithout("SECRET", "fetched twice");
}

TEST_F(SignedUrlTest, IsNotToldWhereTheServerHasNoSuchFile) {
  WantConnect(deb_);
  Serve(kSigned, "", absl::NotFoundError(absl::StrCat("cannot fetch ", kShown)));
  ExpectTroubleWithout("SECRET", "cannot fetch");
}

TEST_F(SignedUrlTest, IsNotToldAfterTheLastTry) {
  WantConnect(deb_);
  Serve(kSigned, "", absl::UnavailableError("no answer"));
  ExpectTroubleWithout("SECRET", "no answer, after 4 tries");
}

TEST_F(SignedUrlTest, IsNotToldWhereTheDiskIsFull) {
  WantConnect(deb_);
  node_.host.SetUse("/", {100ull << 30, 1ull << 20, false});
  ExpectTroubleWithout("SECRET", "needs 257 MiB at /var/cache/connect-ha-agent");
}

TEST_F(SignedUrlTest, IsNotToldWhereThePackageIsAnother) {
  deb_.name = "something-else";
  WantConnect(deb_);
  ExpectTroubleWithout("SECRET", "is the package something-else");
}

TEST_F(SignedUrlTest, IsNotToldWhereTheFileIsNoPackage) {
  const std::string file = absl::StrCat(kCacheDir, "/", WantConnect(deb_).sha256(), ".deb");
  node_.host.SetCommand(absl::StrCat("/usr/bin/dpkg-deb --field ", file,
                                     " Package Version Architecture ", "Installed-Size"),
                        {2, false, "not a Debian format archive"});
  ExpectTroubleWithout("SECRET", "is no package that dpkg can read");
}

TEST_F(SignedUrlTest, IsNotToldWhereTheArchiveCannotBeUnpacked) {
  WantQuarto();
  node_.host.SetArchive(absl::StrCat("quarto 1.5.57", std::string(1000, 'q')), {});
  ExpectTroubleWithout("SECRET", "has no bin/quarto", kShownArchive);
}

TEST_F(SignedUrlTest, IsNotToldWhereTheArchiveIsNone) {
  WantQuarto();
  spec().mutable_runtimes()->mutable_quarto(0)->mutable_archive()->set_sha256(
      WantConnect(deb_).sha256());
  spec().clear_connect();
  Serve(kSignedArchive, absl::StrCat("deb connect.deb", std::string(1000, 'x')));
  ExpectTroubleWithout("SECRET", "not an archive", kShownArchive);
}

// A disk on which there is nothing but the cache.
class SmallDisk : public FakeHost {
 public:
  absl::StatusOr<FileSystemUse> Use(const std::string&) override {
    const absl::StatusOr<std::vector<std::string>> files = ListDirectory(kCacheDir);
    if (!files.ok()) return files.status();
    uint64_t used = 0;
    for (const std::string& file : *files) {
      used += Stat(absl::StrCat(kCacheDir, "/", file))->size_bytes;
    }
    constexpr uint64_t kSize = kSpaceMargin + 2000;
    return FileSystemUse{kSize, kSize - used, false};
  }
};

class FullCacheTest : public testing::Test {
 protected:
  FullCacheTest() {
    for (const char* directory : {kCacheDir, kStateDir}) host_.SetDirectory(directory);
    artifact_.set_url(kShown);
    artifact_.set_sha256(Hex(Sha256(kContent)));
    host_.SetDownload(kShown, {kContent, {}, absl::OkStatus()});
    *desired_.mutable_spec()->mutable_connect()->mutable_package() = artifact_;
    desired_.mutable_spec()->mutable_runtimes()->add_r()->mutable_package()->set_sha256(
        std::string(64, 'A'));
    desired_.mutable_spec()->mutable_runtimes()->add_quarto()->mutable_archive()->set_sha256(
        std::string(64, 'b'));
  }
  // A file of the cache, by the digit that its digest has.
  static std::string Cached(char digit, const std::string& suffix) {
    return absl::StrCat(kCacheDir, "/", std::string(64, digit), ".", suffix);
  }
  void Keep(const std::string& path, size_t bytes) { host_.SetFile(path, std::string(bytes, 'x')); }
  absl::Status Fetch() { return Download(context_, artifact_, "deb", progress_).status(); }
  bool IsThere(const std::string& path) { return host_.Stat(path).ok(); }

  const std::string kContent = std::string(1000, 'c');
  SmallDisk host_;
  ProbeCache cache_;
  IntegrityLedger integrity_{host_, cache_};
  v1::Desired desired_;
  v1::AgentConfig config_;
  v1::Artifact artifact_;
  NoProgress progress_;
  ResourceContext context_{host_,    cache_,    integrity_, desired_, config_,
                           "node-1", kStateDir, kCacheDir,  "",       ""};
};

TEST_F(FullCacheTest, WhatTheSpecificationDoesNotNameGivesWay) {
  Keep(Cached('1', "deb"), 1000);
  Keep(Cached('2', "tar.gz.part"), 500);
  Keep(Cached('a', "deb"), 100);
  Keep(Cached('b', "tar.gz.part"), 100);
  EXPECT_EQ(Fetch(), absl::OkStatus());
  EXPECT_FALSE(IsThere(Cached('1', "deb")));
  EXPECT_FALSE(IsThere(Cached('2', "tar.gz.part")));
  EXPECT_TRUE(IsThere(Cached('a', "deb")));
  EXPECT_TRUE(IsThere(Cached('b', "tar.gz.part")));
}

TEST_F(FullCacheTest, AlsoBeforeTheFirstByte) {
  Keep(Cached('1', "deb"), 2001);
  EXPECT_EQ(Fetch(), absl::OkStatus());
  EXPECT_FALSE(IsThere(Cached('1', "deb")));
}

TEST_F(FullCacheTest, IsKeptWhereThereIsRoom) {
  Keep(Cached('1', "deb"), 900);
  EXPECT_EQ(Fetch(), absl::OkStatus());
  EXPECT_TRUE(IsThere(Cached('1', "deb")));
}

TEST_F(FullCacheTest, OfWhatTheSpecificationNamesNeedsAPerson) {
  Keep(Cached('a', "deb"), 1500);
  const absl::Status full = Fetch();
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_TRUE(StrContains(full.message(), "fix: make room at /var/cache")) << full;
  EXPECT_TRUE(IsThere(Cached('a', "deb")));
}

TEST_F(FullCacheTest, AServerThatDoesNotSayHowMuchItSendsFillsNoDisk) {
  FakeDownload endless;
  endless.content = std::string(3u << 20, 'c');
  endless.tells_size = false;
  artifact_.set_sha256(Hex(Sha256(endless.content)));
  *desired_.mutable_spec()->mutable_connect()->mutable_package() = artifact_;
  host_.SetDownload(kShown, endless);
  const absl::Status full = Fetch();
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  const auto part = host_.Stat(absl::StrCat(kCacheDir, "/", artifact_.sha256(), ".deb.part"));
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_LT(part->size_bytes, 2u << 20);
}

// Who gives a node its specification is not thereby allowed to have any file of it read, and to be
// told the digest of it.
TEST_F(FullCacheTest, AFileOfTheNodeIsReadOnlyWhereItsOwnSettingsSaySo) {
  desired_.mutable_spec()->mutable_downloads()->set_allow_file(true);
  artifact_.set_url("file:///etc/shadow");
  const absl::Status nowhere = Fetch();
  EXPECT_TRUE(absl::IsFailedPrecondition(nowhere)) << nowhere;
  EXPECT_TRUE(StrContains(nowhere.message(), "its agent.yaml names no artifact_dir")) << nowhere;

  config_.set_artifact_dir("/srv/packages");
  for (const char* url : {"file:///etc/shadow", "file:///srv/packages/../../etc/shadow",
                          "file:///srv/packages/%2e%2e/secret", "file:///srv/packagesx/c.deb"}) {
    artifact_.set_url(url);
    host_.SetDownload(url, {kContent, {}, absl::OkStatus()});
    const absl::Status other = Fetch();
    EXPECT_TRUE(absl::IsFailedPrecondition(other)) << url << ": " << other;
    EXPECT_TRUE(StrContains(other.message(), "artifact_dir")) << url << ": " << other;
  }
  artifact_.set_url("file:///srv/packages/c.deb");
  host_.SetDownload(artifact_.url(), {kContent, {}, absl::OkStatus()});
  EXPECT_EQ(Fetch(), absl::OkStatus());
}

TEST_F(FullCacheTest, WhatAnInstallerReadsStays) {
  Keep(Cached('1', "deb"), 1500);
  host_.SetFile(std::string(kStateDir) + "/installing",
                InstallerService("install", std::string(64, '1')));
  EXPECT_TRUE(absl::IsResourceExhausted(Fetch()));
  EXPECT_TRUE(IsThere(Cached('1', "deb")));
}

}  // namespace
}  // namespace connect_ha
