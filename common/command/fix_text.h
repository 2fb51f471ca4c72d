// What to do about a finding, for people: one command a line, as it can be pasted.
#pragma once

#include <string>
#include <vector>

#include "common/command/text_table.h"
#include "connect_ha/v1/checklist.pb.h"

namespace connect_ha {

using FixList = google::protobuf::RepeatedPtrField<v1::Fix>;

// "on node-2: systemctl stop rstudio-connect   (stops Connect)"
struct FixLine {
  std::string where;    // "on node-2: "; "" where it is typed where connect-ha is used
  std::string command;  // to paste; or
  std::string words;    // to read
  Cell remark;
};

// Nodes on which the same is done, one after the other or each for itself, share their lines. What
// one such group of nodes does is never cut apart; groups beyond the first `most` lines are left
// out, and `left_out` becomes the number of their steps. 0: all.
std::vector<FixLine> FixLines(const FixList& fixes, size_t most, size_t* left_out);

// "do" at `indent`, the lines at `text_at`. A command that is too long for the terminal goes on
// behind a backslash, where its words may be parted. `more` says where to see what is left out.
void PrintFixes(Terminal& terminal, const FixList& fixes, int indent, int text_at, size_t most,
                const std::string& more);

}  // namespace connect_ha
