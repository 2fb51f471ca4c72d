#include "common/command/fix_text.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checklist/verdict.h"

namespace connect_ha {
namespace {

constexpr char kGap[] = "   ";

// Steps for the same nodes, without their names.
struct Group {
  std::vector<std::string> nodes;  // empty: where connect-ha is used
  std::vector<v1::Fix> steps;

  std::string Key() const {
    std::string key;
    for (const v1::Fix& step : steps) absl::StrAppend(&key, step.SerializeAsString(), "\n");
    return key;
  }
};

// Steps that stand beside each other on one node belong together; those that are typed where
// connect-ha is used are one by one.
std::vector<Group> InOrder(const FixList& fixes) {
  std::vector<Group> groups;
  for (const v1::Fix& fix : fixes) {
    const std::vector<std::string> nodes =
        fix.on().empty() ? std::vector<std::string>() : std::vector<std::string>{fix.on()};
    if (groups.empty() || nodes.empty() || groups.back().nodes != nodes) {
      groups.push_back({nodes, {}});
    }
    groups.back().steps.push_back(fix);
    groups.back().steps.back().clear_on();
  }
  return groups;
}

// No node has steps in two places, so that none waits for another's.
bool EachForItself(const std::vector<Group>& groups) {
  std::map<std::string, int> places;
  for (const Group& group : groups) {
    for (const std::string& node : group.nodes) {
      if (++places[node] > 1) return false;
    }
  }
  return true;
}

// Groups of different nodes with the same steps become one, as far as the order allows it.
std::vector<Group> Merged(const FixList& fixes) {
  const std::vector<Group> all = InOrder(fixes);
  const bool any_order = EachForItself(all);
  std::vector<Group> merged;
  std::map<std::string, size_t> index;
  for (const Group& group : all) {
    if (!any_order && !merged.empty() && !merged.back().nodes.empty()) {
      index = {{merged.back().Key(), merged.size() - 1}};
    }
    const auto same = index.find(group.Key());
    if (group.nodes.empty()) {
      merged.push_back(group);
    } else if (same == index.end()) {
      index[group.Key()] = merged.size();
      merged.push_back(group);
    } else {
      merged[same->second].nodes.push_back(group.nodes[0]);
    }
  }
  return merged;
}

std::string Where(const Group& group) {
  return group.nodes.empty() ? "" : absl::StrCat("on ", JoinNames(group.nodes), ": ");
}

Cell StopsConnect(const Group& group) {
  return {group.nodes.size() > 1 ? "(stops Connect: one node after the other)" : "(stops Connect)",
          Style::kBad};
}

std::string WordsByHand(const Group& group, const std::string& note) {
  if (group.nodes.empty()) return absl::StrCat("by hand: ", note);
  return absl::StrCat("by hand on ", JoinNames(group.nodes), ": ", note);
}

// `note_follows`: the next step has the same one.
void AddStep(const Group& group, const v1::Fix& step, bool note_follows,
             std::vector<FixLine>& lines) {
  const std::string where = Where(group);
  if (!step.held_by().empty()) {
    lines.push_back(
        {"",
         "",
         absl::StrCat(where, "wait until ", step.held_by(), " passes",
                      group.nodes.empty() ? "" : " there", "; what to type is shown then"),
         {}});
    if (!step.note().empty()) lines.push_back({"", "", absl::StrCat("(", step.note(), ")"), {}});
    return;
  }
  if (step.commands().empty()) {
    if (!step.note().empty()) lines.push_back({"", "", WordsByHand(group, step.note()), {}});
    return;
  }
  for (const std::string& command : step.commands()) {
    const bool marked = step.stops_connect() && &command == &step.commands(0);
    lines.push_back({where, command, "", marked ? StopsConnect(group) : Cell{}});
  }
  if (step.note().empty() || note_follows) return;
  const std::string note = absl::StrCat("(", step.note(), ")");
  if (lines.back().remark.text.empty() && step.commands_size() == 1) {
    lines.back().remark = {note};
  } else {
    lines.push_back({"", "", note, {}});
  }
}

std::vector<FixLine> LinesOf(const Group& group) {
  std::vector<FixLine> lines;
  for (size_t i = 0; i < group.steps.size(); ++i) {
    const bool note_follows =
        i + 1 < group.steps.size() && group.steps[i + 1].note() == group.steps[i].note();
    AddStep(group, group.steps[i], note_follows, lines);
  }
  return lines;
}

// Where a shell lets a line go on behind a backslash: at blanks outside quotes.
std::vector<std::string> ShellWords(const std::string& command) {
  std::vector<std::string> words(1);
  char quote = '\0';
  bool escaped = false;
  for (const char c : command) {
    if (c == ' ' && quote == '\0' && !escaped) {
      if (!words.back().empty()) words.emplace_back();
      continue;
    }
    words.back() += c;
    if (escaped) {
      escaped = false;
    } else if (c == '\\' && quote != '\'') {
      escaped = true;
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = '\0';
    }
  }
  return words;
}

std::vector<std::string> PartsOf(const std::string& command, int width) {
  if (Columns(command) <= width) return {command};
  std::vector<std::string> parts;
  std::string part;
  for (const std::string& word : ShellWords(command)) {
    constexpr int kBackslash = 2;
    if (!part.empty() && Columns(part) + 1 + Columns(word) + kBackslash > width) {
      parts.push_back(part + " \\");
      part = "  " + word;
    } else {
      absl::StrAppend(&part, part.empty() ? "" : " ", word);
    }
  }
  parts.push_back(part);
  return parts;
}

std::string Spaces(int columns) {
  return std::string(static_cast<size_t>(std::max(columns, 0)), ' ');
}

// What the line takes, the first without its indentation.
std::vector<std::string> Printed(const Terminal& terminal, const FixLine& line, int text_at) {
  const int room = terminal.width - text_at;
  std::vector<std::string> printed;
  const std::string remark = Printable(line.remark.text);
  const std::string painted = Paint(terminal, line.remark.style, remark);
  if (line.command.empty()) {
    std::string text = Wrap(Printable(line.words), terminal.width, text_at);
    text.erase(0, static_cast<size_t>(text_at));
    if (!text.empty()) text.pop_back();
    return {text};
  }
  const std::string where = Printable(line.where);
  const std::string command = Printable(line.command);
  const std::string whole = where + command;
  if (Columns(whole) + (remark.empty() ? 0 : 3 + Columns(remark)) <= room) {
    return {remark.empty() ? whole : whole + kGap + painted};
  }
  if (!remark.empty()) {
    const std::string text = Wrap(remark, terminal.width, text_at);
    printed.push_back(Paint(
        terminal, line.remark.style,
        text.substr(static_cast<size_t>(text_at), text.size() - 1 - static_cast<size_t>(text_at))));
  }
  if (Columns(whole) <= room) {
    printed.push_back(whole);
    return printed;
  }
  if (!where.empty()) printed.push_back(where.substr(0, where.size() - 1));
  for (const std::string& part : PartsOf(command, room)) printed.push_back(part);
  return printed;
}

}  // namespace

std::vector<FixLine> FixLines(const FixList& fixes, size_t most, size_t* left_out) {
  std::vector<FixLine> lines;
  *left_out = 0;
  for (const Group& group : Merged(fixes)) {
    const std::vector<FixLine> more = LinesOf(group);
    if (*left_out > 0 || (most > 0 && !lines.empty() && lines.size() + more.size() > most)) {
      *left_out += group.steps.size() * std::max<size_t>(group.nodes.size(), 1);
      continue;
    }
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

void PrintFixes(Terminal& terminal, const FixList& fixes, int indent, int text_at, size_t most,
                const std::string& more) {
  size_t left_out = 0;
  std::vector<FixLine> lines = FixLines(fixes, most, &left_out);
  if (left_out > 0) {
    lines.push_back({"", "", absl::StrCat("and ", Count(left_out, "more step"), ": ", more), {}});
  }
  std::string label = "do";
  for (const FixLine& line : lines) {
    for (const std::string& text : Printed(terminal, line, text_at)) {
      const int gap = text_at - indent - Columns(label);
      terminal.out << Spaces(indent)
                   << (label.empty() ? "" : Paint(terminal, Style::kStrong, label)) << Spaces(gap)
                   << text << "\n";
      label.clear();
    }
  }
}

}  // namespace connect_ha
