// The machine as it is changed. Only agent/resources and agent/proof use it; probes see Host alone.
//
// Every call may be killed at any instruction and made again: what it was to make is then there,
// or not there, never half. Errors carry a message for a person; their code says whether trying
// again can help: Unavailable, DeadlineExceeded and Aborted pass by themselves, others need
// somebody.
#pragma once

#include <functional>

#include "agent/host/host.h"

namespace connect_ha {

struct FileAttributes {
  uint32_t mode = 0600;  // permission bits
  uint32_t uid = 0;
  uint32_t gid = 0;
};

// Commands that PID 1 runs for us, one after the other up to the first that fails: they, their
// result and their log outlive this process.
struct TransientService {
  std::string name;  // ends with .service; found again by it
  std::string description;
  // Programs by their whole path; where - stands before it, the command may fail, as in unit files.
  // No text of a service may have $, ", \, `, ; or a control
  // character.
  std::vector<std::vector<std::string>> commands;
  // Run in any case: where a command failed or took too long, before the service counts as failed;
  // else when its result is cleared.
  std::vector<std::vector<std::string>> at_end;
  std::vector<std::string> environment;     // NAME=value; never a secret
  std::string log_path;                     // standard output and error are appended
  std::chrono::milliseconds time_limit{0};  // of each command; 0: none
};

struct ServiceResult {
  enum class State { kAbsent, kRunning, kSucceeded, kFailed };
  State state = State::kAbsent;
  int exit_code = 0;   // of the command that failed; 128 + signal when killed by one
  std::string reason;  // systemd's word: exit-code, timeout, oom-kill
};

struct FetchRequest {
  std::string url;
  // Appended to, from where its end is: an interrupted transfer is taken up again. 0600.
  std::string path;
  uint64_t limit_bytes = 0;  // of the whole file
  bool allow_http = false;
  bool allow_file = false;
  // Given up when fewer bytes than a few arrive for so long.
  std::chrono::seconds stall_limit{30};
};

// Called now and then with the file's bytes so far and in all (0: not known); false stops the
// transfer with Cancelled.
using FetchProgress = std::function<bool(uint64_t done_bytes, uint64_t total_bytes)>;

struct UnpackRequest {
  std::string archive;    // tar, compressed or not
  std::string directory;  // made; must not be there
  // The first so many parts of each name are left out.
  int strip_components = 0;
  uint64_t limit_bytes = 0;  // unpacked
  uint64_t limit_entries = 0;
};

struct UnpackedFile {
  std::string path;    // below the directory
  std::string sha256;  // "" for a link
  std::string link;    // what a symbolic link points to
  uint32_t mode = 0;
};

class WritableHost : public Host {
 public:
  // Written beside, fsynced, renamed; owner and mode are right before the first byte is.
  virtual absl::Status WriteFile(const std::string& path, const std::string& content,
                                 const FileAttributes& attributes) = 0;
  virtual absl::Status SetAttributes(const std::string& path, const FileAttributes& attributes) = 0;
  // With those above it, root's, 0755. One that is there is left as it is.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  // Durable when it returns. AlreadyExists: `to` is there.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // A file, a link or a whole tree; never through a link. OK when nothing is there.
  virtual absl::Status Remove(const std::string& path) = 0;

  // Has the process that works on the network mount at `directory` do what is to be seen on all
  // nodes, or may hang: `operation` is one of agent/host/processes/shared_reader_wire.h, `request`
  // and the answer are its serialised messages. One at a time for each mount. DeadlineExceeded: it
  // has not come back for 30 s, or one before has not; nothing is asked until that came back, or
  // until its process could be replaced. FailedPrecondition: no network file system is mounted
  // there.
  virtual absl::StatusOr<std::string> WorkOnStorage(char operation, const std::string& directory,
                                                    const std::string& request) = 0;

  // Has systemd read its unit files anew (daemon-reload). Nothing is started, stopped or restarted.
  virtual absl::Status ReloadUnits() = 0;
  // A masked unit cannot be started by anyone. A unit that is not there yet can be masked too.
  virtual absl::Status MaskUnit(const std::string& name) = 0;
  virtual absl::Status UnmaskUnit(const std::string& name) = 0;
  // It starts with the machine, as its file under /etc/systemd/system says in [Install]; and
  // systemd has read its unit files anew.
  virtual absl::Status EnableUnit(const std::string& name) = 0;
  // Waits until it is active. Aborted: it came to something else. DeadlineExceeded: its start goes
  // on, and another call waits for it.
  virtual absl::Status StartUnit(const std::string& name, std::chrono::milliseconds deadline) = 0;
  // Has a service that runs read its configuration anew (systemctl reload), and waits for the end
  // of that. Aborted: it came to something else. DeadlineExceeded: it goes on.
  virtual absl::Status ReloadUnit(const std::string& name, std::chrono::milliseconds deadline) = 0;
  // Waits until it is inactive. OK when there is none.
  virtual absl::Status StopUnit(const std::string& name, std::chrono::milliseconds deadline) = 0;

  // Returns when it was started. AlreadyExists: one of this name runs, or its result was not
  // cleared.
  virtual absl::Status StartService(const TransientService& service) = 0;
  virtual absl::StatusOr<ServiceResult> ReadService(const std::string& name) = 0;
  // Forgets the result. FailedPrecondition: it still runs. OK when there is none.
  virtual absl::Status ClearService(const std::string& name) = 0;

  // One try. Redirects go to https only (and to http where allowed); certificates are verified;
  // a proxy is taken from the environment. NotFound: the server has no such file;
  // ResourceExhausted: it is larger than the limit, or the disk is full; FailedPrecondition: the
  // server's certificate, a redirect or a scheme will not do. Messages hold neither credentials nor
  // the query of an address.
  virtual absl::Status Fetch(const FetchRequest& request, const FetchProgress& progress) = 0;

  // Refuses, before it is written, every entry that would leave the directory (absolute names, ..,
  // links that point outside), that is neither file, directory nor link, or that is a setuid or
  // setgid file; and an archive beyond its limits. All files are root's. Durable when it returns;
  // sorted by path.
  virtual absl::StatusOr<std::vector<UnpackedFile>> Unpack(const UnpackRequest& request) = 0;
};

}  // namespace connect_ha
