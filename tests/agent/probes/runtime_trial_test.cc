#include "agent/probes/installed/runtime_trial.h"

#include <gtest/gtest.h>

#include "tests/agent/probes/probe_bench.h"

namespace connect_ha {
namespace {

// Answers every command alike and keeps how it was run.
class OneAnswerHost : public FakeHost {
 public:
  absl::StatusOr<CommandResult> Run(const std::vector<std::string>&,
                                    const CommandOptions& options) override {
    environment = options.environment;
    return answer;
  }

  CommandResult answer;
  std::vector<std::string> environment;
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

TEST_F(RuntimeTrialTest, PythonRunsWithoutWhatLiesInTheAccountsHome) {
  host().answer.exit_code = 0;
  ASSERT_TRUE(TryRuntime(bench_.Input(), v1::PYTHON, "/usr/bin/python3").ok());
  EXPECT_EQ(host().environment,
            (std::vector<std::string>{"PYTHONNOUSERSITE=1", "PYTHONSAFEPATH=1"}));
}

}  // namespace
}  // namespace connect_ha
