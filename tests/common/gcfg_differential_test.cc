// ParseGcfg against go-gcfg itself (gcfg_oracle/): the corpus, generated texts, and mutations of
// the corpus. The same seed makes the same texts everywhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/connect/gcfg.h"
#include "common/connect/utf8.h"
#include "tests/common/ask_gcfg_oracle.h"

namespace connect_ha {
namespace {

std::map<std::string, std::string> Corpus() {
  std::map<std::string, std::string> corpus;
  for (const auto& file :
       std::filesystem::directory_iterator(CONNECT_HA_SOURCE_DIR "/tests/common/gcfg_corpus")) {
    std::ostringstream content;
    content << std::ifstream(file.path()).rdbuf();
    corpus[file.path().filename()] = content.str();
  }
  return corpus;
}

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  // Mostly right.
  std::string Document() {
    std::string text;
    for (size_t i = Below(6); i-- > 0;) {
      absl::StrAppend(&text, Pick(kHeaders), Pick(kEnds));
      for (size_t j = Below(6); j-- > 0;) {
        absl::StrAppend(&text, Pick(kNames), Pick(kEquals));
        for (size_t k = Below(4); k-- > 0;) text += Pick(kValues);
        text += Pick(kEnds);
      }
    }
    return text;
  }

  // Pieces in any order.
  std::string Soup() {
    std::string text = Below(2) == 0 ? "[a]\n" : "";
    for (size_t i = 1 + Below(20); i-- > 0;) {
      const size_t kind = Below(5);
      text += kind == 0   ? Pick(kHeaders)
              : kind == 1 ? Pick(kNames)
              : kind == 2 ? Pick(kValues)
              : kind == 3 ? Pick(kEnds)
                          : Pick(kOdd);
    }
    return text;
  }

  std::string Mutation(std::string text) {
    for (size_t i = 1 + Below(4); i-- > 0;) {
      const size_t at = Below(text.size() + 1);
      if (Below(2) == 0) text.insert(at, Pick(kOdd));
      if (Below(2) == 0) text.erase(at, 1 + Below(3));
    }
    return text;
  }

 private:
  using Pieces = std::vector<const char*>;
  size_t Below(size_t limit) { return random_() % limit; }
  const char* Pick(const Pieces& pieces) { return pieces[Below(pieces.size())]; }

  const Pieces kHeaders{"[a]",       "[A]",          "[b-2]",          "[ a ]",   "[a \"s\"]",
                        "[a \"S\"]", "[a \"\\\"\"]", "[b \"x y;\"  ]", "[Server]"};
  const Pieces kEnds{"\n", "\n", "\n", "\r\n", " ; c\n", "#d = 1\n", "\n\n", " \t\n"};
  const Pieces kNames{"x", "X", "y", "Name", "n-1", "  z"};
  const Pieces kEquals{"=", " = ", " =\t", "", " ", "=  "};
  const Pieces kValues{"v",    "two words", "\"q\"",    "\"a;b\"",      "\"\\n\\t\"",
                       "\\\n", "\\\"",      " ",        "\t",           "/a/b",
                       "=",    "\\\r\n",    "\"\\\\\"", "\xe2\x82\xac", "\"\xe2\x82\xac\"",
                       "\"\"", "[b]",       "\r"};
  const Pieces kOdd{"\"", "\\", "[",    "]",    "=",   ";",  "#",   "\n", "\r",          "-",
                    "1",  ".",  "\"\\", "\xff", "\\q", "\t", "x y", "?",  "\xe2\x82\xac"};
  std::mt19937 random_;
};

std::vector<std::string> Texts() {
  const std::map<std::string, std::string> corpus = Corpus();
  std::vector<std::string> texts;
  for (const auto& [name, text] : corpus) texts.push_back(text);
  const size_t corpus_size = texts.size();
  Generator generator(20240801);
  for (size_t i = 0; i < 2000; ++i) {
    texts.push_back(generator.Document());
    texts.push_back(generator.Soup());
    texts.push_back(generator.Mutation(texts[i % corpus_size]));
  }
  return texts;
}

// What came before the line of the first error, which must be what was kept.
std::string BeforeFirstError(const std::string& text) {
  const GcfgFile file = ParseGcfg(text);
  std::string_view rest = text;
  for (unsigned line = 1; line < file.errors[0].line; ++line) {
    rest.remove_prefix(rest.find('\n') + 1);
  }
  return text.substr(0, text.size() - rest.size());
}

TEST(GcfgDifferentialTest, AgreesWithGoGcfg) {
  std::vector<std::string> texts = Texts();
  for (size_t i = 0, count = texts.size(); i < count; ++i) {
    if (!ParseGcfg(texts[i]).errors.empty()) texts.push_back(BeforeFirstError(texts[i]));
  }
  const std::vector<std::string> answers = AskGcfgOracle(texts);
  ASSERT_EQ(answers.size(), texts.size());
  size_t right = 0;
  size_t refused = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::string expected = answers[i];
    std::string actual = GcfgAnswer(ParseGcfg(texts[i]));
    ++(absl::StartsWith(expected, "ok") ? right : refused);
    if (absl::StartsWith(expected, "error")) {
      const std::vector<std::string> words = absl::StrSplit(expected, ' ');
      expected = words[0] + " " + words[1];
      // go-gcfg reads one character ahead, and may name a broken one before an earlier error.
      const bool broken = FindInvalidUtf8OrNul(texts[i], 0) < texts[i].size();
      if (broken && absl::StartsWith(actual, "error")) continue;
    }
    EXPECT_EQ(actual, expected) << absl::CHexEscape(texts[i]) << "\ngo-gcfg: " << answers[i];
  }
  // The generator must keep making both kinds.
  EXPECT_GT(right, texts.size() / 4);
  EXPECT_GT(refused, texts.size() / 4);
}

TEST(GcfgDifferentialTest, ErrorsLoseNothingThatCameBefore) {
  for (const std::string& text : Texts()) {
    const GcfgFile file = ParseGcfg(text);
    if (file.errors.empty()) continue;
    const GcfgFile before = ParseGcfg(BeforeFirstError(text));
    size_t kept = 0;
    while (kept < file.entries.size() && file.entries[kept].line < file.errors[0].line) ++kept;
    ASSERT_LE(kept, before.entries.size()) << absl::CHexEscape(text);
    // The last value may go on to the error's line.
    ASSERT_GE(kept + 1, before.entries.size()) << absl::CHexEscape(text);
    for (size_t i = 0; i < kept; ++i) {
      EXPECT_EQ(file.entries[i].name, before.entries[i].name) << absl::CHexEscape(text);
      EXPECT_EQ(file.entries[i].value, before.entries[i].value) << absl::CHexEscape(text);
    }
  }
}

}  // namespace
}  // namespace connect_ha
