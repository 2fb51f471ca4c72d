// The completion script in a real bash, and the manual page in a real roff.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"
#include "tests/coordinator/cli/world.h"

namespace connect_ha {
namespace {

// What a shell prints for `command`, errors included.
std::string Shell(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return "no shell";
  char buffer[4096];
  for (size_t size = 0; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    text.append(buffer, size);
  }
  pclose(pipe);
  return text;
}

class Completion : public testing::Test {
 protected:
  Completion() {
    char pattern[] = "/tmp/connect-ha-completion.XXXXXX";
    folder_ = mkdtemp(pattern);
    World world;
    EXPECT_EQ(world.Run({"completion"}), kHolds);
    std::ofstream(folder_ + "/script") << world.out;
  }
  ~Completion() override { std::filesystem::remove_all(folder_); }

  // What bash offers after these words, the last of which is being typed.
  std::string Offers(const std::string& words) {
    std::ofstream(folder_ + "/ask")
        << "source " << folder_ << "/script\n"
        << "COMP_WORDS=(" << words << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        << "_connect_ha\necho \"${COMPREPLY[*]}\"\n";
    return Shell("bash " + folder_ + "/ask");
  }

  std::string folder_;
};

TEST_F(Completion, IsGoodBash) { EXPECT_EQ(Shell("bash -n " + folder_ + "/script"), ""); }

TEST_F(Completion, OffersCommands) {
  EXPECT_EQ(Offers("connect-ha ch"), "check-config checklist\n");
  EXPECT_EQ(Offers("connect-ha token ''"), "create list revoke\n");
  EXPECT_EQ(Offers("connect-ha help tok"), "token\n");
  EXPECT_EQ(Offers("connect-ha node ''"),
            "cordon drain fence gone remove start stop uncordon unfence\n");
  EXPECT_EQ(Offers("connect-ha rollout ''"), "abort approve pause phases restored resume status\n");
}

TEST_F(Completion, OffersOptionsOfTheCommandOnly) {
  EXPECT_EQ(Offers("connect-ha node remove node-1 --"),
            "--yes --force --reason --why --identity --help\n");
  EXPECT_EQ(Offers("connect-ha token create --u"), "--uses\n");
  EXPECT_EQ(Offers("connect-ha node drain node-1 --"),
            "--reason --until --now --allow-downtime --identity --help\n");
  EXPECT_EQ(Offers("connect-ha admin create alice --role v"), "viewer\n");
  EXPECT_EQ(Offers("connect-ha approve 8 --"),
            "--reason --now --allow-downtime --skip-lost --take-back --identity --help\n");
}

TEST_F(Completion, OffersValues) {
  EXPECT_EQ(Offers("connect-ha checklist --rule encr"), "encryption-key-matches\n");
  EXPECT_EQ(Offers("connect-ha checklist --node node-1 --output j"), "json junit\n");
  EXPECT_EQ(Offers("connect-ha checklist --output = j"), "json junit\n") << "--output=j";
  EXPECT_EQ(Offers("connect-ha nodes --output ="), "table json\n") << "--output=";
  EXPECT_EQ(Offers("connect-ha waive clocks"), "clocks-are-synchronised\n");
}

TEST_F(Completion, OffersOperandsThatAreKnown) {
  EXPECT_EQ(Offers("connect-ha proof s"), "storage\n");
  EXPECT_EQ(Offers("connect-ha proof d"), "database\n");
  EXPECT_EQ(Offers("connect-ha proof --wa"), "--watch\n");
  EXPECT_EQ(Offers("connect-ha proof --output json d"), "database\n");
  EXPECT_EQ(Offers("connect-ha proof storage d"), "\n");
  EXPECT_EQ(Offers("connect-ha proof storage --wa"), "--watch\n");
  EXPECT_EQ(Offers("connect-ha waive encr"), "encryption-key-matches\n");
  EXPECT_EQ(Offers("connect-ha waive --until 2h encr"), "encryption-key-matches\n");
}

TEST_F(Completion, DoesNotTakeAValueForACommand) {
  EXPECT_EQ(Offers("connect-ha --identity token ch"), "check-config checklist\n");
  EXPECT_EQ(Offers("connect-ha --identity = token ch"), "check-config checklist\n");
}

TEST(ManPage, RoffHasNothingToComplainOf) {
  char pattern[] = "/tmp/connect-ha-man.XXXXXX";
  const std::string folder = mkdtemp(pattern);
  World world;
  EXPECT_EQ(world.Run({"man"}), kHolds);
  std::ofstream(folder + "/connect-ha.1") << world.out;
  EXPECT_EQ(Shell("man --warnings=w -l -Tutf8 " + folder + "/connect-ha.1 > /dev/null"), "");
  const std::string page = Shell("MANWIDTH=100 man -l " + folder + "/connect-ha.1 | col -b");
  for (const char* part : {"connect-ha token create", "--output FORMAT", "EXIT STATUS"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace connect_ha
