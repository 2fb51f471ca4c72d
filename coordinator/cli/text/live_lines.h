// Lines that are kept up to date while something is followed.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/command/command_line.h"
#include "common/command/text_table.h"
#include "common/time.h"

namespace connect_ha {

// Of one node, or of the cluster.
struct LiveLine {
  std::string name;
  Cell cell;
  // The same without what only passes (bytes, times): what counts as a change, and is written then.
  std::string key;
  // It is spoken of now and then though nothing changed.
  bool lasts = false;
};

// On a terminal all lines are redrawn each time; elsewhere those that changed are written, with how
// long after the beginning that was.
class LiveLines {
 public:
  LiveLines(Terminal& terminal, Time begun) : terminal_(terminal), begun_(begun) {}

  void Show(const std::vector<LiveLine>& lines, Time now);
  // Once, until Answered.
  void ShowError(const absl::Status& status);
  void Answered();

 private:
  struct Shown {
    std::string key;
    Time at;
  };

  void Redraw(const std::vector<LiveLine>& lines, Time now);
  void WriteChanges(const std::vector<LiveLine>& lines, Time now);

  Terminal& terminal_;
  const Time begun_;
  bool away_ = false;
  size_t drawn_ = 0;  // lines that stand on the terminal
  std::map<std::string, Shown> shown_;
};

}  // namespace connect_ha
