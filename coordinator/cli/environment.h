// What the commands reach beyond their arguments. main.cc gives the real things, tests give fakes.
#pragma once

#include <chrono>
#include <functional>
#include <istream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "coordinator/cli/link/admin_link.h"
#include "coordinator/identity/init.h"
#include "coordinator/serve.h"

namespace connect_ha {

struct Environment {
  std::function<absl::StatusOr<std::unique_ptr<AdminLink>>(const std::string& identity_dir)> open;
  std::function<absl::StatusOr<InitResult>(const InitOptions& options)> init;
  std::function<int(const ServeOptions& options)> serve;  // the exit code
  std::function<Time()> now;
  // Waits so long; false: stop instead. Interrupting the real one ends the program.
  std::function<bool(std::chrono::milliseconds)> wait;
  // An environment variable; "" when it is not set.
  std::function<std::string(const std::string& name)> variable;
  std::istream& in;
  bool in_is_terminal = false;
};

}  // namespace connect_ha
