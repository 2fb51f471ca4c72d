// What the package manager's service is given to run in.
#include "agent/resources/install/installer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "tests/agent/resources/bare_node.h"

namespace connect_ha {
namespace {

using Lines = std::vector<std::string>;

constexpr char kAgentUnit[] = "connect-ha-agent.service";

class InstallerTest : public testing::Test {
 protected:
  InstallerTest() {
    assignment_.set_state(v1::PREPARING);
    assignment_.mutable_desired()->set_generation(1);
    v1::ClusterSpec& spec = *assignment_.mutable_desired()->mutable_spec();
    spec.set_enforcement(v1::ENFORCE);
    spec.mutable_connect()->set_version("2024.08.0");
  }
  void Turn() {
    *assignment_.mutable_desired()->mutable_spec()->mutable_connect()->mutable_package() =
        node_.Publish("connect.deb", deb_);
    agent_.converge.Turn(assignment_, watch_);
  }
  void AgentHas(Lines environment) {
    node_.host.SetUnitEnvironment(kAgentUnit, std::move(environment));
  }
  // Of every service that was started, without what each has.
  std::vector<Lines> Further() const {
    const Lines ours = {"DEBIAN_FRONTEND=noninteractive",
                        "SYSTEMD_OFFLINE=1",
                        "SYSTEMD_UNIT_PATH=/run/systemd/system:/usr/local/lib/systemd/system:"
                        "/lib/systemd/system:/usr/lib/systemd/system:/etc/systemd/system",
                        "RSTUDIO_INSTALL_NO_LICENSE_INITIALIZATION=1",
                        "LC_ALL=C.UTF-8",
                        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    std::vector<Lines> further;
    for (const TransientService& service : node_.host.services_started()) {
      Lines lines = service.environment;
      for (const std::string& line : ours) {
        const auto at = std::find(lines.begin(), lines.end(), line);
        EXPECT_NE(at, lines.end()) << service.name << " lacks " << line;
        if (at != lines.end()) lines.erase(at);
      }
      further.push_back(lines);
    }
    return further;
  }
  void FailToFetch() {
    deb_.exit_code = 100;
    deb_.log =
        "E: Failed to fetch http://archive.ubuntu.com/x.deb  Could not connect to "
        "archive.ubuntu.com:80, connection timed out\n";
  }
  v1::Trouble trouble() const {
    return watch_.last().troubles_size() > 0 ? watch_.last().troubles(0) : v1::Trouble();
  }

  BareNode node_;
  FakeDeb deb_{"rstudio-connect", "2024.08.0~ubuntu22"};
  v1::Assignment assignment_;
  Agent agent_{node_};
  TestWatch watch_{node_.host};
};

TEST_F(InstallerTest, AsksNothingStartsNothingAndLeavesTheLicenceAlone) {
  Turn();
  EXPECT_EQ(Describe(watch_.last()), "CONVERGED");
  EXPECT_EQ(Further(), std::vector<Lines>{{}});
}

TEST_F(InstallerTest, GoesThroughTheAgentsProxy) {
  AgentHas({"GNUTLS_NO_IMPLICIT_INIT=1", "https_proxy=http://old:1", "NO_PROXY=10.0.0.0/8",
            "http_proxy=http://proxy:3128", "https_proxy=http://proxy:3128", "no_proxy=a;b"});
  Turn();
  EXPECT_EQ(Further(), (std::vector<Lines>{{"NO_PROXY=10.0.0.0/8", "http_proxy=http://proxy:3128",
                                            "https_proxy=http://proxy:3128"}}));
}

TEST_F(InstallerTest, IsNotGivenAProxysPassword) {
  AgentHas({"https_proxy=http://proxy:1", "https_proxy=http://agent:SECRET@proxy:3128",
            "no_proxy=localhost"});
  FailToFetch();
  Turn();
  EXPECT_EQ(Further(), (std::vector<Lines>{{"no_proxy=localhost"}}));
  EXPECT_EQ(trouble().fix(),
            "apt is not told the proxy of connect-ha-agent.service, which has a password: write "
            "Acquire::http::Proxy \"http://USER:PASSWORD@HOST:PORT\"; into "
            "/etc/apt/apt.conf.d/90proxy");
  EXPECT_FALSE(absl::StrContains(Describe(watch_.last()), "SECRET"));
}

TEST_F(InstallerTest, SaysNothingOfAProxyThatIsNotWhatIsWrong) {
  AgentHas({"https_proxy=http://proxy:3128"});
  FailToFetch();
  Turn();
  EXPECT_EQ(trouble().fix(), "");
  AgentHas({"https_proxy=http://agent:SECRET@proxy:3128"});
  deb_.log = "E: Could not get lock /var/lib/dpkg/lock-frontend\n";
  agent_.converge.TryAgain();
  Turn();
  EXPECT_FALSE(trouble().error().empty());
  EXPECT_EQ(trouble().fix(), "");
}

TEST(ClassifyInstallerLog, TakesThePackageManagersWordForIt) {
  using absl::StatusCode;
  const std::vector<std::pair<std::string, StatusCode>> logs = {
      {"E: Failed to fetch http://h/x.deb  Could not connect to h:80\n", StatusCode::kUnavailable},
      {"dpkg: error: dpkg frontend lock was locked by another process with pid 4711\n",
       StatusCode::kUnavailable},
      {"dpkg: error processing archive /x.deb (--unpack):\n cannot copy extracted data for "
       "'./opt/x' to '/opt/x.dpkg-new': failed to write (No space left on device)\n",
       StatusCode::kResourceExhausted},
      {"E: Unmet dependencies. Try 'apt --fix-broken install'\n", StatusCode::kNotFound},
      {"dpkg: error processing package x (--configure):\n installed x package post-installation "
       "script subprocess returned error exit status 1\n",
       StatusCode::kFailedPrecondition}};
  for (const auto& [log, code] : logs) EXPECT_EQ(ClassifyInstallerLog(log), code) << log;
}

TEST(ClassifyInstallerLog, DoesNotTakeAScriptsTroubleForItsOwn) {
  // A network fault would be tried again for ever.
  EXPECT_EQ(ClassifyInstallerLog("Setting up x (1.0) ...\nCould not connect to database at h:5432\n"
                                 " Connection timed out\n"
                                 "dpkg: error processing package x (--configure):\n"
                                 " installed x package post-installation script subprocess "
                                 "returned error exit status 1\n"
                                 " Could not resolve h\n"
                                 "E: Sub-process /usr/bin/dpkg returned an error code (1)\n"),
            absl::StatusCode::kFailedPrecondition);
}

// Else what failed for it would never be tried again.
TEST(ClassifyInstallerLog, AFullDiskIsOneWhoeverSaysIt) {
  EXPECT_EQ(
      ClassifyInstallerLog("Setting up x (1.0) ...\ncp: error writing '/opt/x/cache': No space "
                           "left on device\n"
                           "dpkg: error processing package x (--configure):\n"
                           " installed x package post-installation script subprocess "
                           "returned error exit status 1\n"
                           "E: Sub-process /usr/bin/dpkg returned an error code (1)\n"),
      absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace connect_ha
