// What every program has: the rows of StandardCommands, its terminal, its errors.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "common/command/command_line.h"
#include "common/text/short_text.h"

namespace connect_ha {
namespace {

std::string Version(const Program& program) {
  return absl::StrCat(program.name, " ", CONNECT_HA_VERSION, "\n");
}

bool WantsColor() {
  const char* no_color = std::getenv("NO_COLOR");  // https://no-color.org
  const char* term = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') && term != nullptr &&
         std::string_view(term) != "dumb";
}

int TerminalWidth() {
  constexpr int kNarrowest = 40;
  constexpr int kWidest = 100;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidest;
  return std::clamp(static_cast<int>(size.ws_col), kNarrowest, kWidest);
}

}  // namespace

// %NAME% in the examples is the program's.
std::vector<Command> StandardCommands() {
  Command completion = {"completion", "", "Print the bash completion script",
                        "Prints the bash completion script of commands, options and their "
                        "values. The packages install it; elsewhere, load it from ~/.bashrc."};
  completion.examples = {"source <(%NAME% completion)",
                         "echo 'source <(%NAME% completion)' >> ~/.bashrc"};
  completion.print = BashCompletion;
  Command version = {"version", "", "Print the version", "Prints the version of this program."};
  version.examples = {"%NAME% version"};
  version.print = Version;
  Command man = {"man", "", "Print the manual page", "Prints the manual page in roff."};
  man.hidden = true;
  man.print = ManPage;
  Command commands = {"commands", "", "List the commands in Markdown", "Prints a Markdown table."};
  commands.hidden = true;
  commands.print = CommandsMarkdown;
  return {completion, version, man, commands};
}

Terminal StandardTerminal() {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  return Terminal{std::cout, std::cerr, terminal && WantsColor(), TerminalWidth(), terminal};
}

namespace {

// One labelled paragraph, its further lines below the text.
std::string Labelled(const std::string& label, const std::string& text, int width) {
  const std::string wrapped = Wrap(text, width, static_cast<int>(label.size()));
  return label + wrapped.substr(std::min(label.size(), wrapped.size()));
}

}  // namespace

void PrintError(Terminal& terminal, const absl::Status& status) {
  constexpr std::string_view kFix = "fix: ";
  // It may be another program's words, or another machine's.
  const std::string_view said(status.message().data(), status.message().size());
  const std::string message = ShortLines(said, said.size());
  const size_t fix = message.rfind(kFix);
  if (fix == std::string::npos) {
    terminal.error << Labelled("error: ", message, terminal.width);
    return;
  }
  const size_t end = message.find_last_not_of("; \n", fix == 0 ? 0 : fix - 1);
  const std::string what = message.substr(0, end == std::string::npos ? 0 : end + 1);
  terminal.error << Labelled("error: ", what, terminal.width)
                 << Labelled("fix:   ", message.substr(fix + kFix.size()), terminal.width);
}

}  // namespace connect_ha
