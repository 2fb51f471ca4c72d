// Artifacts on their way to a node: what is told of their addresses.
#include "agent/resources/download.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/bare_node.h"
#include "tests/fakes/log_capture.h"

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

}  // namespace
}  // namespace connect_ha
