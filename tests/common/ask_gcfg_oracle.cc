#include "tests/common/ask_gcfg_oracle.h"

#include <gtest/gtest.h>
#include <stdio.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/fakes/temporary_directory.h"

namespace connect_ha {
namespace {

// As url.QueryEscape does.
std::string Encode(std::string_view text) {
  std::string encoded;
  for (const unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += static_cast<char>(c);
    } else if (c == ' ') {
      encoded += '+';
    } else {
      absl::StrAppend(&encoded, "%",
                      absl::AsciiStrToUpper(absl::StrCat(absl::Hex(c, absl::kZeroPad2))));
    }
  }
  return encoded;
}

}  // namespace

std::string GcfgAnswer(const GcfgFile& file) {
  if (!file.errors.empty()) {
    return absl::StrCat("error ", file.errors[0].line, ":", file.errors[0].column);
  }
  std::map<std::string, std::vector<std::string>> values;
  for (const GcfgEntry& entry : file.entries) {
    const std::string key =
        absl::StrCat(absl::AsciiStrToLower(entry.section), "/", Encode(entry.subsection), "/",
                     absl::AsciiStrToLower(entry.name), "=");
    if (entry.value) {
      values[key].push_back(Encode(*entry.value));
    } else {
      values.erase(key);
    }
  }
  std::vector<std::string> words;
  for (const auto& [key, list] : values) words.push_back(key + absl::StrJoin(list, ","));
  std::sort(words.begin(), words.end());
  words.insert(words.begin(), "ok");
  return absl::StrJoin(words, " ");
}

std::vector<std::string> AskGcfgOracle(const std::vector<std::string>& texts) {
  const TemporaryDirectory directory;
  const std::string input = directory / "input";
  {
    std::ofstream out(input);
    for (const std::string& text : texts) out << absl::Base64Escape(text) << "\n";
  }
  const std::string command = absl::StrCat(CONNECT_HA_GCFG_ORACLE, " < ", input);
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[65536];
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  EXPECT_EQ(pclose(pipe), 0) << command;
  std::vector<std::string> answers = absl::StrSplit(output, '\n');
  answers.pop_back();
  return answers;
}

}  // namespace connect_ha
