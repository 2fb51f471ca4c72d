// What the commands print, word for word: tests/golden/FOLDER/NAME.EXITCODE.txt. `--rewrite` writes
// the files anew; the diff is then read like code.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/golden_cases.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

const fs::path& Folder() {
  static const fs::path folder = fs::path(CONNECT_HA_SOURCE_DIR) / "tests" / "golden";
  return folder;
}

struct Printed {
  std::string file;  // status/good.1.txt
  std::string text;
};

Printed Print(const GoldenCase& golden) {
  World world;
  if (golden.arrange) golden.arrange(world);
  const int code = world.Run(golden.words);
  std::string text = world.out;
  if (!world.error.empty()) absl::StrAppend(&text, "--- standard error ---\n", world.error);
  return {absl::StrCat(golden.name, ".", code, ".txt"), text};
}

std::string Read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, PrintsWhatTheFileSays) {
  const Printed printed = Print(GetParam());
  ASSERT_TRUE(fs::exists(Folder() / printed.file))
      << "no tests/golden/" << printed.file << "; another exit code? it printed:\n"
      << printed.text << "\nfix: ./dev golden, and read the diff";
  EXPECT_EQ(Read(Folder() / printed.file), printed.text) << "fix: ./dev golden, and read the diff";
}

// "\x1b[1;31m" and the like take no column.
std::string WithoutColor(std::string text) {
  for (size_t start = 0; (start = text.find("\x1b[", start)) != std::string::npos;) {
    text.erase(start, text.find('m', start) - start + 1);
  }
  return text;
}

TEST_P(Golden, FitsAHundredColumns) {
  if (GetParam().for_programs) return;
  const std::string text = WithoutColor(Print(GetParam()).text);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(Columns({line.data(), line.size()}), 100) << line;
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, Golden, testing::ValuesIn(GoldenCases()), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
});

TEST(GoldenFiles, EachHasItsCase) {
  std::set<std::string> wanted;
  for (const GoldenCase& golden : GoldenCases()) wanted.insert(Print(golden).file);
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(Folder())) {
    if (entry.is_regular_file()) found.insert(fs::relative(entry.path(), Folder()));
  }
  EXPECT_EQ(found, wanted);
}

void Rewrite() {
  fs::create_directories(Folder());
  for (const auto& entry : fs::directory_iterator(Folder())) fs::remove_all(entry.path());
  for (const GoldenCase& golden : GoldenCases()) {
    const Printed printed = Print(golden);
    fs::create_directories((Folder() / printed.file).parent_path());
    std::ofstream(Folder() / printed.file) << printed.text;
  }
  std::cout << GoldenCases().size() << " files written to " << Folder().string() << "\n";
}

}  // namespace
}  // namespace connect_ha

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc == 2 && std::string(argv[1]) == "--rewrite") {
    connect_ha::Rewrite();
    return 0;
  }
  return RUN_ALL_TESTS();
}
