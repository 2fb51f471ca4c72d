// connect-ha: wiring only.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "common/command/command_line.h"
#include "common/log.h"
#include "common/tls/grpc_log.h"
#include "coordinator/cli/commands.h"
#include "coordinator/cli/link/admin_client.h"
#include "coordinator/identity/init.h"
#include "coordinator/serve.h"

namespace {

connect_ha::Time Now() {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

connect_ha::Environment RealEnvironment() {
  return {
      [](const std::string& identity) -> absl::StatusOr<std::unique_ptr<connect_ha::AdminLink>> {
        return connect_ha::OpenAdminClient(identity, Now());
      },
      [](const connect_ha::InitOptions& options) {
        return connect_ha::InitCluster(options, Now());
      },
      connect_ha::Serve,
      Now,
      [](std::chrono::milliseconds span) {
        std::this_thread::sleep_for(span);
        return true;
      },
      [](const std::string& name) {
        const char* value = std::getenv(name.c_str());
        return std::string(value == nullptr ? "" : value);
      },
      std::cin,
      isatty(STDIN_FILENO) == 1};
}

}  // namespace

int main(int argc, char** argv) {
  connect_ha::SetUpLog("warn");
  connect_ha::RouteGrpcLog(connect_ha::GrpcSide::kClient);
  const connect_ha::Environment environment = RealEnvironment();
  connect_ha::Terminal terminal = connect_ha::StandardTerminal();
  const std::vector<std::string> words(argv + 1, argv + argc);
  return connect_ha::RunProgram(connect_ha::ConnectHa(environment), words, terminal);
}
