// gcfg, the format of Connect's configuration file.
//
// The grammar is go-gcfg's (gopkg.in/gcfg.v1, which Connect reads its file with), held to it by a
// differential test. Connect's admin guide ("Configuration appendix") describes a part of it:
//   - a comment begins at ';', says the guide; in go-gcfg '#' begins one too, and both do so in
//     the middle of an unquoted value, which ends there: Password = a;b is "a";
//   - '=' is mandatory, says the guide; in go-gcfg a bare name is a value of its own (true for a
//     switch; for a key that may be given many times: forget those before). Such an entry has no
//     value here, and the caller judges;
//   - the guide's names are ASCII; go-gcfg takes any Unicode letter. Connect knows no such name,
//     so one is an error here.
// Sections, repeated or not, add up; which of several values holds is the caller's to say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connect_ha {

struct GcfgEntry {
  std::string section;     // as written; compares without case
  std::string subsection;  // compares with case; "" for none
  std::string name;        // as written; compares without case
  // Unquoted, escapes resolved. Unset: a bare name.
  std::optional<std::string> value;
  // An unquoted end of the value at which a comment's ; or # follows without a blank: a part of
  // what was meant may be missing (Password = a;b is "a").
  bool cut_by_comment = false;
  // Of the name; both from 1, the column in bytes.
  unsigned line = 0;
  unsigned column = 0;
};

struct GcfgError {
  unsigned line = 0;
  unsigned column = 0;
  std::string message;
};

struct GcfgFile {
  // In file order, up to the first error.
  std::vector<GcfgEntry> entries;
  // In file order: at most one a statement, and one a line with NUL or broken UTF-8. Where
  // there is one, go-gcfg refuses the file, naming the place of the first.
  std::vector<GcfgError> errors;
};

// Any bytes are allowed; a byte order mark at the start is skipped.
GcfgFile ParseGcfg(std::string_view text);
// The text whose bytes ParseGcfg's lines and columns count.
std::string_view WithoutByteOrderMark(std::string_view text);

}  // namespace connect_ha
