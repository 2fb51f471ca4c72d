#include "common/spec/spec_bundle.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/file.h"
#include "common/spec/config_checker.h"
#include "common/spec/connect_template.h"

namespace connect_ha {
namespace {

namespace fs = std::filesystem;

void Append(std::vector<ConfigProblem>& problems, std::vector<ConfigProblem> more) {
  std::move(more.begin(), more.end(), std::back_inserter(problems));
}

std::string Beside(const std::string& path, const std::string& name) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? name : path.substr(0, slash + 1) + name;
}

// A regular file of at most `limit` bytes.
absl::StatusOr<std::string> ReadNamedFile(const std::string& path, size_t limit) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!error && fs::exists(status) && !fs::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is no file"));
  }
  const auto size = fs::file_size(path, error);
  if (!error && size > limit) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " has ", size, " bytes, the limit is ", limit));
  }
  return ReadSmallFile(path);
}

// Reads what `field` names into `content`.
template <typename Store>
void ReadBeside(const std::string& spec_path, const std::string& name, const std::string& field,
                size_t limit, Checker& checker, Store store) {
  if (!IsNameBelow(name)) return;  // reported already
  auto content = ReadNamedFile(Beside(spec_path, name), limit);
  if (content.ok()) {
    store(*std::move(content));
  } else {
    checker.Require(
        false, field,
        absl::StrCat("names a file that will not do: ", std::string(content.status().message())));
  }
}

void CheckFiles(const v1::SpecBundle& bundle, Checker& checker) {
  const v1::ConnectSpec& connect = bundle.spec().connect();
  checker.Require(connect.has_config() || !bundle.has_connect_config(), "connect.config",
                  "is missing, though its file was given");
  checker.Require(connect.has_license() || !bundle.has_license(), "connect.license",
                  "is missing, though its file was given");
  checker.Require(bundle.connect_config().size() <= kMaxConnectConfigBytes, "connect.config",
                  absl::StrCat("names a file over the limit of ", kMaxConnectConfigBytes));
  checker.Require(bundle.license().size() <= kMaxLicenseBytes, "connect.license.file",
                  absl::StrCat("names a file over the limit of ", kMaxLicenseBytes));
  checker.Require(!bundle.has_license() || !bundle.license().empty(), "connect.license.file",
                  "names an empty file");
}

// Secrets that no ${secret.NAME} asks for.
void AdviseOnSecrets(const v1::SpecBundle& bundle, Checker& checker) {
  const auto used = SecretsInTemplate(bundle.connect_config());
  const std::map<std::string, v1::SecretSpec> secrets(bundle.spec().secrets().begin(),
                                                      bundle.spec().secrets().end());
  for (const auto& [name, secret] : secrets) {
    if (std::find(used.begin(), used.end(), name) != used.end()) continue;
    checker.Warn(absl::StrCat("secrets.", name), absl::StrCat("is not used: no ${secret.", name,
                                                              "} is in Connect's configuration"));
  }
}

// Whatever can be said once the specification could be read.
std::vector<ConfigProblem> CheckBeyondSpec(const v1::SpecBundle& bundle, const std::string& file,
                                           const FilePositions& positions) {
  Checker checker(file, positions);
  CheckFiles(bundle, checker);
  AdviseOnSecrets(bundle, checker);
  return checker.TakeProblems();
}

std::vector<ConfigProblem> CheckConfig(const v1::SpecBundle& bundle, const std::string& file) {
  if (!bundle.has_connect_config()) return {};
  return CheckConnectTemplate(bundle.connect_config(),
                              Beside(file, bundle.spec().connect().config()), bundle.spec());
}

}  // namespace

std::vector<ConfigProblem> LoadSpecBundle(const std::string& path, v1::SpecBundle& bundle) {
  FilePositions positions;
  auto problems = LoadClusterSpec(path, *bundle.mutable_spec(), &positions);
  if (HasErrors(problems) && positions.empty()) return problems;
  auto source = ReadSmallFile(path);
  if (source.ok()) bundle.set_source(*std::move(source));
  Checker checker(path, positions);
  const v1::ConnectSpec& connect = bundle.spec().connect();
  if (connect.has_config()) {
    ReadBeside(path, connect.config(), "connect.config", kMaxConnectConfigBytes, checker,
               [&](std::string text) { bundle.set_connect_config(std::move(text)); });
  }
  if (connect.has_license()) {
    ReadBeside(path, connect.license().file(), "connect.license.file", kMaxLicenseBytes, checker,
               [&](std::string bytes) { bundle.set_license(std::move(bytes)); });
  }
  Append(problems, checker.TakeProblems());
  Append(problems, CheckBeyondSpec(bundle, path, positions));
  Append(problems, CheckRules(bundle.spec(), path, positions));
  Append(problems, AdviseOnClusterSpec(bundle.spec(), path, positions));
  SortProblems(problems);
  Append(problems, CheckConfig(bundle, path));
  return problems;
}

std::vector<ConfigProblem> CheckSpecBundle(const v1::SpecBundle& bundle, const std::string& file,
                                           const FilePositions& positions) {
  auto problems = ValidateClusterSpec(bundle.spec(), file, positions);
  Append(problems, CheckBeyondSpec(bundle, file, positions));
  const v1::ConnectSpec& connect = bundle.spec().connect();
  Checker checker(file, positions);
  checker.Require(!connect.has_config() || bundle.has_connect_config(), "connect.config",
                  "names a file that was not given");
  checker.Require(!connect.has_license() || bundle.has_license(), "connect.license.file",
                  "names a file that was not given");
  Append(problems, checker.TakeProblems());
  Append(problems, AdviseOnClusterSpec(bundle.spec(), file, positions));
  SortProblems(problems);
  Append(problems, CheckConfig(bundle, file));
  return problems;
}

}  // namespace connect_ha
