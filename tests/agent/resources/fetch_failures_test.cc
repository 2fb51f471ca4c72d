// What goes wrong while a package is fetched: each with what the node says and does.
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/agent/resources/failures.h"

namespace connect_ha {
namespace {

using absl::StrContains;

TEST_F(FailuresTest, ATransferThatBreaksIsTakenUpWhereItEnded) {
  const std::string content = absl::StrCat("deb connect.deb", std::string(1000, 'x'));
  node_.host.SetDownload(kUrl, {content, 100, absl::OkStatus()});
  ExpectConverged();
  EXPECT_EQ(Fetches(), 2);
}

TEST_F(FailuresTest, ATransferThatStallsIsTriedAgainAndThenWaitedFor) {
  node_.host.SetDownload(kUrl, {"", {}, absl::DeadlineExceededError("nothing came for 30 s")});
  EXPECT_TRUE(Turn().has_value());
  EXPECT_EQ(state(), v1::Convergence::WAITING);
  EXPECT_EQ(Fetches(), 4);
}

TEST_F(FailuresTest, AFileThatTheServerDoesNotHaveNeedsAPerson) {
  artifact().set_url("https://example.com/gone.deb");
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "no such file: https://example.com/gone.deb");
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, ACertificateThatWillNotDoNeedsAPerson) {
  node_.host.SetDownload(kUrl, {"", {}, absl::FailedPreconditionError("certificate expired")});
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "certificate expired");
  EXPECT_EQ(Fetches(), 1);
}

TEST_F(FailuresTest, PlainHttpIsNotFetchedUnlessTheSpecificationSaysSo) {
  node_.host.SetDownload("http://example.com/connect.deb",
                         {absl::StrCat("deb connect.deb", std::string(1000, 'x')), {}, {}});
  artifact().set_url("http://example.com/connect.deb");
  Turn();
  EXPECT_EQ(state(), v1::Convergence::STUCK);
  spec().mutable_downloads()->set_allow_http(true);
  assignment_.mutable_desired()->set_generation(2);
  ExpectConverged();
}

TEST_F(FailuresTest, AFileLargerThanTheLimitNeedsAPerson) {
  spec().mutable_downloads()->set_limit_bytes(100);
  ExpectStuck("larger than 100 bytes");
  EXPECT_EQ(trouble().fix(), "raise downloads.limit_bytes if it is meant to be so large");
}

TEST_F(FailuresTest, ADiskThatIsFullIsWaitedFor) {
  for (const char* path : {kCacheDir, "/opt"}) {
    node_.host.SetUse(path, {1ull << 30, 1ull << 20, false});
    const auto retry = Turn();
    ASSERT_TRUE(retry.has_value()) << said();
    EXPECT_EQ(state(), v1::Convergence::WAITING);
    EXPECT_TRUE(StrContains(trouble().fix(), absl::StrCat("make room at ", path))) << said();
    EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "");
    node_.host.SetUse(path, {100ull << 30, 50ull << 30, false});
    watch_.Pass(*retry);
  }
  ExpectConverged();
}

TEST_F(FailuresTest, ADamagedFileInTheCacheIsFetchedAgain) {
  node_.host.SetFile(absl::StrCat(kCacheDir, "/", artifact().sha256(), ".deb"), "damaged");
  ExpectConverged();
  EXPECT_EQ(Fetches(), 1);
}

}  // namespace
}  // namespace connect_ha
