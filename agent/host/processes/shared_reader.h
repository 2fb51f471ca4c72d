// Reads files on one network file system through a process of its own, which may hang in our
// stead: a thread that touches a hung NFS mount cannot be ended, a process can be left alone.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/fd.h"
#include "agent/host/host.h"
#include "agent/host/processes/spawn.h"

namespace connect_ha {

struct SharedReaderOptions {
  // The program that serves: one whose main calls ServeSharedReads(0).
  std::vector<std::string> command = {"/proc/self/exe", "read-shared"};
  // For messages: the mount point.
  std::string name;
  // An answer that takes longer is DeadlineExceeded, and the reader counts as hung.
  std::chrono::milliseconds deadline{5'000};
  // To start the process, which says nothing of the file system: Unavailable when it takes longer.
  std::chrono::milliseconds start_within{15'000};
  // A reader that has hung this long is killed; a new one starts once it is gone.
  std::chrono::milliseconds kill_after{30'000};
};

// The process is started at the first call. Calls may come from any thread, and are answered one
// at a time. While the reader hangs, every call fails at once with DeadlineExceeded and the time
// since when; when the late answer comes, the next call goes through again.
class SharedReader {
 public:
  explicit SharedReader(SharedReaderOptions options);
  ~SharedReader();

  absl::StatusOr<std::string> ReadFile(const std::string& path);
  absl::StatusOr<FileStatus> Stat(const std::string& path, bool follow);
  absl::StatusOr<std::string> ReadLink(const std::string& path);
  absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);
  absl::StatusOr<FileSystemUse> Use(const std::string& path);
  // Of at most 1 MiB.
  absl::StatusOr<std::string> ReadPiece(const std::string& path, uint64_t offset, size_t most);
  // The same of a file that everybody may read; FailedPrecondition for any other. Asked of what was
  // opened for it, each time: whoever can write the folder may put another file in its place.
  absl::StatusOr<std::string> ReadPublicPiece(const std::string& path, uint64_t offset,
                                              size_t most);
  // In pieces, each of them a call: other calls are answered between. Two minutes at the most.
  absl::StatusOr<std::string> HashFile(const std::string& path, const std::string& algorithm);

  // What writes, and more than one step of it (storage_work.h): `request` and the answer are
  // serialised messages of `operation` (shared_reader_wire.h).
  absl::StatusOr<std::string> Work(char operation, const std::string& path,
                                   const std::string& request);

  // -1: not running.
  pid_t pid();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  absl::StatusOr<std::string> Ask(char operation, const std::string& path,
                                  const std::string& argument = "");
  absl::Status MakeReady();
  absl::Status Start();
  absl::Status Hung() const;
  // One whole answer; DeadlineExceeded when it is not here by then, Unavailable at end of file.
  absl::StatusOr<std::string> Receive(SteadyTime deadline);
  void Stop();

  const SharedReaderOptions options_;
  std::timed_mutex mutex_;
  std::atomic<bool> is_starting_{false};
  Fd socket_;
  Child child_;
  std::string received_;      // of the answer that is coming in
  bool outstanding_ = false;  // a request has no answer yet
  bool killed_ = false;       // and the process was told to go, but has not gone
  SteadyTime asked_{};
  Time asked_at_{};
};

// The process's side: says that it is there, and answers requests on `socket` until the other end
// closes it. Returns main's exit code.
int ServeSharedReads(int socket);

}  // namespace connect_ha
