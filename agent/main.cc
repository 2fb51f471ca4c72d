// connect-ha-agent: wiring only.
#include <csignal>
#include <string>
#include <vector>

#include "agent/cli.h"
#include "common/command/command_line.h"
#include "common/log.h"
#include "common/tls/grpc_log.h"

int main(int argc, char** argv) {
  // A peer that hangs up is an error of the call. What the agent runs has it as usual: spawn.cc.
  std::signal(SIGPIPE, SIG_IGN);
  connect_ha::SetUpLog("warn");
  connect_ha::RouteGrpcLog(connect_ha::GrpcSide::kClient);
  connect_ha::Terminal terminal = connect_ha::StandardTerminal();
  const std::vector<std::string> words(argv + 1, argv + argc);
  return connect_ha::RunProgram(connect_ha::ConnectHaAgent(), words, terminal);
}
