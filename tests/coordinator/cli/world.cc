#include "tests/coordinator/cli/world.h"

#include <google/protobuf/text_format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "coordinator/cli/commands.h"
#include "gtest/gtest.h"
#include "tests/coordinator/cli/clusters.h"

namespace connect_ha {

void ReadFixture(const std::string& name, google::protobuf::Message& message) {
  std::ifstream file(std::string(CONNECT_HA_SOURCE_DIR) + "/tests/coordinator/cli/" + name);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || !google::protobuf::TextFormat::ParseFromString(text.str(), &message)) {
    ADD_FAILURE() << "fixture " << name << " cannot be read";
  }
}

World::World() : now(std::chrono::seconds(1722513600)) {  // 2024-08-01T12:00:00Z
  static const v1::Checklist& judged = *new v1::Checklist(JudgedChecklist(ThreeNodes()));
  coordinator.checklist = judged;
  ReadFixture("snapshot.textproto", coordinator.snapshot);
  coordinator.events.resize(1);
  ReadFixture("events.textproto", coordinator.events[0]);
  coordinator.refresh.resize(1);
  char pattern[] = "/tmp/connect-ha-cli.XXXXXX";
  identity_ = mkdtemp(pattern);
  std::ofstream(identity_ + "/admin.key") << "a key\n";
  variables["CONNECT_HA_IDENTITY"] = identity_;
}

World::~World() { std::filesystem::remove_all(identity_); }

Environment World::MakeEnvironment() {
  return {[this](const std::string&) -> absl::StatusOr<std::unique_ptr<AdminLink>> {
            return std::make_unique<FakeAdmin>(coordinator);
          },
          [this](const InitOptions&) { return init_result; },
          [this](const ServeOptions& options) {
            served = options;
            return kHolds;
          },
          [this] { return now; },
          [this](std::chrono::milliseconds span) {
            now += span;
            if (on_wait) on_wait();
            return waits-- > 0;
          },
          [this](const std::string& name) {
            const auto it = variables.find(name);
            return it == variables.end() ? "" : it->second;
          },
          in_,
          in_is_terminal};
}

std::vector<std::string> World::CommandNames() {
  const Environment environment = MakeEnvironment();
  std::vector<std::string> names;
  for (const Command& command : ConnectHa(environment).commands) {
    if (!command.hidden) names.emplace_back(command.name);
  }
  return names;
}

int World::Run(const std::vector<std::string>& words) {
  in_.str(input);
  const Environment environment = MakeEnvironment();
  const Program program = ConnectHa(environment);
  std::ostringstream written;
  std::ostringstream complained;
  Terminal terminal{written, complained, color, width, interactive};
  const int code = RunProgram(program, words, terminal);
  out = written.str();
  error = complained.str();
  return code;
}

}  // namespace connect_ha
