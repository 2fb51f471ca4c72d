#include "agent/probes/installed/find_runtimes.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

class FindRuntimesTest : public testing::Test {
 protected:
  void Add(const std::string& path) { bench_.host->SetFile(path, "program"); }
  void Link(const std::string& path, const std::string& target) {
    bench_.host->SetLink(path, target);
  }
  // A line for each: executable, version of its directory's name, and "named", "gone".
  std::string Found() {
    const auto found = FindRuntimes(bench_.Input());
    if (!found.ok()) return std::string(found.status().message());
    std::string text;
    for (const FoundRuntime& runtime : *found) {
      text += runtime.executable + (runtime.version.empty() ? "" : " " + runtime.version) +
              (runtime.named_by_config ? " named" : "") +
              (runtime.real_path.empty() ? " gone" : "") + "\n";
    }
    return text;
  }

  ProbeBench bench_;
};

TEST_F(FindRuntimesTest, ALinkIsTheInstallationBehindIt) {
  Add("/opt/R/4.2.1/bin/R");
  Link("/opt/R/1-default", "4.2.1");
  Link("/opt/R/current", "/opt/R/1-default");
  EXPECT_EQ(Found(), "/opt/R/4.2.1/bin/R 4.2.1\n");
  bench_.Configure({{"R.Executable", "/opt/R/current/bin/R"}});
  EXPECT_EQ(Found(), "/opt/R/current/bin/R 4.2.1 named\n");
}

TEST_F(FindRuntimesTest, ALinkOutOfTheDirectoryIsAnInstallation) {
  Add("/srv/R/4.2.1/bin/R");
  Link("/opt/R/4.2.1", "/srv/R/4.2.1");
  EXPECT_EQ(Found(), "/opt/R/4.2.1/bin/R\n");
}

TEST_F(FindRuntimesTest, InterpretersWithoutEndAreNotTried) {
  for (int i = 0; i < 101; ++i) {
    bench_.host->SetFile("/opt/R/4.0." + std::to_string(i) + "/bin/R", "R");
  }
  EXPECT_EQ(FindRuntimes(bench_.Input()).status().message(),
            "101 interpreters are installed, more than 100");
}

TEST_F(FindRuntimesTest, LinksThatLeadNowhereAreNotThere) {
  Link("/opt/R/current", "4.9.9");
  Link("/opt/R/loop", "pool");
  Link("/opt/R/pool", "loop");
  EXPECT_EQ(Found(), "");
  bench_.Configure({{"R.Executable", "/opt/R/current/bin/R"}});
  EXPECT_EQ(Found(), "/opt/R/current/bin/R named gone\n");
  bench_.Configure({{"R.Executable", "/opt/R/loop/bin/R"}});
  EXPECT_EQ(Found(), "/opt/R/loop/bin/R named gone\n");
}

TEST_F(FindRuntimesTest, ADirectorysNameIsAVersionOnlyWhenItIsOne) {
  Add("/opt/python/3.10/bin/python3");
  Add("/opt/python/cpython-3.13.0-linux-aarch64-gnu/bin/python");
  Add("/opt/R/4.4.1-mkl/bin/R");
  bench_.Configure(
      {{"Python.Executable", "/opt/python/cpython-3.13.0-linux-aarch64-gnu/bin/python"}});
  EXPECT_EQ(Found(),
            "/opt/R/4.4.1-mkl/bin/R\n"
            "/opt/python/cpython-3.13.0-linux-aarch64-gnu/bin/python named\n"
            "/opt/python/3.10/bin/python3\n");
}

TEST_F(FindRuntimesTest, AnyNameOfPythonIsTheSamePython) {
  Add("/opt/python/3.10.14/bin/python3.10");
  Link("/opt/python/3.10.14/bin/python3", "python3.10");
  Link("/opt/python/default", "3.10.14");
  Link("/usr/local/bin/python", "/opt/python/3.10.14/bin/python3");
  for (const char* name : {"/opt/python/3.10.14/bin/python3.10", "/usr/local/bin/python",
                           "/opt/python/default/bin/python3"}) {
    bench_.Configure({{"Python.Executable", name}});
    EXPECT_EQ(Found(), std::string(name) + " 3.10.14 named\n");
  }
}

TEST_F(FindRuntimesTest, AVirtualEnvironmentIsNotTheInterpreterThatMadeIt) {
  Add("/opt/python/3.10.14/bin/python3");
  Link("/srv/env/bin/python", "/opt/python/3.10.14/bin/python3");
  Add("/srv/env/pyvenv.cfg");
  bench_.Configure({{"Python.Executable", "/srv/env/bin/python"}});
  EXPECT_EQ(Found(), "/srv/env/bin/python named\n/opt/python/3.10.14/bin/python3 3.10.14\n");
}

TEST_F(FindRuntimesTest, QuartosPackageHasNoVersionsDirectory) {
  Add("/opt/quarto/bin/quarto");
  Add("/opt/quarto/1.4.550/bin/quarto");
  EXPECT_EQ(Found(), "/opt/quarto/1.4.550/bin/quarto 1.4.550\n/opt/quarto/bin/quarto\n");
  Link("/usr/local/bin/quarto", "/opt/quarto/bin/quarto");
  bench_.Configure({{"Quarto.Executable", "/usr/local/bin/quarto"}});
  EXPECT_EQ(Found(), "/usr/local/bin/quarto named\n/opt/quarto/1.4.550/bin/quarto 1.4.550\n");
}

TEST_F(FindRuntimesTest, RIsFoundWhereConnectLooksForIt) {
  for (const char* home :
       {"/usr/lib/R", "/usr/lib64/R", "/usr/local/lib/R", "/opt/local/R/4.0.5"}) {
    Add(std::string(home) + "/bin/R");
    EXPECT_EQ(Found(), std::string(home) + "/bin/R\n");
    bench_.host->Erase(home);
  }
}

TEST_F(FindRuntimesTest, AScriptInBinIsTheRThatItRuns) {
  Add("/usr/lib/R/bin/R");
  Add("/usr/bin/R");  // a copy of the script, as `make install` leaves it
  bench_.Configure({{"R.Executable", "/usr/bin/R"}});
  EXPECT_EQ(Found(), "/usr/bin/R named\n");
}

TEST_F(FindRuntimesTest, TheConfigurationMayForbidTheScan) {
  Add("/usr/lib/R/bin/R");
  for (const char* key : {"R.ExecutableScanning", "Server.RVersionScanning", "R.Enabled"}) {
    bench_.Configure({{key, "false"}});
    EXPECT_EQ(Found(), "") << key;
  }
  bench_.Configure({{"R.ExecutableScanning", "true"}, {"Server.RVersionScanning", "false"}});
  EXPECT_EQ(Found(), "/usr/lib/R/bin/R\n");
}

TEST_F(FindRuntimesTest, ThePathIsSearchedWhereThereIsNoOtherR) {
  Add("/srv/tools/bin/R");
  EXPECT_EQ(Found(), "");
  bench_.host->SetUnitEnvironment("rstudio-connect.service", {"PATH=/nowhere:/srv/tools/bin"});
  EXPECT_EQ(Found(), "/srv/tools/bin/R\n");
  Add("/usr/lib/R/bin/R");
  EXPECT_EQ(Found(), "/usr/lib/R/bin/R\n");
}

TEST_F(FindRuntimesTest, WhatAPackageLeftBehindIsNoInstallation) {
  bench_.host->SetDirectory("/opt/R/4.0.5/lib/R/library/mine");
  EXPECT_EQ(Found(), "");
  bench_.host->SetFile("/var/lib/dpkg/status", "Package: r-4.0.5\nStatus: install ok installed\n");
  EXPECT_EQ(Found(), "/opt/R/4.0.5/bin/R 4.0.5 gone\n");
}

TEST_F(FindRuntimesTest, AnUnreadableDirectoryIsNotAnEmptyOne) {
  Add("/opt/R/4.2.1/bin/R");
  bench_.host->SetError("/opt/R/4.2.1", absl::PermissionDeniedError("permission denied"));
  EXPECT_EQ(Found(), "permission denied");
}

}  // namespace
}  // namespace connect_ha
