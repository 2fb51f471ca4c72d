// What the validations of configuration files share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/spec/config_loader.h"

namespace connect_ha {

// Where a specification may name files whose content goes into Connect's configuration. What else
// root can read on a node is nobody's business.
inline constexpr char kSecretsDirectory[] = "/etc/connect-ha/secrets";

// Collects problems, each at the place of the value, or of the nearest thing around it.
class Checker {
 public:
  // Borrows the positions.
  Checker(const std::string& file, const FilePositions& positions)
      : file_(file), positions_(positions) {}

  // The problem goes on from the path: Require(false, "cluster", "is missing").
  void Require(bool holds, const std::string& path, const std::string& problem);
  void Warn(const std::string& path, const std::string& problem);
  void Note(const std::string& path, const std::string& problem);

  std::vector<ConfigProblem> TakeProblems() { return std::move(problems_); }

 private:
  void Add(Severity severity, const std::string& path, const std::string& problem);
  FilePosition Find(std::string path) const;

  const std::string file_;
  const FilePositions& positions_;
  std::vector<ConfigProblem> problems_;
};

// connect, runtimes, secrets, downloads, and whether they fit together.
void CheckInstallation(const v1::ClusterSpec& spec, Checker& checker);
// nodes, load_balancer, rollout.
void CheckService(const v1::ClusterSpec& spec, Checker& checker);

// Every text in it: of a length that nobody needs more than, and without control characters. `path`
// is where `message` stands, as in FilePositions.
void CheckTexts(const google::protobuf::Message& message, const std::string& path,
                Checker& checker);

// Forms of values.
bool IsDigits(const std::string& text);
// Three numbers with dots between, in the one form that directories and packages have: 4.3.3, not
// 4.03.3.
bool IsFullVersion(const std::string& text);
// 2024.08.0, perhaps with -dev or -preview. Not a package's version: 2024.08.0~ubuntu22.
bool IsConnectVersion(const std::string& text);
// Absolute, without control characters, and in the one form that mount tables have.
bool IsPlainPath(const std::string& path);
// A name below a directory: relative, without . and .. in it.
bool IsNameBelow(const std::string& path);
// Of a file in a directory that is named elsewhere: 1 to 64 letters, digits, _ . and -, the first a
// letter or a digit.
bool IsFileName(const std::string& text);
// What passwd(5) keeps and no program takes for an option: 1 to 32 letters, digits, _ . - and @,
// the first a letter or _.
bool IsAccountName(const std::string& text);
bool HasBlank(const std::string& text);
// Of a host, or an address: nothing that a shell takes for more than a word.
bool IsHostName(const std::string& text);
// A plain path below kSecretsDirectory: whoever writes a specification names no other file of a
// node.
bool IsSecretFile(const std::string& path);
bool IsFileSystemId(const std::string& text);   // of EFS: fs-0123456789abcdef0
bool IsAccessPointId(const std::string& text);  // of EFS: fsap-0123456789abcdef0
// A plain path that a unit's file can name: systemd has a limit to the names of units, and takes
// \ at the end of a line for its continuation.
bool IsMountPoint(const std::string& path);
bool IsFileMode(const std::string& text);  // 0755, 2770, 750
bool IsRegion(const std::string& text);    // us-east-1, us-gov-west-1
bool IsSha256(const std::string& text);    // 64 hex digits, lower case

}  // namespace connect_ha
