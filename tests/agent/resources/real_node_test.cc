// A node brought to its specification by the real apt, dpkg and systemd, in a container
// (tests/agent/host/in_container) and nowhere else: it changes the machine that it runs on.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/host/linux_host.h"
#include "agent/resources/converge/converge.h"
#include "common/tls/crypto.h"
#include "tests/agent/host/container.h"

namespace connect_ha {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr char kWork[] = "/run/work";
constexpr char kStateDir[] = "/var/lib/connect-ha-agent";
constexpr char kUnit[] = "rstudio-connect.service";
constexpr char kStarted[] = "/run/connect-was-started";
constexpr char kInstalls[] = "/run/installs";
// Connect's installation waits while this is there.
constexpr char kGate[] = "/run/gate";
// A stand-in for R, which passes R's smoke run.
constexpr char kR[] = "#!/bin/sh\necho smoke 42\n";

void Write(const std::string& path, const std::string& content, mode_t mode = 0644) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << content;
  chmod(path.c_str(), mode);
}

std::string Read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RealWatch : public TurnWatch {
 public:
  void Publish(const v1::Convergence& convergence) override { last = convergence; }
  bool Stopped() override { return false; }
  bool Wait(milliseconds span) override {
    std::this_thread::sleep_for(span);
    return true;
  }
  SteadyTime Now() override { return steady_clock::now(); }

  v1::Convergence last;
};

class RealNode : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    spdlog::set_level(spdlog::level::off);
    for (const char* directory :
         {kStateDir, "/var/lib/dpkg/info", "/var/lib/dpkg/updates", "/var/lib/dpkg/triggers",
          "/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/etc/apt", "/opt",
          "/etc/systemd/system", "/var/log/apt"}) {
      std::filesystem::create_directories(directory);
    }
    LinuxHost host;
    const auto architecture = host.Run({"/usr/bin/dpkg", "--print-architecture"}, {});
    Write("/var/lib/dpkg/status",
          absl::StrCat("Package: dpkg\nStatus: install ok installed\nVersion: 1.21\n"
                       "Maintainer: a test <test@localhost>\nDescription: dpkg\nArchitecture: ",
                       architecture->output, "\n"));
  }

  // Builds a .deb; the artifact that names it.
  v1::Artifact MakeDeb(const std::string& name, const std::string& version,
                       const std::map<std::string, std::string>& files, const std::string& postinst,
                       const std::string& fields = "") {
    const std::string root = absl::StrCat(kWork, "/", name, "-", version);
    std::string commands = absl::StrCat("cd ", root, " && find . -path ./DEBIAN -prune -o -type f ",
                                        "-printf '%P\\n' | xargs md5sum > DEBIAN/md5sums");
    for (const auto& [path, content] : files) Write(root + path, content, 0755);
    Write(root + "/DEBIAN/control",
          absl::StrCat("Package: ", name, "\nVersion: ", version,
                       "\nArchitecture: all\nInstalled-Size: 10\n"
                       "Maintainer: a test <test@localhost>\nDescription: a test\n",
                       fields));
    if (!postinst.empty()) Write(root + "/DEBIAN/postinst", "#!/bin/sh\n" + postinst, 0755);
    Run({"/bin/sh", "-c", commands});
    Run({"/usr/bin/dpkg-deb", "--root-owner-group", "-b", root, root + ".deb"});
    return Artifact(root + ".deb");
  }
  v1::Artifact MakeQuarto(const std::string& version) {
    const std::string top = absl::StrCat("quarto-", version);
    Write(absl::StrCat(kWork, "/", top, "/bin/quarto"), "#!/bin/sh\n", 0755);
    Write(absl::StrCat(kWork, "/", top, "/share/version"), version);
    const std::string file = absl::StrCat(kWork, "/", top, ".tar.gz");
    Run({"/bin/tar", "-C", kWork, "-czf", file, top});
    return Artifact(file);
  }
  static v1::Artifact Artifact(const std::string& file) {
    v1::Artifact artifact;
    artifact.set_url("file://" + file);
    artifact.set_sha256(Hex(Sha256(Read(file))));
    return artifact;
  }
  void Run(const std::vector<std::string>& arguments) {
    const auto run = host_.Run(arguments, {});
    ASSERT_TRUE(run.ok()) << run.status();
    ASSERT_EQ(run->exit_code, 0) << run->output;
  }

  v1::Artifact MakeConnect(const std::string& version, const std::string& more) {
    return MakeDeb("rstudio-connect", version + "~ubuntu22",
                   {{"/opt/rstudio-connect/bin/connect", version},
                    {"/run/systemd/system/rstudio-connect.service",
                     absl::StrCat("[Service]\nType=oneshot\nExecStart=/usr/bin/touch ", kStarted,
                                  "\n[Install]\nWantedBy=multi-user.target\n")}},
                   // Ends at the first error, though the unit is masked.
                   absl::StrCat("set -e\necho ", version, " >>", kInstalls, "\nwhile [ -e ", kGate,
                                " ]; do sleep 0.1; done\nsystemctl enable rstudio-connect.service\n"
                                "systemctl daemon-reload\nsystemctl restart --no-block "
                                "rstudio-connect.service\n",
                                more));
  }
  // `more`: what the script of Connect's package does besides.
  v1::Assignment MakeAssignment(uint64_t generation, const std::string& version,
                                const std::string& more = "") {
    v1::Assignment assignment;
    assignment.set_state(v1::PREPARING);
    v1::Desired& desired = *assignment.mutable_desired();
    desired.set_generation(generation);
    v1::ClusterSpec& spec = *desired.mutable_spec();
    spec.set_enforcement(v1::ENFORCE);
    spec.mutable_downloads()->set_allow_file(true);
    (*spec.mutable_accounts())["rstudio-connect"].set_uid(987);
    (*spec.mutable_accounts())["rstudio-connect"].set_gid(986);
    spec.mutable_connect()->set_version(version);
    *spec.mutable_connect()->mutable_package() = MakeConnect(version, more);
    v1::RuntimeSpec& r = *spec.mutable_runtimes()->add_r();
    r.set_version("4.3.3");
    *r.mutable_package() = MakeDeb("r-4.3.3", "1", {{"/opt/R/4.3.3/bin/R", kR}}, "");
    v1::RuntimeSpec& quarto = *spec.mutable_runtimes()->add_quarto();
    quarto.set_version("1.5.57");
    *quarto.mutable_archive() = MakeQuarto("1.5.57");
    desired.set_license("the licence");
    desired.set_connect_config("[Server]\nAddress = https://${node.name}\n");
    return assignment;
  }

  void Turn(const v1::Assignment& assignment) {
    ConvergeOptions options;
    options.node = "node-1";
    options.agent_config.set_artifact_dir(kWork);
    options.agent_config.set_connect_unit(kUnit);
    options.agent_config.set_connect_config("/etc/rstudio-connect/rstudio-connect.gcfg");
    options.state_dir = kStateDir;
    options.cache_dir = "/var/cache/connect-ha-agent";
    options.facts = [] {
      v1::Facts facts;
      facts.mutable_database();  // with no content that is pinned to anything
      return facts;
    };
    ProbeCache cache;
    ChangeJournal journal(host_, absl::StrCat(kStateDir, "/changes"));
    ASSERT_TRUE(journal.Load().ok());
    Converge converge(options, host_, cache, journal);
    converge.Turn(assignment, watch_);
  }
  // What dpkg is to do with the package: "install", "hold".
  std::string Selected(const std::string& package) {
    const auto run =
        host_.Run({"/usr/bin/dpkg-query", "-W", "-f", "${db:Status-Want}", package}, {});
    return run.ok() ? run->output : std::string(run.status().message());
  }
  void ExpectConverged() {
    EXPECT_EQ(watch_.last.state(), v1::Convergence::CONVERGED) << watch_.last.DebugString();
    EXPECT_FALSE(std::filesystem::exists(kStarted));
    EXPECT_EQ(host_.ReadUnit(kUnit)->load_state(), "masked");
  }

  LinuxHost host_;
  RealWatch watch_;
};

TEST_F(RealNode, IsBroughtToTheSpecificationMendedAndUpgraded) {
  const v1::Assignment assignment = MakeAssignment(1, "2024.06.0");
  Turn(assignment);
  ExpectConverged();
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.06.0");
  EXPECT_EQ(Read("/opt/R/4.3.3/bin/R"), kR);
  EXPECT_EQ(Read("/opt/quarto/1.5.57/share/version"), "1.5.57");
  EXPECT_EQ(host_.LookUpUser("rstudio-connect")->uid, 987u);
  EXPECT_EQ(host_.LookUpUser("rstudio-connect")->gid, 986u);
  EXPECT_EQ(Read(kInstalls), "2024.06.0\n");
  // Once somebody unmasks it, a boot starts it.
  EXPECT_TRUE(std::filesystem::is_symlink(
      absl::StrCat("/etc/systemd/system/multi-user.target.wants/", kUnit)));

  Write("/opt/R/4.3.3/bin/R", "tampered");
  std::filesystem::remove("/opt/quarto/1.5.57/share/version");
  Turn(assignment);
  ExpectConverged();
  EXPECT_EQ(Read("/opt/R/4.3.3/bin/R"), kR);
  EXPECT_EQ(Read("/opt/quarto/1.5.57/share/version"), "1.5.57");
  EXPECT_EQ(Read(kInstalls), "2024.06.0\n");

  Turn(MakeAssignment(2, "2024.08.0"));
  ExpectConverged();
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.08.0");
  EXPECT_EQ(Read(kInstalls), "2024.06.0\n2024.08.0\n");
}

TEST_F(RealNode, AnAgentThatIsKilledFindsTheInstallerThatRuns) {
  const v1::Assignment assignment = MakeAssignment(3, "2024.09.0");
  std::filesystem::remove(kInstalls);
  Write(kGate, "");
  const pid_t agent = fork();
  if (agent == 0) {
    Turn(assignment);
    _exit(0);
  }
  for (int i = 0; i < 600 && Read(kInstalls).empty(); ++i) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
  std::thread opener([] {
    std::this_thread::sleep_for(seconds(1));
    std::filesystem::remove(kGate);
  });
  Turn(assignment);
  opener.join();
  ExpectConverged();
  EXPECT_EQ(Read(kInstalls), "2024.09.0\n");
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.09.0");
}

TEST_F(RealNode, WhatAPowerCutLeftHalfConfiguredIsMended) {
  const v1::Assignment assignment = MakeAssignment(4, "2024.10.0");
  const std::string deb = absl::StrCat(kWork, "/rstudio-connect-2024.10.0~ubuntu22.deb");
  Run({"/usr/bin/dpkg", "--unpack", deb});
  Write("/opt/rstudio-connect/bin/connect", "");
  Turn(assignment);
  ExpectConverged();
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.10.0");
  EXPECT_TRUE(absl::StrContains(Read("/var/lib/dpkg/status"), "hold ok installed"));
}

TEST_F(RealNode, AScriptThatFailsIsToldAndTheNextSpecificationMendsIt) {
  Turn(MakeAssignment(5, "2024.10.1", "echo the licence server is away\nexit 3\n"));
  ASSERT_EQ(watch_.last.state(), v1::Convergence::STUCK) << watch_.last.DebugString();
  EXPECT_TRUE(absl::StrContains(watch_.last.troubles(0).log(), "the licence server is away"))
      << watch_.last.DebugString();
  EXPECT_FALSE(std::filesystem::exists(kStarted));
  Turn(MakeAssignment(6, "2024.10.2"));
  ExpectConverged();
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.10.2");
}

// dpkg would try to configure it again beside every other package.
TEST_F(RealNode, APackageThatFailedIsRemovedWhenItIsNoLongerNamed) {
  v1::Assignment failing = MakeAssignment(20, "2024.10.2");
  v1::RuntimeSpec& r = *failing.mutable_desired()->mutable_spec()->mutable_runtimes()->add_r();
  r.set_version("4.4.9");
  *r.mutable_package() = MakeDeb("r-4.4.9", "1", {{"/opt/R/4.4.9/bin/R", kR}}, "exit 1\n");
  Turn(failing);
  ASSERT_EQ(watch_.last.state(), v1::Convergence::STUCK) << watch_.last.DebugString();
  ASSERT_EQ(watch_.last.troubles(0).resource(), "package r-4.4.9");
  Turn(MakeAssignment(21, "2024.10.2"));
  ExpectConverged();
  EXPECT_FALSE(std::filesystem::exists("/opt/R/4.4.9/bin/R"));
  EXPECT_EQ(Read("/var/lib/dpkg/status").find("r-4.4.9"), std::string::npos);
}

TEST_F(RealNode, NoOtherPackageGoesForOne) {
  MakeDeb("bystander", "1", {{"/opt/bystander", "x"}}, "");
  Run({"/usr/bin/dpkg", "-i", absl::StrCat(kWork, "/bystander-1.deb")});
  v1::Assignment assignment = MakeAssignment(22, "2024.10.2");
  v1::RuntimeSpec& r = *assignment.mutable_desired()->mutable_spec()->mutable_runtimes()->add_r();
  r.set_version("4.5.1");
  *r.mutable_package() =
      MakeDeb("r-4.5.1", "1", {{"/opt/R/4.5.1/bin/R", kR}}, "", "Conflicts: bystander\n");
  Turn(assignment);
  ASSERT_EQ(watch_.last.state(), v1::Convergence::STUCK) << watch_.last.DebugString();
  EXPECT_EQ(
      watch_.last.troubles(0).error(),
      "to install r-4.5.1 apt would remove bystander 1, which the specification does not say");
  EXPECT_TRUE(std::filesystem::exists("/opt/bystander"));
}

TEST_F(RealNode, WhatAnotherPackageNeedsIsNotPruned) {
  MakeDeb("r-4.5.2", "1", {{"/opt/R/4.5.2/bin/R", kR}}, "");
  MakeDeb("site-app", "1", {{"/opt/site-app", "x"}}, "", "Depends: r-4.5.2\n");
  Run({"/usr/bin/dpkg", "-i", absl::StrCat(kWork, "/r-4.5.2-1.deb"),
       absl::StrCat(kWork, "/site-app-1.deb")});
  v1::Assignment assignment = MakeAssignment(23, "2024.10.2");
  assignment.mutable_desired()->mutable_spec()->mutable_runtimes()->set_prune(true);
  Turn(assignment);
  ASSERT_EQ(watch_.last.state(), v1::Convergence::STUCK) << watch_.last.DebugString();
  EXPECT_TRUE(absl::StrContains(watch_.last.troubles(0).log(), "site-app depends on r-4.5.2"))
      << watch_.last.DebugString();
  EXPECT_TRUE(std::filesystem::exists("/opt/site-app"));
  Run({"/usr/bin/dpkg", "--purge", "site-app"});
  Turn(assignment);
  ExpectConverged();
  EXPECT_FALSE(std::filesystem::exists("/opt/R/4.5.2"));
}

TEST_F(RealNode, ALockThatAnotherHoldsIsWaitedFor) {
  const int lock = open("/var/lib/dpkg/lock-frontend", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  ASSERT_EQ(fcntl(lock, F_SETLK, &whole), 0);
  std::thread holder([lock] {
    std::this_thread::sleep_for(seconds(5));
    close(lock);
  });
  const auto begun = steady_clock::now();
  Turn(MakeAssignment(7, "2024.10.3"));
  holder.join();
  ExpectConverged();
  EXPECT_GE(steady_clock::now() - begun, seconds(5));
}

TEST_F(RealNode, LettingGoTakesOffTheAgentsHoldsAndNoOthers) {
  // Another build, which somebody put on hold: it is replaced, and its hold put back.
  MakeDeb("r-4.4.2", "1", {{"/opt/R/4.4.2/bin/R", "another"}}, "");
  Run({"/usr/bin/dpkg", "-i", absl::StrCat(kWork, "/r-4.4.2-1.deb")});
  Run({"/usr/bin/apt-mark", "hold", "r-4.4.2"});
  v1::Assignment assignment = MakeAssignment(24, "2024.10.4");
  v1::RuntimeSpec& r = *assignment.mutable_desired()->mutable_spec()->mutable_runtimes()->add_r();
  r.set_version("4.4.2");
  *r.mutable_package() = MakeDeb("r-4.4.2", "1", {{"/opt/R/4.4.2/bin/R", kR}}, "");
  Turn(assignment);
  ExpectConverged();
  EXPECT_EQ(Read("/opt/R/4.4.2/bin/R"), kR);
  for (const char* package : {"rstudio-connect", "r-4.3.3", "r-4.4.2"}) {
    EXPECT_EQ(Selected(package), "hold") << package;
  }
  assignment.set_state(v1::OBSERVED);
  assignment.set_release(true);
  Turn(assignment);
  EXPECT_EQ(watch_.last.troubles_size(), 0) << watch_.last.DebugString();
  EXPECT_NE(host_.ReadUnit(kUnit)->load_state(), "masked");
  EXPECT_EQ(Selected("rstudio-connect"), "install");
  EXPECT_EQ(Selected("r-4.3.3"), "install");
  EXPECT_EQ(Selected("r-4.4.2"), "hold");
  EXPECT_FALSE(std::filesystem::exists(kStarted));
}

TEST_F(RealNode, AScriptThatTakesTheMaskAwayStartsNothing) {
  const std::string mask = absl::StrCat("/etc/systemd/system/", kUnit);
  const v1::Assignment assignment =
      MakeAssignment(5, "2024.11.0",
                     absl::StrCat("rm ", mask, "\ncp /run/systemd/system/", kUnit, " ", mask,
                                  "\nsystemctl daemon-reload\nsystemctl start ", kUnit, "\n"));
  Turn(assignment);
  EXPECT_EQ(Read("/opt/rstudio-connect/bin/connect"), "2024.11.0");
  EXPECT_FALSE(std::filesystem::exists(kStarted));
  ASSERT_EQ(watch_.last.state(), v1::Convergence::STUCK) << watch_.last.DebugString();
  EXPECT_EQ(watch_.last.troubles(0).fix(), absl::StrCat("move it away: mv ", mask, " /root/"))
      << watch_.last.DebugString();
  std::filesystem::remove(mask);
  Turn(assignment);
  ExpectConverged();
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  connect_ha::RequireContainer(argv[0]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
