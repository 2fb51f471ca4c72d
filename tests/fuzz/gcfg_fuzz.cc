// Whatever the bytes: no crash, every place inside the text, and the entries written out with
// every value quoted read back as they were.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/connect/gcfg.h"

namespace connect_ha {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string Quoted(const std::string& text, bool is_value) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (is_value && c == '\n') {
      quoted += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string Written(const GcfgFile& file) {
  std::string text;
  for (const GcfgEntry& entry : file.entries) {
    text += "[" + entry.section;
    if (!entry.subsection.empty()) text += " " + Quoted(entry.subsection, false);
    text += "]\n" + entry.name;
    if (entry.value) text += " = " + Quoted(*entry.value, true);
    text += "\n";
  }
  return text;
}

void CheckPlaces(const GcfgFile& file, std::string_view text) {
  const auto lines = static_cast<unsigned>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const GcfgEntry& entry : file.entries) Require(entry.line >= 1 && entry.line <= lines);
  for (const GcfgError& error : file.errors) {
    Require(error.line >= 1 && error.line <= lines);
    Require(error.column >= 1 && error.column <= text.size() + 1);
  }
}

void CheckReadsBack(const GcfgFile& file) {
  const GcfgFile again = ParseGcfg(Written(file));
  Require(again.errors.empty() && again.entries.size() == file.entries.size());
  for (size_t i = 0; i < file.entries.size(); ++i) {
    Require(again.entries[i].section == file.entries[i].section);
    Require(again.entries[i].subsection == file.entries[i].subsection);
    Require(again.entries[i].name == file.entries[i].name);
    Require(again.entries[i].value == file.entries[i].value);
  }
}

}  // namespace
}  // namespace connect_ha

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const connect_ha::GcfgFile file = connect_ha::ParseGcfg(text);
  connect_ha::CheckPlaces(file, text);
  connect_ha::CheckReadsBack(file);
  return 0;
}
