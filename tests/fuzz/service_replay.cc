// Sends a coordinator every file of the given folders. What is to become of an input, its file's
// name says: ok-... is answered with OK, refused-... with an error, any-... with either.
#include <cstdio>
#include <string>

#include "tests/fuzz/replay_files.h"
#include "tests/fuzz/service_under_fuzz.h"

int main(int argc, char** argv) {
  using namespace connect_ha;
  ServiceUnderFuzz service;
  int good = 0, wrong = 0;
  ReplayFiles(argc - 1, argv + 1, [&](const std::string& name, const std::string& input) {
    const grpc::Status status = SendInput(service, input);
    service.RequireWell();
    const bool to_be_ok = name.rfind("ok-", 0) == 0;
    if (to_be_ok && status.ok()) ++good;
    const bool to_be_refused = name.rfind("refused-", 0) == 0;
    if (status.ok() ? !to_be_refused : !to_be_ok) return;
    ++wrong;
    std::printf("  WRONG: it was answered with %d %s\n", static_cast<int>(status.error_code()),
                status.error_message().c_str());
  });
  std::printf("%d answered with OK as they are to be, %d wrongly\n", good, wrong);
  return good > 0 && wrong == 0 ? 0 : 1;
}
