// The manual page, in roff with the man macros (groff_man(7)).
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/command/command_line.h"

namespace connect_ha {
namespace {

// Text for one line: no character of it is an instruction to roff.
std::string Escape(absl::string_view text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"\"", "\\(dq"}});
  if (absl::StartsWith(escaped, ".") || absl::StartsWith(escaped, "'")) {
    escaped = "\\&" + escaped;
  }
  return escaped;
}

// Paragraphs apart, indented lines as examples.
std::string Paragraphs(absl::string_view text) {
  std::string out;
  bool example = false;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const bool indented = absl::StartsWith(line, "  ");
    if (indented != example) absl::StrAppend(&out, indented ? ".PP\n.EX\n" : ".EE\n");
    example = indented;
    if (line.empty()) {
      absl::StrAppend(&out, ".PP\n");
    } else {
      absl::StrAppend(&out, indented ? line.substr(0, line.find_first_not_of(' ')) : "",
                      Escape(absl::StripAsciiWhitespace(line)), "\n");
    }
  }
  if (example) absl::StrAppend(&out, ".EE\n");
  return out;
}

std::string OptionEntry(const Option& option) {
  std::string out = absl::StrCat(".TP\n\\fB", Escape(option.name), "\\fR");
  if (option.value != nullptr) absl::StrAppend(&out, " \\fI", Escape(option.value), "\\fR");
  absl::StrAppend(&out, "\n", Escape(option.help), "\n");
  if (!option.choices.empty()) {
    absl::StrAppend(&out, "(", Escape(absl::StrReplaceAll(option.choices, {{"|", ", "}})), ")\n");
  }
  return out;
}

std::string CommandPart(const Program& program, const Command& command) {
  std::string out =
      absl::StrCat(".SS ", program.name, " ", Escape(command.name), " ", Escape(command.operands),
                   "\n", Escape(command.summary), ".\n.PP\n", Paragraphs(command.description));
  for (const Option& option : command.options) absl::StrAppend(&out, OptionEntry(option));
  if (command.examples.empty()) return out;
  absl::StrAppend(&out, ".PP\nExamples:\n.PP\n.EX\n");
  for (const char* example : command.examples) {
    absl::StrAppend(&out, "    ", Escape(absl::StrReplaceAll(example, {{"%NAME%", program.name}})),
                    "\n");
  }
  return out + ".EE\n";
}

}  // namespace

std::string ManPage(const Program& program) {
  std::string out =
      absl::StrCat(".TH ", absl::AsciiStrToUpper(program.name), " ", program.manual_section,
                   " \"\" \"connect-ha ", CONNECT_HA_VERSION, "\"\n.SH NAME\n",
                   Escape(program.name), " \\- ", Escape(program.summary), "\n.SH SYNOPSIS\n\\fB",
                   Escape(program.name), "\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n",
                   ".SH DESCRIPTION\n", Paragraphs(program.description), ".SH COMMANDS\n");
  for (const Command& command : program.commands) {
    if (!command.hidden) absl::StrAppend(&out, CommandPart(program, command));
  }
  for (const Section& section : program.sections) {
    absl::StrAppend(&out, ".SH ", absl::AsciiStrToUpper(section.title), "\n");
    for (const auto& [term, text] : section.entries) {
      absl::StrAppend(&out, ".TP\n\\fB", Escape(term), "\\fR\n", Escape(text), "\n");
    }
  }
  absl::StrAppend(&out, ".SH SEE ALSO\n", Escape(program.see_also), "\n");
  return out;
}

}  // namespace connect_ha
