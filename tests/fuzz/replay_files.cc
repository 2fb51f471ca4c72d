#include "tests/fuzz/replay_files.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> FilesOf(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int ReplayFiles(int folders, char** folder,
                const std::function<void(const std::string& name, const std::string& bytes)>& run) {
  int count = 0;
  for (int i = 0; i < folders; ++i) {
    for (const fs::path& path : FilesOf(folder[i])) {
      std::ifstream file(path, std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(file)),
                              std::istreambuf_iterator<char>());
      // To the last line on the screen, should this file crash the target.
      std::printf("%s\n", path.c_str());
      std::fflush(stdout);
      run(path.filename().string(), bytes);
      ++count;
    }
  }
  std::printf("%d files\n", count);
  return count;
}

}  // namespace connect_ha
