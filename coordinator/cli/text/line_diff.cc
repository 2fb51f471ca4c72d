#include "coordinator/cli/text/line_diff.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

using Lines = std::vector<std::string>;

struct Line {
  char mark;  // ' ', '-' or '+'
  std::string text;
};

Lines Split(const std::string& text) {
  Lines lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// lengths[i][j]: of the longest common subsequence of what follows line i and line j.
std::vector<std::vector<uint32_t>> CommonLengths(const Lines& a, const Lines& b) {
  std::vector<std::vector<uint32_t>> lengths(a.size() + 1, std::vector<uint32_t>(b.size() + 1));
  for (size_t i = a.size(); i-- > 0;) {
    for (size_t j = b.size(); j-- > 0;) {
      lengths[i][j] =
          a[i] == b[j] ? lengths[i + 1][j + 1] + 1 : std::max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

std::vector<Line> Merge(const Lines& a, const Lines& b) {
  const auto lengths = CommonLengths(a, b);
  std::vector<Line> merged;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      merged.push_back({' ', a[i++]});
      ++j;
    } else if (j == b.size() || (i < a.size() && lengths[i + 1][j] >= lengths[i][j + 1])) {
      merged.push_back({'-', a[i++]});
    } else {
      merged.push_back({'+', b[j++]});
    }
  }
  return merged;
}

}  // namespace

std::string DiffLines(const std::string& a, const std::string& b) {
  if (a == b) return "";
  // The cost is the product of the lines; what is longer than any specification is not compared.
  constexpr size_t kLinesAtMost = 5000;
  const Lines lines_a = Split(a);
  const Lines lines_b = Split(b);
  if (lines_a.size() > kLinesAtMost || lines_b.size() > kLinesAtMost)
    return "too long to compare\n";
  const std::vector<Line> merged = Merge(lines_a, lines_b);
  const auto differs = [&](size_t i) { return i < merged.size() && merged[i].mark != ' '; };
  std::string text;
  bool left_out = false;
  for (size_t i = 0; i < merged.size(); ++i) {
    if (!differs(i) && !differs(i + 1) && !(i > 0 && differs(i - 1))) {
      left_out = true;
      continue;
    }
    if (left_out) text += "...\n";
    left_out = false;
    absl::StrAppend(&text, std::string(1, merged[i].mark), " ", merged[i].text, "\n");
  }
  if (text.empty()) return "the last line ends in one and not in the other\n";
  return text + (left_out ? "...\n" : "");
}

}  // namespace connect_ha
