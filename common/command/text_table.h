// Text for a terminal: tables, colours, and nothing in it that a terminal would obey.
#pragma once

#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "common/text/printable.h"

namespace connect_ha {

enum class Style { kPlain, kGood, kBad, kDoubtful, kFaint, kStrong };

// `text` in the style's colour; unchanged when the terminal has none.
std::string Paint(const Terminal& terminal, Style style, const std::string& text);

struct Cell {
  std::string text;
  Style style = Style::kPlain;
};
using TableRow = std::vector<Cell>;

// Left-aligned columns below their headings (empty: none), two spaces apart. Where the rows are
// wider than the terminal the widest columns are wrapped, words longer than a column broken, so
// that no line is wider than the terminal.
void PrintTable(Terminal& terminal, const std::vector<std::string>& headings,
                const std::vector<TableRow>& rows);

// The same in parts, for a table with other lines between its rows.
std::vector<int> ColumnWidths(const Terminal& terminal, const std::vector<TableRow>& rows);
void PrintRow(Terminal& terminal, const TableRow& row, const std::vector<int>& widths);

// A label, and from `indent` on phrases that are three spaces apart, on as many lines as they take.
void PrintPhrases(Terminal& terminal, const Cell& label, const std::vector<Cell>& phrases,
                  int indent);
// What they take in one line, without the label.
int PhraseColumns(const std::vector<Cell>& phrases);

// "1 node", "2 nodes".
std::string Count(size_t number, const std::string& singular);

}  // namespace connect_ha
