#include "agent/check_config.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/assignment/trusted_signers.h"
#include "common/command/text_table.h"
#include "common/connect/config_check.h"
#include "common/connect/gcfg.h"
#include "common/file.h"
#include "common/spec/config_loader.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

void PrintProblem(const std::string& what, const std::string& fix, Terminal& terminal) {
  PrintError(terminal, absl::UnknownError(absl::StrCat(what, "; fix: ", fix)));
}

// `again`: the command that looks once more.
int CheckConnectConfig(Host& host, const std::string& path, const std::string& settings,
                       const std::string& again, Terminal& terminal) {
  const absl::StatusOr<std::string> text = host.ReadFile(path);
  if (absl::IsNotFound(text.status())) {
    PrintProblem(
        absl::StrCat(path, ": no such file"),
        absl::StrCat("install rstudio-connect, or name the file as connect_config in ", settings),
        terminal);
    return kUnknown;
  }
  if (!text.ok()) {
    PrintProblem(std::string(text.status().message()),
                 absl::StrCat("run it as root; else see: ls -l ", path), terminal);
    return kUnknown;
  }
  bool wrong = false;
  for (const ConfigNote& note : CheckConnectConfig(ParseGcfg(*text))) {
    const bool notice = note.kind == ConfigNote::Kind::kNotice;
    wrong = wrong || !notice;
    terminal.out << path << ":" << note.line << ":" << note.column << ": "
                 << (notice ? "warning: " : "") << note.message << "\n";
  }
  if (wrong) {
    PrintProblem(absl::StrCat(path, " is invalid"), absl::StrCat("correct the file, then: ", again),
                 terminal);
    return kUsage;
  }
  terminal.out << path << ": ok\n";
  return kHolds;
}

// Whose specifications this node takes, where it does not take everybody's.
bool CheckSigners(Host& host, Terminal& terminal) {
  const auto signers = ReadTrustedSigners(host, kTrustedDirectory);
  if (!signers.ok()) {
    PrintError(terminal, signers.status());
    return false;
  }
  if (!signers->empty()) {
    terminal.out << kTrustedDirectory << ": ok, " << Count(signers->size(), "signer") << "\n";
  }
  return true;
}

}  // namespace

std::string SettingsFix(const std::string& path) {
  if (FileExists(path)) {
    return absl::StrCat("mend the file, then: connect-ha-agent check-config --config ",
                        ShellWord(path));
  }
  return absl::StrCat("copy /usr/share/doc/connect-ha-agent/examples/agent.yaml to ", path,
                      ", or leave --config out");
}

int CheckConfigFiles(Host& host, const std::string& settings, bool settings_required,
                     Terminal& terminal) {
  v1::AgentConfig config;
  const std::vector<ConfigProblem> problems = LoadAgentConfig(
      settings, settings_required ? MissingFile::kIsAProblem : MissingFile::kMeansDefaults, config);
  if (problems.empty()) {
    terminal.out << settings << ": ok\n";
  } else {
    terminal.out << FormatProblems(problems);
    PrintProblem(absl::StrCat(settings, " will not do"), SettingsFix(settings), terminal);
  }
  const bool right = CheckSigners(host, terminal) && problems.empty();
  SetAgentDefaults(config);
  // What is no path was told above.
  if (!absl::StartsWith(config.connect_config(), "/")) return kUsage;
  const std::string again = absl::StrCat("connect-ha-agent check-config",
                                         settings_required ? " --config " + settings : "");
  const int connect = CheckConnectConfig(host, config.connect_config(), settings, again, terminal);
  return right ? connect : static_cast<int>(kUsage);
}

}  // namespace connect_ha
