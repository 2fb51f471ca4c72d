#include "common/command/command_line.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/nearest.h"

namespace connect_ha {
namespace {

using Words = std::vector<std::string>;

absl::Status Usage(const std::string& what, const std::string& fix) {
  return absl::InvalidArgumentError(absl::StrCat(what, "; fix: ", fix));
}

bool IsOption(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

const Option* FindOption(const Command& command, std::string_view name) {
  for (const Option& option : command.options) {
    if (name == option.name) return &option;
  }
  return nullptr;
}

const Command* FindCommand(const Program& program, std::string_view name) {
  for (const Command& command : program.commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

// Options may stand before the command: whether the next word is then a value can only be told
// from all commands together.
bool TakesValueSomewhere(const Program& program, const std::string& name) {
  return std::any_of(program.commands.begin(), program.commands.end(), [&](const Command& row) {
    const Option* option = FindOption(row, name);
    return option != nullptr && option->value != nullptr;
  });
}

Words SecondWords(const Program& program, const std::string& first) {
  Words second;
  for (const Command& command : program.commands) {
    const std::string name = command.name;
    if (absl::StartsWith(name, first + " ")) second.push_back(name.substr(first.size() + 1));
  }
  return second;
}

// Takes the words of the command's name out of `words` and returns them; up to two.
Words TakeName(const Program& program, Words& words) {
  Words name;
  for (size_t i = 0; i < words.size() && name.size() < 2;) {
    if (words[i] == "--") break;
    if (IsOption(words[i])) {
      const bool has_value = TakesValueSomewhere(program, words[i]);
      i += has_value ? 2 : 1;
      continue;
    }
    if (name.size() == 1 && SecondWords(program, name[0]).empty()) break;
    name.push_back(words[i]);
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return name;
}

absl::Status UnknownCommand(const Program& program, const Words& name) {
  const Words second = SecondWords(program, name[0]);
  if (!second.empty() && name.size() == 1) {
    return Usage(
        absl::StrCat("\"", name[0], "\" needs one more word: ", absl::StrJoin(second, ", ")),
        absl::StrCat(program.name, " ", name[0], " ", second[0], " --help"));
  }
  Words names;
  for (const Command& command : program.commands) {
    if (!command.hidden) names.push_back(command.name);
  }
  const std::string word = absl::StrJoin(name, " ");
  const std::string nearest = Nearest(word, names);
  if (nearest.empty()) {
    return Usage(absl::StrCat("no command \"", word, "\""), absl::StrCat(program.name, " --help"));
  }
  return Usage(absl::StrCat("no command \"", word, "\"; did you mean \"", nearest, "\"?"),
               absl::StrCat(program.name, " ", nearest));
}

absl::Status UnknownOption(const Program& program, const Command& command,
                           const std::string& name) {
  Words names = {"--help"};
  for (const Option& option : command.options) names.push_back(option.name);
  const std::string nearest = Nearest(name, names);
  const std::string hint = nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?");
  return Usage(absl::StrCat("\"", command.name, "\" has no option \"", name, "\"", hint),
               absl::StrCat(program.name, " ", command.name, " --help"));
}

absl::Status CheckChoice(const Program& program, const Command& command, const Option& option,
                         const std::string& value) {
  if (option.choices.empty()) return absl::OkStatus();
  const Words choices = absl::StrSplit(option.choices, '|');
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) return absl::OkStatus();
  const std::string what =
      absl::StrCat("\"", value, "\" is not a valid ", absl::AsciiStrToLower(option.value));
  const std::string nearest = Nearest(value, choices);
  if (!nearest.empty()) {
    return Usage(absl::StrCat(what, "; did you mean \"", nearest, "\"?"),
                 absl::StrCat(program.name, " ", command.name, " ", option.name, " ", nearest));
  }
  constexpr size_t kFew = 6;
  if (choices.size() <= kFew) {
    return Usage(what, absl::StrCat("one of: ", absl::StrJoin(choices, ", ")));
  }
  // Many have a command that lists them: every RULE, `rules`.
  const std::string lister = absl::AsciiStrToLower(option.value) + "s";
  return Usage(what, FindCommand(program, lister) != nullptr
                         ? absl::StrCat("to see them all: ", program.name, " ", lister)
                         : absl::StrCat(program.name, " ", command.name, " --help"));
}

// Takes the option at words[i], and its value; leaves i at the last word taken.
absl::Status TakeOption(const Program& program, const Words& words, size_t& i, CommandLine& line) {
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(words[i], absl::MaxSplits('=', 1));
  const std::string& name = parts.first;
  const bool joined = words[i].find('=') != std::string::npos;
  const Command& command = *line.command;
  const Option* option = FindOption(command, name);
  const std::string help = absl::StrCat(program.name, " ", command.name, " --help");
  if (option == nullptr) return UnknownOption(program, command, name);
  if (line.arguments.Has(name)) return Usage(absl::StrCat(name, " is given twice"), help);
  if (option->value == nullptr) {
    if (joined) return Usage(absl::StrCat(name, " takes no value"), help);
    line.arguments.options[name] = "";
    return absl::OkStatus();
  }
  std::string value = parts.second;
  if (!joined) {
    if (i + 1 >= words.size() || absl::StartsWith(words[i + 1], "--")) {
      return Usage(absl::StrCat(name, " needs a value: ", option->value), help);
    }
    value = words[++i];
  }
  line.arguments.options[name] = value;
  return CheckChoice(program, command, *option, value);
}

absl::Status CheckOperands(const Program& program, const Command& command,
                           const Words& positional) {
  size_t least = 0;
  size_t most = 0;
  bool unlimited = false;
  for (const absl::string_view word : absl::StrSplit(command.operands, ' ', absl::SkipEmpty())) {
    ++most;
    if (word[0] != '[') ++least;
    if (absl::StrContains(word, "...")) unlimited = true;
  }
  const std::string fix = absl::StrCat(program.name, " ", command.name,
                                       *command.operands == '\0' ? "" : " ", command.operands);
  if (positional.size() < least) {
    return Usage(absl::StrCat("\"", command.name, "\" needs ", command.operands), fix);
  }
  if (positional.size() > most && !unlimited) {
    return Usage(absl::StrCat("\"", command.name, "\" does not take \"", positional[most], "\""),
                 fix);
  }
  return absl::OkStatus();
}

// help [COMMAND], --help, -h and --version without a command.
absl::StatusOr<CommandLine> ParseWithoutCommand(const Program& program, const Words& words) {
  CommandLine line;
  for (const std::string& word : words) {
    if (word == "--help" || word == "-h") line.help = true;
    if (word == "--version") line.version = true;
  }
  if (line.help || line.version) return line;
  const std::string fix = absl::StrCat(program.name, " --help");
  if (words.empty()) return Usage("no command given", fix);
  return Usage(absl::StrCat("no command given before \"", words[0], "\""), fix);
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const Program& program, const Words& given) {
  Words words = given;
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  }
  const Words name = TakeName(program, words);
  if (name.empty()) return ParseWithoutCommand(program, words);
  CommandLine line;
  line.command = FindCommand(program, absl::StrJoin(name, " "));
  if (line.command == nullptr) {
    line.help = name.size() == 1 && !SecondWords(program, name[0]).empty() &&
                std::find(words.begin(), words.end(), "--help") != words.end();
    line.group = name[0];
    if (line.help) return line;
    return UnknownCommand(program, name);
  }
  bool options_end = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (options_end || !IsOption(words[i])) {
      line.arguments.positional.push_back(words[i]);
    } else if (words[i] == "--") {
      options_end = true;
    } else if (words[i] == "--help" || words[i] == "-h") {
      line.help = true;
      return line;
    } else if (const absl::Status taken = TakeOption(program, words, i, line); !taken.ok()) {
      return taken;
    }
  }
  const absl::Status operands = CheckOperands(program, *line.command, line.arguments.positional);
  if (!operands.ok()) return operands;
  return line;
}

int RunProgram(const Program& program, const Words& words, Terminal& terminal) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(program, words);
  if (!line.ok()) {
    PrintError(terminal, line.status());
    return kUsage;
  }
  if (line->version) {
    terminal.out << program.name << " " << CONNECT_HA_VERSION << "\n";
    return kHolds;
  }
  if (line->help) {
    if (line->command != nullptr) {
      terminal.out << CommandHelp(program, *line->command, terminal.width);
    } else if (!line->group.empty()) {
      terminal.out << GroupHelp(program, line->group, terminal.width);
    } else {
      terminal.out << ProgramHelp(program, terminal.width);
    }
    return kHolds;
  }
  if (line->command->print != nullptr) {
    terminal.out << line->command->print(program);
    return kHolds;
  }
  return line->command->run(line->arguments, terminal);
}

}  // namespace connect_ha
