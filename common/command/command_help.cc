// Help for people: the program's and each command's.
#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/command/command_line.h"

namespace connect_ha {
namespace {

using Row = std::pair<std::string, std::string>;

// Names in a column, texts wrapped beside them.
std::string TwoColumns(const std::vector<Row>& rows, int width) {
  constexpr int kIndent = 2;
  constexpr int kGap = 2;
  constexpr int kWidestName = 28;
  int name_width = 0;
  for (const Row& row : rows) {
    const int columns = Columns(row.first);
    if (columns <= kWidestName) name_width = std::max(name_width, columns);
  }
  const int text_at = kIndent + name_width + kGap;
  std::string out;
  for (const Row& row : rows) {
    const std::string text = Wrap(row.second, width, text_at);
    std::string line = absl::StrCat(std::string(kIndent, ' '), row.first);
    if (Columns(line) + kGap > text_at) {
      absl::StrAppend(&out, line, "\n", text);
      continue;
    }
    absl::StrAppend(&out, line, text.substr(std::min<size_t>(Columns(line), text.size())));
  }
  return out;
}

std::string OptionName(const Option& option) {
  if (option.value == nullptr) return option.name;
  return absl::StrCat(option.name, " ", option.value);
}

// Few choices are shown; many (every rule's id) have a command that lists them.
std::string OptionText(const Option& option) {
  constexpr size_t kShort = 60;
  if (option.choices.empty() || option.choices.size() > kShort) return option.help;
  return absl::StrCat(option.help, ": ", absl::StrReplaceAll(option.choices, {{"|", ", "}}));
}

std::string Sections(const Program& program, int width) {
  std::string out;
  for (const Section& section : program.sections) {
    std::vector<Row> rows(section.entries.begin(), section.entries.end());
    absl::StrAppend(&out, "\n", section.title, ":\n", TwoColumns(rows, width));
  }
  return out;
}

// Those whose names begin so.
std::vector<Row> CommandRows(const Program& program, const std::string& beginning) {
  std::vector<Row> rows;
  for (const Command& command : program.commands) {
    if (command.hidden || !absl::StartsWith(command.name, beginning)) continue;
    std::string name = command.name;
    if (*command.operands != '\0') absl::StrAppend(&name, " ", command.operands);
    rows.emplace_back(name, command.summary);
  }
  return rows;
}

void AppendWrapped(absl::string_view line, size_t width, const std::string& margin,
                   std::string& out) {
  std::string current;
  for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    const bool full =
        Columns(current) + 1 + Columns({word.data(), word.size()}) > static_cast<int>(width);
    if (!current.empty() && full) {
      absl::StrAppend(&out, margin, current, "\n");
      current.clear();
    }
    absl::StrAppend(&current, current.empty() ? "" : " ", word);
  }
  if (!current.empty()) absl::StrAppend(&out, margin, current, "\n");
}

}  // namespace

int Columns(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // not a continuation byte
  }));
}

std::string Wrap(std::string_view text, int width, int indent) {
  const std::string margin(static_cast<size_t>(std::max(indent, 0)), ' ');
  const size_t room = static_cast<size_t>(std::max(width - indent, 10));
  std::string out;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    if (line.empty()) {
      absl::StrAppend(&out, "\n");
    } else if (absl::StartsWith(line, "  ")) {
      absl::StrAppend(&out, margin, line, "\n");
    } else {
      AppendWrapped(line, room, margin, out);
    }
  }
  return out;
}

std::string Synopsis(const Command& command) {
  std::string synopsis = command.name;
  for (const Option& option : command.options) {
    absl::StrAppend(&synopsis, " [", OptionName(option), "]");
  }
  if (*command.operands != '\0') absl::StrAppend(&synopsis, " ", command.operands);
  return synopsis;
}

std::string GroupHelp(const Program& program, const std::string& word, int width) {
  return absl::StrCat(
      "Usage: ", program.name, " ", word, " COMMAND [OPTIONS]\n\nCommands:\n",
      TwoColumns(CommandRows(program, word + " "), width), "\n",
      Wrap(absl::StrCat("Each has its own help: ", program.name, " ", word, " COMMAND --help"),
           width));
}

std::string ProgramHelp(const Program& program, int width) {
  const std::vector<Row> rows = CommandRows(program, "");
  return absl::StrCat(
      Wrap(program.description, width), "\nUsage: ", program.name,
      " COMMAND [OPTIONS]\n\nCommands:\n", TwoColumns(rows, width), Sections(program, width), "\n",
      Wrap(absl::StrCat("Each command has its own help: ", program.name, " COMMAND --help"),
           width));
}

std::string CommandsMarkdown(const Program& program) {
  std::string out = "| command | what it does |\n|---|---|\n";
  for (const Command& command : program.commands) {
    if (command.hidden) continue;
    const std::string operands =
        *command.operands == '\0' ? "" : absl::StrCat(" ", command.operands);
    absl::StrAppend(&out, "| `", program.name, " ", command.name, operands, "` | ", command.summary,
                    " |\n");
  }
  return out;
}

std::string CommandHelp(const Program& program, const Command& command, int width) {
  constexpr char kTied[] = "\x1f";  // stands for a blank that no line is broken at
  std::string usage = absl::StrReplaceAll(Synopsis(command), {{" [", "\n["}, {" ", kTied}});
  usage = absl::StrReplaceAll(usage, {{"\n", " "}});
  usage = Wrap(absl::StrCat(program.name, " ", usage), width, 7);
  usage = absl::StrReplaceAll(usage.replace(0, 7, "Usage: "), {{kTied, " "}});
  std::string out = absl::StrCat(usage, "\n", Wrap(command.description, width), "\nOptions:\n");
  std::vector<Row> rows;
  for (const Option& option : command.options) {
    rows.emplace_back(OptionName(option), OptionText(option));
  }
  rows.emplace_back("--help", "Show this");
  absl::StrAppend(&out, TwoColumns(rows, width));
  if (!command.examples.empty()) absl::StrAppend(&out, "\nExamples:\n");
  for (const char* example : command.examples) {
    absl::StrAppend(&out, "  ", absl::StrReplaceAll(example, {{"%NAME%", program.name}}), "\n");
  }
  return out;
}

}  // namespace connect_ha
