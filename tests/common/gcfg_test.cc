#include "common/connect/gcfg.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

// "3:5 Section/subsection/Name=value", or without "=value" for a bare name; then the errors.
std::vector<std::string> Lines(const GcfgFile& file) {
  std::vector<std::string> lines;
  for (const GcfgEntry& entry : file.entries) {
    lines.push_back(absl::StrCat(entry.line, ":", entry.column, " ", entry.section, "/",
                                 entry.subsection, "/", entry.name,
                                 entry.value ? "=" + *entry.value : ""));
  }
  for (const GcfgError& error : file.errors) {
    lines.push_back(absl::StrCat("error ", error.line, ":", error.column, " ", error.message));
  }
  return lines;
}

using Expected = std::vector<std::string>;

TEST(GcfgTest, YieldsEntriesInFileOrderWithTheirPlaces) {
  EXPECT_EQ(Lines(ParseGcfg("[Server]\n"
                            "DataDir = /mnt/connect ; shared\n"
                            "  Flag\n"
                            "[RPackageRepository \"CRAN\"]\n"
                            "URL=\"a;b\"\n"
                            "[server]\n"
                            "datadir =\n")),
            (Expected{"2:1 Server//DataDir=/mnt/connect", "3:3 Server//Flag",
                      "5:1 RPackageRepository/CRAN/URL=a;b", "7:1 server//datadir="}));
}

TEST(GcfgTest, ResolvesQuotesEscapesAndContinuedLines) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\n"
                            "b = \"x\\\"y\\\\z\\n\\t\"\n"
                            "c = one \\\n two\n"
                            "d = \\\"quoted\\\"\n"
                            "e = \"a \" b \n")),
            (Expected{"2:1 a//b=x\"y\\z\n\t", "3:1 a//c=one  two", "5:1 a//d=\"quoted\"",
                      "6:1 a//e=a  b"}));
}

TEST(GcfgTest, ValueEndsAtACommentSignOutsideQuotes) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\nb = c;d\ne = f#g\nh = \"i;j#k\"\n")),
            (Expected{"2:1 a//b=c", "3:1 a//e=f", "4:1 a//h=i;j#k"}));
}

TEST(GcfgTest, SkipsByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(Lines(ParseGcfg("\xef\xbb\xbf[a]\r\nb = c \r\nd = \"e\rf\"\r\n")),
            (Expected{"2:1 a//b=c", "3:1 a//d=ef"}));
}

TEST(GcfgTest, ReportsEveryErrorAndKeepsWhatCameBefore) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\n"
                            "before = 1\n"
                            "no equals\n"
                            "open = \"quote\n"
                            "path = c:\\temp\n"
                            "escape = \"\\q\"\n"
                            "[section.sub]\n"
                            "[empty \"\"]\n"
                            "[closed] x\n"
                            "1st = 2\n"
                            "after = 1\n")),
            (Expected{"2:1 a//before=1", "error 3:4 expected = after the name",
                      "error 4:8 the value's quote is not closed on its line",
                      "error 5:8 a value with a backslash must be quoted, and it doubled",
                      "error 6:12 unknown escape; in quotes there are \\\\ \\\" \\n \\t",
                      "error 7:9 unexpected character .",
                      "error 8:8 empty subsection name; leave the quotes out for none",
                      "error 9:10 expected nothing but a comment after the section header",
                      "error 10:1 unexpected character 1"}));
}

TEST(GcfgTest, NeedsASectionFirst) {
  EXPECT_EQ(Lines(ParseGcfg("a = 1\n[b]\nc = 2\n")),
            (Expected{"error 1:1 expected a section header, as [Server]"}));
}

TEST(GcfgTest, AnUnfinishedHeaderIsAnErrorOnItsOwnLine) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\nx = 1\n[\n[b\n[c \"d\n[e \"f\"\ny = 2\n")),
            (Expected{"2:1 a//x=1", "error 3:2 expected a section name after [",
                      "error 4:3 expected ] or a quoted subsection name",
                      "error 5:4 the quote is not closed on its line",
                      "error 6:7 expected ] after the subsection name"}));
}

TEST(GcfgTest, NamesAreAscii) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\nn\xc3\xa4me = 1\n")),
            (Expected{"error 2:2 unexpected character; names are ASCII letters, digits and "
                      "hyphens"}));
}

TEST(GcfgTest, BrokenUtf8AndNulAreErrorsWhereverTheyAre) {
  EXPECT_EQ(Lines(ParseGcfg(std::string("[a]\nx = 1\n; caf\xe9\ny = \"b\0\"\n", 26))),
            (Expected{"2:1 a//x=1", "error 3:6 not UTF-8", "error 4:7 a NUL byte"}));
}

TEST(GcfgTest, AValueWithABrokenByteIsNotAnEntry) {
  EXPECT_EQ(Lines(ParseGcfg("[a]\nx = \"\xff\"\n")), (Expected{"error 2:6 not UTF-8"}));
}

TEST(GcfgTest, EmptyTextHasNothing) { EXPECT_EQ(Lines(ParseGcfg("")), Expected{}); }

}  // namespace
}  // namespace connect_ha
