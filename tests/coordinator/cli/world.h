// Everything the commands touch, in memory: a coordinator, a clock that waiting moves, an identity,
// and what was written.
#pragma once

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "common/command/command_line.h"
#include "coordinator/cli/environment.h"
#include "tests/coordinator/cli/fake_admin.h"

namespace connect_ha {

class World {
 public:
  // The coordinator of the fixtures beside this file, where nothing is wrong that can be known, and
  // a valid identity.
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Runs `connect-ha WORDS`; what it wrote is in out and error.
  int Run(const std::vector<std::string>& words);

  // Of the commands that are shown.
  std::vector<std::string> CommandNames();

  const std::string& identity() const { return identity_; }

  FakeCoordinator coordinator;
  Time now;
  int waits = 0;  // how often the commands may wait before they are told to stop
  bool interactive = false;
  bool color = false;
  int width = 100;
  std::string input;  // what the person types; only where in_is_terminal
  bool in_is_terminal = false;
  std::map<std::string, std::string> variables;
  absl::StatusOr<InitResult> init_result;
  ServeOptions served;            // what serve was asked for
  std::function<void()> on_wait;  // what changes meanwhile

  std::string out;
  std::string error;

 private:
  Environment MakeEnvironment();

  std::istringstream in_;
  std::string identity_;
};

// Parses a textproto below tests/coordinator/cli.
void ReadFixture(const std::string& name, google::protobuf::Message& message);

}  // namespace connect_ha
