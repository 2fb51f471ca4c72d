#include "common/command/command_line.h"

#include <sstream>

#include "common/nearest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace connect_ha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int Nothing(const Arguments&, Terminal&) { return kHolds; }

const Program& Zoo() {
  static const Program program = [] {
    Program zoo = {"zoo", 1, "keep animals", "Keeps animals."};
    zoo.commands = {
        {"feed",
         "ANIMAL [FOOD]",
         "Feed one",
         "Feeds it.",
         {{"--much", nullptr, "More"}, {"--size", "SIZE", "How much", "small|large"}},
         {"zoo feed lion"},
         Nothing},
        {"cage open", "", "Open", "Opens.", {{"--name", "NAME", "Which"}}, {}, Nothing},
        {"cage close", "[NAME...]", "Close", "Closes.", {}, {}, Nothing},
        {"secret", "", "Hidden", "Hidden.", {}, {}, Nothing, true},
    };
    return zoo;
  }();
  return program;
}

CommandLine Parsed(const std::vector<std::string>& words) {
  const auto line = ParseCommandLine(Zoo(), words);
  EXPECT_TRUE(line.ok()) << line.status();
  return line.ok() ? *line : CommandLine();
}

std::string Refused(const std::vector<std::string>& words) {
  const auto line = ParseCommandLine(Zoo(), words);
  return line.ok() ? "accepted" : std::string(line.status().message());
}

TEST(ParseCommandLine, TakesOptionsAnywhere) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"feed", "--size", "large", "--much", "lion"},
                                             {"feed", "lion", "--much", "--size=large"},
                                             {"--size", "large", "--much", "feed", "lion"}}) {
    const CommandLine line = Parsed(words);
    EXPECT_STREQ(line.command->name, "feed");
    EXPECT_EQ(line.arguments.Get("--size"), "large");
    EXPECT_TRUE(line.arguments.Has("--much"));
    EXPECT_THAT(line.arguments.positional, ElementsAre("lion"));
  }
}

TEST(ParseCommandLine, TakesCommandsOfTwoWords) {
  const CommandLine line = Parsed({"cage", "--name", "close", "open"});
  EXPECT_STREQ(line.command->name, "cage open");
  EXPECT_EQ(line.arguments.Get("--name"), "close");
}

TEST(ParseCommandLine, TakesEverythingAfterTwoDashesAsOperands) {
  EXPECT_THAT(Parsed({"cage", "close", "--", "--name", "--"}).arguments.positional,
              ElementsAre("--name", "--"));
}

TEST(ParseCommandLine, AValueMayBeginWithADashOrBeEmpty) {
  EXPECT_EQ(Parsed({"cage", "open", "--name", "-5"}).arguments.Get("--name"), "-5");
  EXPECT_EQ(Parsed({"cage", "open", "--name="}).arguments.Get("--name"), "");
  EXPECT_EQ(Parsed({"cage", "open", "--name=a=b"}).arguments.Get("--name"), "a=b");
}

TEST(ParseCommandLine, RefusesAndSaysWhatToType) {
  EXPECT_EQ(Refused({}), "no command given; fix: zoo --help");
  EXPECT_EQ(Refused({"fed"}), "no command \"fed\"; did you mean \"feed\"?; fix: zoo feed");
  EXPECT_EQ(Refused({"xyzzy"}), "no command \"xyzzy\"; fix: zoo --help");
  EXPECT_EQ(Refused({"cage"}),
            "\"cage\" needs one more word: open, close; fix: zoo cage open --help");
  EXPECT_EQ(Refused({"cage", "opne"}),
            "no command \"cage opne\"; did you mean \"cage open\"?; fix: zoo cage open");
  EXPECT_EQ(Refused({"feed"}), "\"feed\" needs ANIMAL [FOOD]; fix: zoo feed ANIMAL [FOOD]");
  EXPECT_EQ(Refused({"feed", "a", "b", "c"}),
            "\"feed\" does not take \"c\"; fix: zoo feed ANIMAL [FOOD]");
  EXPECT_EQ(Refused({"feed", "a", "--mch"}),
            "\"feed\" has no option \"--mch\"; did you mean \"--much\"?; fix: zoo feed --help");
  EXPECT_EQ(Refused({"feed", "a", "--size", "largo"}),
            "\"largo\" is not a valid size; did you mean \"large\"?; fix: zoo feed --size large");
  EXPECT_EQ(Refused({"feed", "a", "--size"}), "--size needs a value: SIZE; fix: zoo feed --help");
  EXPECT_EQ(Refused({"feed", "a", "--much=1"}), "--much takes no value; fix: zoo feed --help");
  EXPECT_EQ(Refused({"feed", "a", "--much", "--much"}),
            "--much is given twice; fix: zoo feed --help");
}

TEST(ParseCommandLine, OfManyChoicesNamesTheCommandThatListsThem) {
  Program zoo = Zoo();
  zoo.commands[0].options.push_back({"--animal", "ANIMAL", "Which", "a1|b2|c3|d4|e5|f6|g7"});
  const std::vector<std::string> words = {"feed", "it", "--animal", "zebra"};
  EXPECT_EQ(ParseCommandLine(zoo, words).status().message(),
            "\"zebra\" is not a valid animal; fix: zoo feed --help");
  zoo.commands.push_back({"animals", "", "List", "Lists.", {}, {}, Nothing});
  EXPECT_EQ(ParseCommandLine(zoo, words).status().message(),
            "\"zebra\" is not a valid animal; fix: to see them all: zoo animals");
}

TEST(Help, NamesTheProgramInTheExamplesOfEveryOne) {
  Program zoo = {"zoo", 1, "keep animals", "Keeps animals.", StandardCommands(), {}, ""};
  for (const Command& command : zoo.commands) {
    if (command.hidden) continue;
    EXPECT_THAT(CommandHelp(zoo, command, 80), HasSubstr(std::string("zoo ") + command.name));
  }
  EXPECT_THAT(ManPage(zoo), HasSubstr("source <(zoo completion)"));
}

TEST(ParseCommandLine, HelpWinsOverWhatIsWrong) {
  EXPECT_TRUE(Parsed({"--help"}).help);
  EXPECT_TRUE(Parsed({"cage", "--help"}).help);
  EXPECT_STREQ(Parsed({"help", "cage", "open"}).command->name, "cage open");
  EXPECT_STREQ(Parsed({"feed", "-h", "--nonsense"}).command->name, "feed");
}

TEST(Help, OfAWordListsWhatMayFollowIt) {
  EXPECT_EQ(Parsed({"cage", "--help"}).group, "cage");
  const std::string help = GroupHelp(Zoo(), "cage", 80);
  EXPECT_NE(help.find("cage open"), std::string::npos) << help;
  EXPECT_EQ(help.find("feed"), std::string::npos) << help;
}

TEST(Help, HidesWhatIsHidden) {
  EXPECT_EQ(ProgramHelp(Zoo(), 80).find("secret"), std::string::npos);
  EXPECT_EQ(BashCompletion(Zoo()).find("secret"), std::string::npos);
  EXPECT_EQ(ManPage(Zoo()).find("secret"), std::string::npos);
}

TEST(Wrap, KeepsParagraphsAndIndentedLines) {
  EXPECT_EQ(Wrap("one two three\n\n  kept as it is\nfour", 10, 2),
            "  one two\n  three\n\n    kept as it is\n  four\n");
}

TEST(Wrap, CountsCharactersNotBytes) { EXPECT_EQ(Wrap("ää öö üü ää", 11), "ää öö üü ää\n"); }

TEST(PrintError, PutsTheFixOnALineOfItsOwn) {
  std::ostringstream out;
  std::ostringstream error;
  Terminal terminal{out, error};
  PrintError(terminal, absl::NotFoundError("no such lion; fix: zoo feed tiger"));
  PrintError(terminal, absl::NotFoundError("no fix"));
  EXPECT_EQ(error.str(), "error: no such lion\nfix:   zoo feed tiger\nerror: no fix\n");
  EXPECT_EQ(out.str(), "");
}

TEST(PrintError, HasNothingForTheTerminalToObey) {
  std::ostringstream out;
  std::ostringstream error;
  Terminal terminal{out, error};
  PrintError(terminal, absl::UnknownError("ha\x1b[2J\xc2\x9bm \xff, ü\ntwo; fix: zoo\r"));
  EXPECT_EQ(error.str(), "error: ha?[2J?m ?, ü\n       two\nfix:   zoo?\n");
}

TEST(Nearest, TakesSlipsAndBeginnings) {
  const std::vector<std::string> names = {"checklist", "check-config", "events", "nodes"};
  EXPECT_EQ(Nearest("chekclist", names), "checklist");
  EXPECT_EQ(Nearest("nodse", names), "nodes");
  EXPECT_EQ(Nearest("eve", names), "events");
  EXPECT_EQ(Nearest("zebra", names), "");
  EXPECT_EQ(Nearest(std::string(1000, 'x'), names), "");
}

}  // namespace
}  // namespace connect_ha
