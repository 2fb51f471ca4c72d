#include "agent/host/processes/shared_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/host/errors.h"
#include "agent/host/files/files.h"
#include "agent/host/processes/shared_reader_wire.h"

namespace connect_ha {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

template <typename T>
absl::StatusOr<T> Decode(const absl::StatusOr<std::string>& answer) {
  if (!answer.ok()) return answer.status();
  T value;
  if (answer->size() != sizeof value) return absl::InternalError("a malformed answer");
  std::memcpy(&value, answer->data(), sizeof value);
  return value;
}

}  // namespace

SharedReader::SharedReader(SharedReaderOptions options) : options_(std::move(options)) {}

SharedReader::~SharedReader() { Stop(); }

void SharedReader::Stop() {
  socket_.Reset();
  if (child_.pid > 0) KillAndReap(std::move(child_));
  child_ = Child();
  received_.clear();
  outstanding_ = false;
  killed_ = false;
}

absl::Status SharedReader::Hung() const {
  return absl::DeadlineExceededError(absl::StrCat(
      "the file system at ", options_.name, " has not answered since ", FormatUtc(asked_at_)));
}

absl::Status SharedReader::Start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "cannot make a socket pair");
  }
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  SpawnRequest request;
  request.arguments = options_.command;
  request.environment = {absl::StrCat("PATH=", kCommandPath), "LANG=C.UTF-8"};
  request.input = theirs.get();
  absl::StatusOr<Child> child = Spawn(request, options_.deadline);
  if (!child.ok()) return child.status();
  fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  child_ = std::move(*child);
  socket_ = std::move(ours);
  const absl::Status greeted = Receive(steady_clock::now() + options_.start_within).status();
  if (greeted.ok()) return greeted;
  Stop();
  if (!absl::IsDeadlineExceeded(greeted)) return greeted;
  return absl::UnavailableError(
      absl::StrCat("the process that reads ", options_.name, " has not started in time"));
}

// After this a request may be sent, or the reason is returned why not.
absl::Status SharedReader::MakeReady() {
  if (killed_) {
    pollfd gone{child_.exited.get(), POLLIN, 0};
    if (poll(&gone, 1, 0) <= 0) return Hung();
    Stop();
  }
  if (outstanding_) {
    const absl::StatusOr<std::string> late = Receive(steady_clock::now());
    if (absl::IsDeadlineExceeded(late.status())) {
      if (steady_clock::now() - asked_ >= options_.kill_after) {
        kill(child_.pid, SIGKILL);
        killed_ = true;
      }
      return Hung();
    }
    outstanding_ = false;
    if (!late.ok()) Stop();
  }
  if (child_.pid > 0) return absl::OkStatus();
  is_starting_ = true;
  const absl::Status started = Start();
  is_starting_ = false;
  return started;
}

absl::StatusOr<std::string> SharedReader::Receive(SteadyTime deadline) {
  std::array<char, 64 * 1024> buffer;
  while (true) {
    std::string message;
    if (TakeMessage(received_, message)) return message;
    const auto left = duration_cast<milliseconds>(deadline - steady_clock::now()).count();
    pollfd item{socket_.get(), POLLIN, 0};
    const int ready = poll(&item, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return absl::DeadlineExceededError("no answer yet");
    const ssize_t count = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) {
      return absl::UnavailableError(
          absl::StrCat("the process that reads ", options_.name, " has ended"));
    }
    received_.append(buffer.data(), static_cast<size_t>(count));
  }
}

absl::StatusOr<std::string> SharedReader::Ask(char operation, const std::string& path,
                                              const std::string& argument) {
  const std::unique_lock<std::timed_mutex> lock(mutex_, options_.deadline);
  if (!lock.owns_lock() && is_starting_) {
    return absl::UnavailableError(
        absl::StrCat("the process that reads ", options_.name, " is being started"));
  }
  if (!lock.owns_lock()) {
    return absl::DeadlineExceededError(
        absl::StrCat("the file system at ", options_.name, " does not answer"));
  }
  if (const absl::Status status = MakeReady(); !status.ok()) return status;
  const std::string request =
      MakeMessage(absl::StrCat(std::string(1, operation), path, std::string(1, '\0'), argument));
  asked_ = steady_clock::now();
  asked_at_ =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  if (send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    Stop();
    return absl::UnavailableError(
        absl::StrCat("the process that reads ", options_.name, " has ended"));
  }
  absl::StatusOr<std::string> answer = Receive(asked_ + options_.deadline);
  if (answer.ok()) return DecodeAnswer(*answer);
  if (absl::IsDeadlineExceeded(answer.status())) {
    outstanding_ = true;
    return Hung();
  }
  Stop();
  return answer.status();
}

absl::StatusOr<std::string> SharedReader::ReadFile(const std::string& path) {
  return Ask(kReadOperation, path);
}

absl::StatusOr<FileStatus> SharedReader::Stat(const std::string& path, bool follow) {
  return Decode<FileStatus>(Ask(follow ? kStatOperation : kLStatOperation, path));
}

absl::StatusOr<FileSystemUse> SharedReader::Use(const std::string& path) {
  return Decode<FileSystemUse>(Ask(kUseOperation, path));
}

absl::StatusOr<std::string> SharedReader::ReadLink(const std::string& path) {
  return Ask(kReadLinkOperation, path);
}

absl::StatusOr<std::vector<std::string>> SharedReader::ListDirectory(const std::string& path) {
  const absl::StatusOr<std::string> answer = Ask(kListOperation, path);
  if (!answer.ok()) return answer.status();
  std::vector<std::string> names = absl::StrSplit(*answer, '\0', absl::SkipEmpty());
  return names;
}

absl::StatusOr<std::string> SharedReader::HashFile(const std::string& path,
                                                   const std::string& algorithm) {
  std::string piece;
  uint64_t offset = 0;
  const auto next = [&]() -> absl::StatusOr<absl::string_view> {
    absl::StatusOr<std::string> read = ReadPiece(path, offset, kLargestPiece);
    if (!read.ok()) return read.status();
    piece = *std::move(read);
    offset += piece.size();
    return absl::string_view(piece);
  };
  return HashPieces(path, algorithm, kHashWithin, next);
}

absl::StatusOr<std::string> SharedReader::ReadPiece(const std::string& path, uint64_t offset,
                                                    size_t most) {
  return Ask(kPieceOperation, path, absl::StrCat(offset, " ", std::min(most, kLargestPiece)));
}

absl::StatusOr<std::string> SharedReader::ReadPublicPiece(const std::string& path, uint64_t offset,
                                                          size_t most) {
  return Ask(kPublicPieceOperation, path, absl::StrCat(offset, " ", std::min(most, kLargestPiece)));
}

absl::StatusOr<std::string> SharedReader::Work(char operation, const std::string& path,
                                               const std::string& request) {
  return Ask(operation, path, request);
}

pid_t SharedReader::pid() {
  const std::lock_guard<std::timed_mutex> lock(mutex_);
  return child_.pid;
}

}  // namespace connect_ha
