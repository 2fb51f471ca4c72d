#include "coordinator/cli/text/live_lines.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

// Off a terminal, what lasts is spoken of this often.
constexpr std::chrono::seconds kSpokenOf{30};

// At most `columns`, cut at a character.
std::string Cut(const std::string& text, int columns) {
  if (Columns(text) <= columns) return text;
  std::string cut;
  int taken = 0;
  for (const char c : text) {
    const bool begins = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (begins && ++taken >= columns) break;
    cut += c;
  }
  return cut + "~";
}

int NameColumns(const std::vector<LiveLine>& lines) {
  int columns = 0;
  for (const LiveLine& line : lines) columns = std::max(columns, Columns(Printable(line.name)));
  return columns;
}

}  // namespace

void LiveLines::Show(const std::vector<LiveLine>& lines, Time now) {
  if (terminal_.interactive) {
    Redraw(lines, now);
  } else {
    WriteChanges(lines, now);
  }
}

void LiveLines::ShowError(const absl::Status& status) {
  if (std::exchange(away_, true)) return;
  PrintError(terminal_, status);
  drawn_ = 0;
}

void LiveLines::Answered() {
  if (std::exchange(away_, false)) terminal_.error << "the coordinator answers again\n";
}

void LiveLines::Redraw(const std::vector<LiveLine>& lines, Time now) {
  if (drawn_ > 0) terminal_.out << "\x1b[" << drawn_ << "A\x1b[J";
  const int names = NameColumns(lines);
  for (const LiveLine& line : lines) {
    const std::string name = Printable(line.name);
    const std::string text = Cut(Printable(line.cell.text), terminal_.width - names - 3);
    terminal_.out << name << std::string(static_cast<size_t>(names + 2 - Columns(name)), ' ')
                  << Paint(terminal_, line.cell.style, text) << "\n";
  }
  terminal_.out << FormatSpan(now - begun_) << "\n" << std::flush;
  drawn_ = lines.size() + 1;
}

void LiveLines::WriteChanges(const std::vector<LiveLine>& lines, Time now) {
  for (const LiveLine& line : lines) {
    Shown& shown = shown_[line.name];
    const bool changed = shown.key != line.key;
    if (!changed && !(line.lasts && now - shown.at >= kSpokenOf)) continue;
    shown = {line.key, now};
    terminal_.out << Wrap(absl::StrCat("[", FormatSpan(now - begun_), "] ", Printable(line.name),
                                       ": ", Printable(changed ? line.key : line.cell.text)),
                          terminal_.width);
  }
  terminal_.out << std::flush;
}

}  // namespace connect_ha
