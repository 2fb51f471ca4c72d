#include "tests/agent/host/container.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace connect_ha {

void RequireContainer(const char* program) {
  std::ifstream manager("/run/systemd/container");
  const std::string kind{std::istreambuf_iterator<char>(manager), {}};
  if (std::getenv("CONNECT_HA_CONTAINER") != nullptr && kind.rfind("systemd-nspawn", 0) == 0)
    return;
  std::fprintf(stderr,
               "error: this changes the machine it runs on\nfix:   "
               "tests/agent/host/in_container %s\n",
               program);
  std::exit(2);
}

}  // namespace connect_ha
