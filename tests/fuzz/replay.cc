// Runs a fuzz target over every file of the given folders: what it found once, any compiler
// checks again.
#include <cstdint>
#include <string>

#include "tests/fuzz/replay_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  const int count =
      connect_ha::ReplayFiles(argc - 1, argv + 1, [](const std::string&, const std::string& bytes) {
        LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
      });
  return count > 0 ? 0 : 1;
}
