// The machine behind one interface: LinuxHost is the real one, FakeHost (tests/fakes) the other.
//
// Every call returns within a bounded time, but for two things. Users and groups come from whatever
// /etc/nsswitch.conf names, which is asked in this process: a directory service that does not
// answer holds the caller for as long as its module waits (sssd: 10 s; nss_ldap: two minutes and
// more). A read of a local disk that fails slowly holds it as long as the kernel tries. NotFound
// means that the thing is not there (observed absent); every other error means that it could not be
// observed, with a message for a person. All calls may be made from any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/time.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct FileStatus {
  enum class Kind { kFile, kDirectory, kLink, kOther };
  Kind kind = Kind::kFile;
  uint32_t mode = 0;  // permission bits only
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t size_bytes = 0;
  uint64_t inode = 0;
  uint64_t device = 0;
  Time modified_at{};
  // Of the content or of the metadata (ctime). Nobody can put it back.
  Time changed_at{};
};

// Whether nothing was written to the file, and no other put in its place.
inline bool SameFile(const FileStatus& a, const FileStatus& b) {
  return a.device == b.device && a.inode == b.inode && a.size_bytes == b.size_bytes &&
         a.modified_at == b.modified_at && a.changed_at == b.changed_at;
}

// A variable that a unit gives its process, and where it is written. Holds secrets.
struct UnitVariable {
  std::string assignment;  // NAME=value
  std::string file;        // an environment file, a unit's file or drop-in; "": not known
  unsigned line = 0;       // 0: not known
};

struct CommandOptions {
  std::chrono::milliseconds deadline{10'000};
  size_t output_limit_bytes = 64 * 1024;
  // Run as this account; empty: as the agent itself. What it leaves behind in other sessions is
  // ended with it.
  std::string account;
  // With a home, and a place for temporary files, that is made for this run and removed after it:
  // nothing that lies in the account's own has a say in what the program does.
  bool empty_home = false;
  // Where there is more output than the limit, the end of it and not the beginning.
  bool keep_end = false;
  // In addition to PATH, HOME and LANG=C.UTF-8. Never a secret.
  std::vector<std::string> environment;
  std::string directory = "/";
};

struct CommandResult {
  int exit_code = -1;  // 128 + signal when killed by one
  bool timed_out = false;
  std::string output;  // standard output and standard error, cut at the limit
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;
  std::chrono::milliseconds timeout{2'000};
  size_t body_limit_bytes = 256 * 1024;
  // False only for https to this machine itself, whose certificate names another.
  bool verify_certificate = true;
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

struct UserEntry {
  std::string name;
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string primary_group;     // "" when the gid has no name
  std::vector<uint32_t> groups;  // sorted, the primary one included
};

struct KernelClock {
  bool synchronized = false;
  std::chrono::microseconds max_error{0};
};

struct FileSystemUse {
  uint64_t size_bytes = 0;
  uint64_t free_bytes = 0;  // to an unprivileged user
  bool read_only = false;
};

class Host {
 public:
  virtual ~Host() = default;

  // Files. A path on a network file system is read by a separate process that may hang in our
  // stead; a call that does not come back in time is DeadlineExceeded.
  virtual absl::StatusOr<std::string> ReadFile(const std::string& path) = 0;
  virtual absl::StatusOr<FileStatus> Stat(const std::string& path) = 0;   // follows links
  virtual absl::StatusOr<FileStatus> LStat(const std::string& path) = 0;  // does not
  // As LStat, to find out whether a file system answers: of one on the network it is asked by a
  // process that does nothing else, so that no other read holds it up.
  virtual absl::StatusOr<FileStatus> LookAlone(const std::string& path) { return LStat(path); }
  virtual absl::StatusOr<std::string> ReadLink(const std::string& path) = 0;
  // Names, sorted, without "." and "..". ResourceExhausted: more than 100,000.
  virtual absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) = 0;
  // SHA-256 (or MD5, dpkg's) of a file's bytes, hex, read in pieces, in two minutes at the most.
  virtual absl::StatusOr<std::string> HashFile(const std::string& path, const char* algorithm) = 0;
  // A file system on the network says of its size what its server tells.
  virtual absl::StatusOr<FileSystemUse> Use(const std::string& path) = 0;

  virtual absl::StatusOr<UserEntry> LookUpUser(const std::string& name) = 0;
  virtual absl::StatusOr<uint32_t> LookUpGroup(const std::string& name) = 0;

  // systemd, over one warm bus connection. NotFound: no such unit.
  virtual absl::StatusOr<v1::Unit> ReadUnit(const std::string& name) = 0;
  // What a service would be given if it was started now: systemd's own environment, Environment=
  // and the files of EnvironmentFile=, in effect order. Holds secrets: never report it.
  virtual absl::StatusOr<std::vector<UnitVariable>> ReadUnitEnvironment(
      const std::string& name) = 0;
  // NAME=value as the main process of a service was given them. NotFound: it does not run. Holds
  // secrets: never report it.
  virtual absl::StatusOr<std::vector<std::string>> ReadProcessEnvironment(
      const std::string& unit) = 0;

  virtual absl::StatusOr<CommandResult> Run(const std::vector<std::string>& arguments,
                                            const CommandOptions& options) = 0;
  virtual absl::StatusOr<HttpResponse> Http(const HttpRequest& request) = 0;
  virtual absl::StatusOr<KernelClock> ReadKernelClock() = 0;
  virtual Time Now() = 0;
};

}  // namespace connect_ha
