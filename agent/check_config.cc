#include "agent/check_config.h"

#include "common/config_loader.h"
#include "common/gcfg.h"

namespace connect_ha {
namespace {

int CheckConnectConfig(Host& host, const std::string& path, Terminal& terminal) {
  const absl::StatusOr<std::string> text = host.ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    terminal.out << path << ": no such file\n";
    return kUnknown;
  }
  if (!text.ok()) {
    PrintError(terminal, text.status());
    return kUnknown;
  }
  const GcfgFile file = ParseGcfg(*text);
  for (const GcfgError& error : file.errors) {
    terminal.out << path << ":" << error.line << ":" << error.column << ": " << error.message
                 << "\n";
  }
  if (!file.errors.empty()) return kUsage;
  terminal.out << path << ": ok\n";
  return kHolds;
}

}  // namespace

int CheckConfigFiles(Host& host, const std::string& settings, bool settings_required,
                     Terminal& terminal) {
  v1::AgentConfig config;
  const std::vector<ConfigProblem> problems = LoadAgentConfig(
      settings, settings_required ? MissingFile::kIsAProblem : MissingFile::kMeansDefaults, config);
  if (problems.empty()) {
    terminal.out << settings << ": ok\n";
  } else {
    terminal.out << FormatProblems(problems);
  }
  SetAgentDefaults(config);
  const int connect = CheckConnectConfig(host, config.connect_config(), terminal);
  return problems.empty() ? connect : static_cast<int>(kUsage);
}

}  // namespace connect_ha
