#include "common/command/text_table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

using Lines = std::vector<std::string>;

constexpr int kGap = 2;
constexpr int kPhraseGap = 3;

// Where the first `columns` characters of `text` end.
size_t ByteAt(const std::string& text, int columns) {
  size_t at = 0;
  for (int seen = 0; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (starts && seen++ == columns) break;
  }
  return at;
}

Lines CellLines(const std::string& text, int width) {
  Lines lines;
  const std::string wrapped = Wrap(Printable(text), width);
  for (const absl::string_view part : absl::StrSplit(wrapped, '\n', absl::SkipEmpty())) {
    std::string line(part);
    while (Columns(line) > width) {
      const size_t end = ByteAt(line, width);
      lines.push_back(line.substr(0, end));
      line.erase(0, end);
    }
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

std::string Paint(const Terminal& terminal, Style style, const std::string& text) {
  if (!terminal.color || style == Style::kPlain) return text;
  const char* code = "";
  switch (style) {
    case Style::kGood:
      code = "32";
      break;
    case Style::kBad:
      code = "1;31";
      break;
    case Style::kDoubtful:
      code = "33";
      break;
    case Style::kFaint:
      code = "2";
      break;
    default:
      code = "1";
      break;
  }
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

std::vector<int> ColumnWidths(const Terminal& terminal, const std::vector<TableRow>& rows) {
  constexpr int kNarrowest = 4;
  std::vector<int> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], Columns(Printable(row[i].text)));
    }
  }
  int total = 0;
  for (const int width : widths) total += width + kGap;
  for (total -= kGap; total > terminal.width; --total) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
  }
  return widths;
}

void PrintRow(Terminal& terminal, const TableRow& row, const std::vector<int>& widths) {
  std::vector<Lines> cells;
  size_t height = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    cells.push_back(CellLines(row[i].text, widths[i]));
    height = std::max(height, cells.back().size());
  }
  for (size_t line = 0; line < height; ++line) {
    std::string out;
    int blanks = 0;  // owed: no line ends in spaces
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string text = line < cells[i].size() ? cells[i][line] : "";
      if (!text.empty()) {
        absl::StrAppend(&out, std::string(static_cast<size_t>(blanks), ' '),
                        Paint(terminal, row[i].style, text));
        blanks = 0;
      }
      blanks += widths[i] - Columns(text) + kGap;
    }
    terminal.out << out << "\n";
  }
}

void PrintTable(Terminal& terminal, const std::vector<std::string>& headings,
                const std::vector<TableRow>& rows) {
  std::vector<TableRow> all;
  if (!headings.empty()) {
    TableRow heading;
    for (const std::string& text : headings) heading.push_back({text, Style::kFaint});
    all.push_back(heading);
  }
  all.insert(all.end(), rows.begin(), rows.end());
  const std::vector<int> widths = ColumnWidths(terminal, all);
  for (const auto& row : all) PrintRow(terminal, row, widths);
}

int PhraseColumns(const std::vector<Cell>& phrases) {
  int columns = 0;
  for (const Cell& phrase : phrases) columns += Columns(Printable(phrase.text)) + kPhraseGap;
  return columns - (phrases.empty() ? 0 : kPhraseGap);
}

void PrintPhrases(Terminal& terminal, const Cell& label, const std::vector<Cell>& phrases,
                  int indent) {
  const std::string name = Printable(label.text);
  terminal.out << Paint(terminal, label.style, name);
  int at = Columns(name);
  int owed = std::max(indent - at, 1);  // blanks before the next phrase: no line ends in them
  bool first_of_line = true;
  for (const Cell& phrase : phrases) {
    const int columns = Columns(Printable(phrase.text));
    std::string text = Printable(phrase.text);
    absl::StripTrailingAsciiWhitespace(&text);
    const int own = Columns(text);
    if (!first_of_line && at + owed + own > terminal.width) {
      terminal.out << "\n";
      at = 0;
      owed = indent;
    }
    if (at + owed + own > terminal.width) {
      const std::string wrapped = Wrap(text, terminal.width, at + owed);
      text = wrapped.substr(static_cast<size_t>(at) + static_cast<size_t>(owed));
      absl::StripTrailingAsciiWhitespace(&text);
    }
    terminal.out << std::string(static_cast<size_t>(owed), ' ')
                 << Paint(terminal, phrase.style, text);
    at += owed + own;
    owed = columns - own + kPhraseGap;
    first_of_line = false;
  }
  terminal.out << "\n";
}

std::string Count(size_t number, const std::string& singular) {
  return absl::StrCat(number, " ", singular, number == 1 ? "" : "s");
}

}  // namespace connect_ha
