// A program as a table of commands. Parsing, help, bash completion and the manual page are all
// made from the table: a subcommand is one file and one row.
#pragma once

#include <functional>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// 0 holds, 1 something fails, 2 usage or configuration, 3 something is unknown or unreachable.
enum ExitCode { kHolds = 0, kFails = 1, kUsage = 2, kUnknown = 3 };

struct Option {
  const char* name;          // "--output"
  const char* value;         // "FORMAT"; nullptr for a switch. FILE and DIR complete as paths.
  const char* help;          // one line
  std::string choices = {};  // "json|table|junit": checked, and completed; "" for any value
};

struct Arguments {
  std::map<std::string, std::string> options;  // "--output" -> "json"; a switch -> ""
  std::vector<std::string> positional;
  bool Has(const std::string& name) const { return options.count(name) > 0; }
  std::string Get(const std::string& name, const std::string& otherwise = "") const {
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second;
  }
};

struct Terminal {
  std::ostream& out;
  std::ostream& error;
  bool color = false;        // only when `out` is a terminal and $NO_COLOR is empty
  int width = 100;           // columns
  bool interactive = false;  // `out` is a terminal
};

struct Program;

struct Command {
  const char* name;         // "token create"
  const char* operands;     // "NODE NODE", "[FILE]", "[NAME...]"; "" for none: counted
  const char* summary;      // one line
  const char* description;  // paragraphs between empty lines; indented lines are kept as they are
  std::vector<Option> options;
  std::vector<const char*> examples;  // "connect-ha nodes"
  std::function<int(const Arguments& arguments, Terminal& terminal)> run;
  // Not in the help, the completion or the manual page.
  bool hidden = false;
  // Instead of `run`: prints what is made from the whole table.
  std::string (*print)(const Program& program) = nullptr;
  // "storage|database": what its first operand may be; completed, and checked by the command
  // itself.
  std::string operand_choices = {};
};

// A section at the end of the help and of the manual page.
struct Section {
  const char* title;                                         // "Exit status"
  std::vector<std::pair<const char*, const char*>> entries;  // "0", "everything holds"
};

struct Program {
  const char* name;         // "connect-ha"
  int manual_section;       // 1 or 8
  const char* summary;      // one line
  const char* description;  // as a command's
  std::vector<Command> commands;
  std::vector<Section> sections;
  const char* see_also;  // "connect-ha(1), systemd(1)"
};

// Runs what the words after the program's name ask for and returns the exit code. Knows
// --help, -h, help COMMAND and --version for every program.
int RunProgram(const Program& program, const std::vector<std::string>& words, Terminal& terminal);

// Rows that every program has: completion, version; hidden: man, commands (as Markdown).
std::vector<Command> StandardCommands();

// Standard output and error: width from the terminal (between 40 and 100 columns; 100 when it
// is none), color when it is a terminal, $NO_COLOR is empty and $TERM is not dumb.
Terminal StandardTerminal();

// "error: ..." and, where the message has "fix: " in it, "fix:   ..." on a line of its own.
// With nothing in it that a terminal would obey, whoever said it.
void PrintError(Terminal& terminal, const absl::Status& status);

// The parts, for tests.
struct CommandLine {
  const Command* command = nullptr;  // null: only `help` or `version` was asked
  Arguments arguments;
  bool help = false;
  std::string group;  // of `token --help`: what may follow this word
  bool version = false;
};
// InvalidArgument names what is wrong, the nearest valid name, and what to type.
absl::StatusOr<CommandLine> ParseCommandLine(const Program& program,
                                             const std::vector<std::string>& words);
std::string ProgramHelp(const Program& program, int width);
// The commands that begin with this word.
std::string GroupHelp(const Program& program, const std::string& word, int width);
std::string CommandHelp(const Program& program, const Command& command, int width);
// A Markdown table of the commands.
std::string CommandsMarkdown(const Program& program);
std::string BashCompletion(const Program& program);
std::string ManPage(const Program& program);
// "token create [--node NAME] NODE", without the program's name.
std::string Synopsis(const Command& command);

// `text` in lines of at most `width` columns, each begun with `indent` spaces; paragraphs and
// indented lines are kept. A word longer than a line stays whole. UTF-8 counts as columns.
std::string Wrap(std::string_view text, int width, int indent = 0);
// Columns that UTF-8 text takes, every character taken as one column.
int Columns(std::string_view text);

}  // namespace connect_ha
