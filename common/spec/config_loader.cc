#include "common/spec/config_loader.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file.h"

namespace connect_ha {
namespace {

template <typename Config>
std::vector<ConfigProblem> Load(const std::string& path, Config& config, FilePositions& positions,
                                std::vector<ConfigProblem> (*validate)(const Config&,
                                                                       const std::string&,
                                                                       const FilePositions&)) {
  const auto text = ReadSmallFile(path);
  if (!text.ok()) return {{path, {}, std::string(text.status().message())}};
  auto problems = ParseYaml(*text, path, config, &positions);
  if (!problems.empty() && positions.empty()) return problems;  // nothing could be read
  return AddProblems(std::move(problems), validate(config, path, positions));
}

const char* SeverityPrefix(Severity severity) {
  switch (severity) {
    case Severity::kWarning:
      return "warning: ";
    case Severity::kNote:
      return "note: ";
    default:
      return "";
  }
}

}  // namespace

void SortProblems(std::vector<ConfigProblem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.position.line, a.position.column) <
           std::tie(b.position.line, b.position.column);
  });
}

bool HasErrors(const std::vector<ConfigProblem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const ConfigProblem& problem) {
    return problem.severity == Severity::kError;
  });
}

std::vector<ConfigProblem> AddProblems(std::vector<ConfigProblem> read,
                                       std::vector<ConfigProblem> found) {
  const size_t count = read.size();
  for (ConfigProblem& problem : found) {
    const bool follows = std::any_of(read.begin(), read.begin() + count, [&](const auto& earlier) {
      return !earlier.unread.empty() && absl::StrContains(problem.message, earlier.unread);
    });
    if (!follows) read.push_back(std::move(problem));
  }
  SortProblems(read);
  return read;
}

std::string FormatProblems(const std::vector<ConfigProblem>& problems) {
  std::string text;
  for (const ConfigProblem& problem : problems) {
    absl::StrAppend(&text, problem.file, problem.file.empty() ? "" : ":");
    if (problem.position.line > 0) {
      absl::StrAppend(&text, problem.position.line, ":", problem.position.column, ":");
    }
    absl::StrAppend(&text, text.empty() || text.back() == '\n' ? "" : " ",
                    SeverityPrefix(problem.severity), problem.message, "\n");
  }
  return text;
}

std::vector<ConfigProblem> LoadClusterSpec(const std::string& path, v1::ClusterSpec& spec,
                                           FilePositions* positions) {
  FilePositions unused;
  return Load(path, spec, positions == nullptr ? unused : *positions, ValidateClusterSpec);
}

std::vector<ConfigProblem> LoadAgentConfig(const std::string& path, MissingFile missing,
                                           v1::AgentConfig& config) {
  std::vector<ConfigProblem> problems;
  const bool defaults =
      missing == MissingFile::kMeansDefaults && absl::IsNotFound(ReadSmallFile(path).status());
  FilePositions positions;
  if (!defaults) problems = Load(path, config, positions, ValidateAgentConfig);
  SetAgentDefaults(config);
  return problems;
}

}  // namespace connect_ha
