#include "agent/host/systemd/transient_service.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

bool IsKept(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return c == '$' || c == '"' || c == '\\' || c == '`' || c == ';' || (c >= 0 && c < ' ') ||
           c == 0x7f;
  });
}

bool AreKept(const std::vector<std::string>& texts) {
  return std::all_of(texts.begin(), texts.end(), IsKept);
}

absl::Status CheckCommands(const std::vector<std::vector<std::string>>& commands,
                           const std::string& what) {
  for (const std::vector<std::string>& command : commands) {
    if (command.empty() || !absl::StartsWith(ProgramOf(command), "/")) {
      return absl::InvalidArgumentError(what + "a program's path is not absolute");
    }
    if (!AreKept(command)) {
      return absl::InvalidArgumentError(what + "an argument of " + ProgramOf(command) +
                                        " has a character that systemd does not keep");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool MayFail(const std::vector<std::string>& command) { return absl::StartsWith(command[0], "-"); }

std::string ProgramOf(const std::vector<std::string>& command) {
  return command[0].substr(MayFail(command) ? 1 : 0);
}

absl::Status CheckTransientService(const TransientService& service) {
  const std::string what = absl::StrCat("cannot start service \"", service.name, "\": ");
  if (!absl::EndsWith(service.name, ".service")) {
    return absl::InvalidArgumentError(what + "its name does not end with .service");
  }
  if (service.commands.empty()) return absl::InvalidArgumentError(what + "it has no command");
  absl::Status commands = CheckCommands(service.commands, what);
  if (commands.ok()) commands = CheckCommands(service.at_end, what);
  if (!commands.ok()) return commands;
  if (!AreKept(service.environment) || !IsKept(service.description) || !IsKept(service.log_path)) {
    return absl::InvalidArgumentError(what + "it has a character that systemd does not keep");
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
