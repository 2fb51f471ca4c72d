#include "agent/host/processes/beacon_work.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/fd_io.h"
#include "agent/host/files/files.h"
#include "agent/host/processes/storage_work.h"
#include "connect_ha/v1/beacon_work.pb.h"

namespace connect_ha {
namespace {

constexpr char kBeacons[] = "beacons";
constexpr size_t kMostBytes = 4096;
constexpr size_t kMostFound = 256;
constexpr size_t kMostListed = 10'000;
// Names of nodes and clusters have 63, ids of machines and boots 36, nonces 32.
constexpr size_t kMostCharacters = 64;

// As names, ids and nonces are: no path, and nothing that a terminal would take for more.
bool IsPlain(std::string_view text) {
  return text.size() <= kMostCharacters && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
         });
}

bool IsName(std::string_view text) { return !text.empty() && IsPlain(text); }

bool IsBeacon(const v1::BeaconFile& beacon) {
  return IsName(beacon.node()) && IsName(beacon.cluster()) && IsName(beacon.machine_id()) &&
         IsName(beacon.nonce()) && IsPlain(beacon.boot_id()) && IsPlain(beacon.challenge());
}

std::string PathIn(const std::string& directory) {
  return absl::StrCat(directory, "/", kOwnFolder, "/", kBeacons);
}

// Always the same, so that what a killed run left there is found and removed. No node is named so.
std::string TemporaryName(const std::string& node) { return "." + node + ".new"; }

absl::Status WriteTemporary(const Fd& beacons, const std::string& name, const std::string& bytes,
                            const std::string& path, const std::string& what) {
  if (unlinkat(beacons.get(), name.c_str(), 0) != 0 && errno != ENOENT) {
    return ChangeStatus(errno, what);
  }
  const Fd file(openat(beacons.get(), name.c_str(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return ChangeStatus(errno, what);
  if (const StorageTrouble trouble = CheckFolderIsOurs(beacons, file, path); !trouble.ok()) {
    return absl::FailedPreconditionError(trouble.text);
  }
  if (!WriteFully(file.get(), bytes) || fsync(file.get()) != 0) return ChangeStatus(errno, what);
  return absl::OkStatus();
}

absl::Status WriteOwn(const Fd& folder, const std::string& node, const std::string& bytes,
                      const std::string& path) {
  const int beacons = folder.get();
  const std::string what = absl::StrCat("cannot write ", path, "/", node);
  const std::string temporary = TemporaryName(node);
  absl::Status status = WriteTemporary(folder, temporary, bytes, path, what);
  if (status.ok() && renameat(beacons, temporary.c_str(), beacons, node.c_str()) != 0) {
    status = ChangeStatus(errno, what);
  }
  if (!status.ok()) unlinkat(beacons, temporary.c_str(), 0);
  return status;
}

absl::StatusOr<std::string> ReadOnce(int beacons, const std::string& node) {
  const Fd file(openat(beacons, node.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.ok() && errno == ELOOP) return absl::FailedPreconditionError("is a link");
  if (!file.ok()) return ErrnoStatus(errno, "cannot be read");
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return ErrnoStatus(errno, "cannot be read");
  if (!S_ISREG(status.st_mode)) return absl::FailedPreconditionError("is not a file");
  std::string bytes;
  if (!ReadFully(file.get(), kMostBytes + 1, bytes)) return ErrnoStatus(errno, "cannot be read");
  if (bytes.size() <= kMostBytes) return bytes;
  return absl::FailedPreconditionError(absl::StrCat("is larger than ", kMostBytes, " bytes"));
}

// Its owner may put another in its place at any moment, and what was opened is then stale.
absl::StatusOr<std::string> ReadBounded(int beacons, const std::string& node) {
  absl::StatusOr<std::string> bytes = ReadOnce(beacons, node);
  return absl::IsUnavailable(bytes.status()) ? ReadOnce(beacons, node) : bytes;
}

absl::Status ReadBack(int beacons, const std::string& node, const std::string& bytes,
                      const std::string& path) {
  const absl::StatusOr<std::string> read = ReadBounded(beacons, node);
  const std::string what = absl::StrCat(path, "/", node, ", just written, ");
  if (!read.ok()) {
    return absl::Status(read.status().code(), absl::StrCat(what, read.status().message()));
  }
  if (*read == bytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(what, "is another when it is read back"));
}

v1::FoundBeacon Judge(const std::string& node, const std::string& cluster,
                      const absl::StatusOr<std::string>& bytes) {
  v1::FoundBeacon found;
  found.set_node(node);
  v1::BeaconFile beacon;
  if (!bytes.ok()) {
    found.set_error(std::string(bytes.status().message()));
  } else if (!beacon.ParseFromString(*bytes) || !IsBeacon(beacon)) {
    found.set_error("is not a beacon");
  } else if (beacon.cluster() != cluster) {
    found.set_error("is of another cluster: " + beacon.cluster());
  } else if (beacon.node() != node) {
    found.set_error("is the beacon of " + beacon.node());
  } else {
    beacon.DiscardUnknownFields();
    *found.mutable_beacon() = beacon;
  }
  return found;
}

absl::Status ReadOthers(int beacons, const v1::BeaconFile& own, const std::string& path,
                        v1::BeaconsFound& answer) {
  const absl::StatusOr<std::vector<std::string>> names =
      ListDirectoryHere(absl::StrCat("/proc/self/fd/", beacons), kMostListed);
  if (!names.ok()) {
    return absl::Status(names.status().code(),
                        absl::IsResourceExhausted(names.status())
                            ? absl::StrCat(path, " holds more than ", kMostListed, " names")
                            : absl::StrCat("cannot list ", path));
  }
  for (const std::string& name : *names) {
    if (!IsName(name) || name == own.node()) continue;
    if (static_cast<size_t>(answer.found_size()) == kMostFound) {
      answer.set_left_out(answer.left_out() + 1);
      continue;
    }
    const absl::StatusOr<std::string> bytes = ReadBounded(beacons, name);
    if (absl::IsNotFound(bytes.status())) continue;  // removed meanwhile
    *answer.add_found() = Judge(name, own.cluster(), bytes);
  }
  return absl::OkStatus();
}

void Forget(int beacons, const v1::BeaconExchange& exchange) {
  for (const std::string& node : exchange.forget()) {
    if (!IsName(node) || node == exchange.own().node()) continue;
    unlinkat(beacons, node.c_str(), 0);
    unlinkat(beacons, TemporaryName(node).c_str(), 0);
  }
}

StorageTrouble OpenBeacons(const std::string& directory, const Fd& shared, Fd& beacons) {
  Fd folder;
  if (StorageTrouble trouble = OpenOwnFolder(shared, directory, folder); !trouble.ok()) {
    return trouble;
  }
  constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::string path = PathIn(directory);
  beacons.Reset(openat(folder.get(), kBeacons, kFolder));
  if (!beacons.ok() && errno == ENOENT) {
    if (mkdirat(folder.get(), kBeacons, 0700) != 0 && errno != EEXIST) {
      return StorageTroubleOf(errno, "cannot make " + path);
    }
    beacons.Reset(openat(folder.get(), kBeacons, kFolder));
  }
  if (!beacons.ok()) return StorageTroubleOf(errno, "cannot open " + path);
  // So that what shows whose the one is (WriteTemporary) shows it of the other.
  return CheckFolderIsOurs(folder, beacons, absl::StrCat(directory, "/", kOwnFolder));
}

// What kept it from being done; what could be read is in the answer all the same.
absl::Status Exchange(const Fd& folder, const v1::BeaconExchange& exchange, const std::string& path,
                      v1::BeaconsFound& answer) {
  const int beacons = folder.get();
  Forget(beacons, exchange);
  const std::string bytes = exchange.own().SerializeAsString();
  const std::string& node = exchange.own().node();
  absl::Status status = WriteOwn(folder, node, bytes, path);
  if (status.ok()) status = ReadBack(beacons, node, bytes, path);
  const absl::Status read = ReadOthers(beacons, exchange.own(), path, answer);
  return status.ok() ? read : status;
}

}  // namespace

absl::StatusOr<std::string> ExchangeBeaconsHere(const std::string& directory,
                                                const std::string& request) {
  v1::BeaconExchange exchange;
  if (!exchange.ParseFromString(request) || !IsBeacon(exchange.own())) {
    return absl::InvalidArgumentError("a malformed request");
  }
  v1::BeaconsFound answer;
  Fd shared;
  Fd beacons;
  StorageTrouble trouble = OpenShared(directory, exchange.device(), shared);
  if (trouble.error == EXDEV) return absl::AbortedError(trouble.text);
  if (trouble.ok()) trouble = OpenBeacons(directory, shared, beacons);
  if (trouble.ok()) {
    const absl::Status status = Exchange(beacons, exchange, PathIn(directory), answer);
    answer.set_error(std::string(status.message()));
  } else {
    answer.set_error(trouble.text);
  }
  return answer.SerializeAsString();
}

}  // namespace connect_ha
