// What cannot be done is waited for or told, and keeps back only what needs it.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "tests/agent/resources/converge_fixture.h"

namespace connect_ha {
namespace {

using std::chrono::minutes;

TEST_F(ConvergeTest, ANetworkThatIsDownIsWaitedFor) {
  node_.host.SetDownload(connect().url(), {"", {}, absl::UnavailableError("no route to host")});
  const auto retry = Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::WAITING);
  EXPECT_EQ(trouble().error(), "https://example.com/connect.deb: no route to host, after 4 tries");
  EXPECT_TRUE(trouble().has_retry_at());
  ASSERT_TRUE(retry.has_value());
  const size_t before = node_.host.changes().size();
  Turn();  // an event: too early
  EXPECT_EQ(node_.host.changes().size(), before);
  spec() = node_.FullAssignment().desired().spec();  // the network is back
  watch_.Pass(*retry);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, AWrongDigestStopsTheNodeUntilTheSpecificationChanges) {
  const std::string right = connect().sha256();
  connect().set_sha256(std::string(64, 'a'));
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_TRUE(absl::StrContains(trouble().error(), "has sha256 " + right)) << said();
  EXPECT_TRUE(absl::StrContains(trouble().error(), "fetched twice"));
  EXPECT_EQ(node_.DpkgStatus("rstudio-connect"), "");
  const size_t before = node_.host.changes().size();
  watch_.Pass(minutes(60));
  Turn();
  EXPECT_EQ(node_.host.changes().size(), before);
  connect().set_sha256(right);
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, WhatNeedsAPersonIsTriedAgainWhenAsked) {
  FakeDeb deb{"rstudio-connect", "2024.08.0~ubuntu22"};
  deb.exit_code = 1;
  deb.log = "post-installation script returned error exit status 1\n";
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  deb.exit_code = 0;
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  agent_->converge.TryAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

// A store that was made anew numbers as the one before did.
TEST_F(ConvergeTest, WhatFailedForAnotherStoresSpecificationOfTheSameNumberIsTriedAgain) {
  FakeDeb deb{"rstudio-connect", "2024.08.0~ubuntu22"};
  deb.exit_code = 1;
  deb.log = "post-installation script returned error exit status 1\n";
  connect() = node_.Publish("connect.deb", deb);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  deb.exit_code = 0;
  connect() = node_.Publish("connect.deb", deb);
  assignment_.mutable_desired()->set_lineage("M");
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, AQuartoThatIsNotThereKeepsNothingElseBack) {
  spec().mutable_runtimes()->mutable_quarto(0)->mutable_archive()->set_url(
      "https://example.com/gone.tar.gz");
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "archive quarto 1.5.57");
  EXPECT_EQ(watch_.last().changes_size(), 1) << said();
  EXPECT_TRUE(IsThere(kConfigFile));
  EXPECT_TRUE(IsThere("/var/lib/rstudio-connect/connect.lic"));
}

TEST_F(ConvergeTest, WhatNeedsConnectsPackageWaitsForItAndRuntimesDoNot) {
  connect().set_url("https://example.com/gone.deb");
  EXPECT_EQ(Turn(), std::nullopt);
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "package rstudio-connect");
  EXPECT_FALSE(IsThere(kConfigFile));
  EXPECT_FALSE(IsThere("/var/lib/rstudio-connect/connect.lic"));
  EXPECT_EQ(node_.DpkgStatus("python-3.11.9"), "1, hold ok installed");
  EXPECT_TRUE(IsThere("/opt/quarto/1.5.57/bin/quarto"));
}

// apt would try to configure it beside the others, and fail for it.
TEST_F(ConvergeTest, APackageThatIsUnfinishedKeepsTheOtherPackagesBack) {
  FakeDeb failing{"r-4.3.3", "1"};
  failing.exit_code = 100;
  failing.log = "post-installation script returned error exit status 1\n";
  *spec().mutable_runtimes()->mutable_r(0)->mutable_package() =
      node_.Publish("r-4.3.3.deb", failing);
  Turn();
  ASSERT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_EQ(trouble().resource(), "package r-4.3.3");
  EXPECT_EQ(node_.DpkgStatus("r-4.4.1"), "");
  EXPECT_EQ(node_.DpkgStatus("python-3.11.9"), "");
  EXPECT_TRUE(IsThere(kConfigFile));
}

TEST_F(ConvergeTest, NothingIsPrunedBeforeWhatIsToStayIsThere) {
  spec().mutable_runtimes()->set_prune(true);
  node_.host.SetFile("/opt/R/4.1.0/bin/R", "old");
  const v1::Artifact right = spec().runtimes().r(1).package();
  spec().mutable_runtimes()->mutable_r(1)->mutable_package()->set_url(
      "https://example.com/gone.deb");
  Turn();
  EXPECT_TRUE(IsThere("/opt/R/4.1.0/bin/R"));
  *spec().mutable_runtimes()->mutable_r(1)->mutable_package() = right;
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_FALSE(IsThere("/opt/R/4.1.0/bin/R"));
}

TEST_F(ConvergeTest, TwoThatFailAreEachHeldBack) {
  connect().set_url("https://example.com/gone.deb");
  v1::Artifact& archive = *spec().mutable_runtimes()->mutable_quarto(0)->mutable_archive();
  node_.host.SetDownload(archive.url(), {"", {}, absl::UnavailableError("no route to host")});
  const auto retry = Turn();
  ASSERT_EQ(watch_.last().troubles_size(), 2) << said();
  EXPECT_FALSE(watch_.last().troubles(0).has_retry_at());
  EXPECT_TRUE(watch_.last().troubles(1).has_retry_at());
  ASSERT_TRUE(retry.has_value());
  const size_t before = node_.host.changes().size();
  Turn();  // an event: too early
  EXPECT_EQ(node_.host.changes().size(), before);
  archive = node_.PublishQuarto("1.5.57");
  watch_.Pass(*retry);
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().troubles_size(), 1) << said();
  EXPECT_TRUE(IsThere("/opt/quarto/1.5.57/bin/quarto"));
}

TEST_F(ConvergeTest, ARuntimeThatDoesNotWorkKeepsTheNodeFromReady) {
  node_.SetTrial(v1::R, "4.4.1", {127, false, "libicuuc.so.70: cannot open shared object file"});
  EXPECT_EQ(Turn(), std::nullopt);
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().resource(), "runtime R 4.4.1");
  EXPECT_TRUE(absl::StrContains(trouble().error(), "libicuuc.so.70")) << said();
  EXPECT_EQ(trouble().fix(),
            "runuser -u rstudio-connect -- /opt/R/4.4.1/bin/R --version (what it lacks), then: "
            "connect-ha checklist --refresh");
  // It is not run again before something changes or somebody asks.
  const size_t runs = node_.host.commands_run().size();
  Turn();
  EXPECT_EQ(node_.host.commands_run().size(), runs);
  node_.SetTrial(v1::R, "4.4.1", {0, false, "smoke 42\n"});
  agent_->converge.VerifyAgain();
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
}

TEST_F(ConvergeTest, APackageWithoutItsInterpreterIsNoRuntime) {
  FakeDeb empty{"python-3.11.9", "1"};
  *spec().mutable_runtimes()->mutable_python(0)->mutable_package() =
      node_.Publish("python.deb", empty);
  Turn();
  EXPECT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  EXPECT_EQ(trouble().error(), "is installed and has no /opt/python/3.11.9/bin/python3");
}

// An R that the older generation could not get configured, and the newer one does not name.
TEST_F(ConvergeTest, APackageThatFailedIsRemovedWhenItIsNoLongerAskedFor) {
  FakeDeb failing{"r-4.0.5", "1"};
  failing.exit_code = 100;
  failing.log = "post-installation script returned error exit status 1\n";
  failing.files = {{"/opt/R/4.0.5/bin/R", "R 4.0.5"}};
  v1::RuntimeSpec& r = *spec().mutable_runtimes()->add_r();
  r.set_version("4.0.5");
  *r.mutable_package() = node_.Publish("r-4.0.5.deb", failing);
  Turn();
  ASSERT_EQ(watch_.last().state(), v1::Convergence::STUCK);
  ASSERT_EQ(node_.DpkgStatus("r-4.0.5"), "1, install ok half-configured");
  EXPECT_EQ(Made("package r-4.0.5").to(), "1, half-configured");
  assignment_ = node_.FullAssignment();
  assignment_.mutable_desired()->set_generation(8);
  Turn();
  EXPECT_EQ(said(), "CONVERGED");
  EXPECT_EQ(node_.DpkgStatus("r-4.0.5"), "");
  EXPECT_FALSE(node_.host.Stat("/opt/R/4.0.5/bin/R").ok());
  const v1::Change removed = Made("packages of older specifications");
  EXPECT_EQ(removed.from() + " -> " + removed.to(),
            "r-4.0.5 1, install ok half-configured -> removed");
}

}  // namespace
}  // namespace connect_ha
