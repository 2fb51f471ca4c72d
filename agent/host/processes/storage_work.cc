#include "agent/host/processes/storage_work.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd_io.h"
#include "connect_ha/v1/facts.pb.h"
#include "connect_ha/v1/storage_work.pb.h"

namespace connect_ha {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// More than a page, and nothing that a file system would notice once a minute.
constexpr size_t kWorkBytes = 8 * 1024;
// No account of a node's, and not nobody either, whom a server may mean by it.
constexpr uid_t kStranger = 65533;
constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

StorageTrouble Seen(const std::string& text) { return {0, text}; }

struct ErrorName {
  int error;
  const char* name;
};
constexpr ErrorName kErrorNames[] = {
    {EACCES, "EACCES"}, {EDQUOT, "EDQUOT"}, {EIO, "EIO"},     {ELOOP, "ELOOP"},
    {ENOENT, "ENOENT"}, {ENOSPC, "ENOSPC"}, {EPERM, "EPERM"}, {ENOTDIR, "ENOTDIR"},
    {EROFS, "EROFS"},   {ESTALE, "ESTALE"},
};

// Other bytes in each round: what an earlier one left cannot pass for them.
std::string NewContent() {
  const std::string line = absl::StrCat(
      duration_cast<microseconds>(system_clock::now().time_since_epoch()).count(), "\n");
  std::string content;
  while (content.size() < kWorkBytes) content += line;
  return content;
}

std::string OwnerText(uint64_t uid, uint64_t gid) { return absl::StrCat(uid, ":", gid); }

class RoundOfWork {
 public:
  RoundOfWork(const std::string& directory, const v1::StorageRoundRequest& request)
      : directory_(directory),
        device_(request.device()),
        file_(absl::StrCat("work-", request.node())),
        renamed_(absl::StrCat(file_, ".renamed")),
        content_(NewContent()) {
    round_.set_directory(absl::StrCat(directory, "/", kOwnFolder));
  }

  void Do() {
    if (Take(v1::StorageStep::CREATE, &RoundOfWork::Create) &&
        Take(v1::StorageStep::WRITE, &RoundOfWork::Write) &&
        Take(v1::StorageStep::READ_BACK, &RoundOfWork::ReadBack)) {
      Take(v1::StorageStep::CHANGE_OWNER, &RoundOfWork::ChangeOwner);
      if (Take(v1::StorageStep::RENAME, &RoundOfWork::Rename)) {
        Take(v1::StorageStep::UNLINK, &RoundOfWork::Unlink);
      }
    }
    CleanUp();
  }

  // Something else is mounted by now.
  const StorageTrouble& moved() const { return moved_; }
  const v1::StorageRound& round() const { return round_; }

 private:
  bool Take(v1::StorageStep::Name name, StorageTrouble (RoundOfWork::*step)()) {
    const auto began = steady_clock::now();
    const StorageTrouble trouble = (this->*step)();
    v1::StorageStep& taken = *round_.add_steps();
    taken.set_name(name);
    taken.set_passed(trouble.ok());
    taken.set_duration_us(duration_cast<microseconds>(steady_clock::now() - began).count());
    if (trouble.ok()) return true;
    taken.set_error(trouble.text);
    if (const std::string error = ErrnoName(trouble.error); !error.empty()) {
      taken.set_error_name(error);
    }
    return false;
  }

  std::string Path() const { return absl::StrCat(round_.directory(), "/", file_); }
  StorageTrouble Failed(const std::string& what) const { return StorageTroubleOf(errno, what); }

  StorageTrouble Create() {
    Fd shared;
    if (StorageTrouble trouble = OpenShared(directory_, device_, shared); !trouble.ok()) {
      if (trouble.error == EXDEV) moved_ = trouble;
      return trouble;
    }
    if (StorageTrouble trouble = OpenOwnFolder(shared, directory_, folder_); !trouble.ok()) {
      return trouble;
    }
    constexpr int kNew = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    made_.Reset(openat(folder_.get(), file_.c_str(), kNew, 0600));
    if (!made_.ok() && errno == EEXIST) {  // a round that was killed left it
      if (unlinkat(folder_.get(), file_.c_str(), 0) != 0) return Failed("cannot remove " + Path());
      made_.Reset(openat(folder_.get(), file_.c_str(), kNew, 0600));
    }
    if (!made_.ok()) return Failed("cannot make " + Path());
    return CheckOwner();
  }

  StorageTrouble CheckOwner() {
    struct stat file {};
    if (fstat(made_.get(), &file) != 0) return Failed("cannot look at " + Path());
    round_.set_owner_seen(OwnerText(file.st_uid, file.st_gid));
    return CheckFolderIsOurs(folder_, made_, round_.directory());
  }

  StorageTrouble Write() {
    if (WriteFully(made_.get(), content_) && fsync(made_.get()) == 0) return {};
    return Failed("cannot write " + Path());
  }

  // From the server, not from what this machine remembers of it.
  StorageTrouble ReadBack() {
    posix_fadvise(made_.get(), 0, 0, POSIX_FADV_DONTNEED);
    const Fd file(openat(folder_.get(), file_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.ok()) return Failed("cannot open again " + Path());
    std::string content;
    if (!ReadFully(file.get(), content_.size() + 1, content)) {
      return Failed("cannot read " + Path());
    }
    return content == content_ ? StorageTrouble()
                               : Seen(Path() + " reads otherwise than it was written");
  }

  // By what the server says afterwards: some take the change, and leave the owner as it is.
  StorageTrouble ChangeOwner() {
    round_.set_owner_wanted(OwnerText(kStranger, kStranger));
    if (fchown(made_.get(), kStranger, kStranger) != 0) {
      return Failed("cannot change the owner of " + Path());
    }
    struct statx seen {};
    if (statx(made_.get(), "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_UID | STATX_GID, &seen) !=
        0) {
      return Failed("cannot look at " + Path());
    }
    round_.set_owner_seen(OwnerText(seen.stx_uid, seen.stx_gid));
    if (round_.owner_seen() == round_.owner_wanted()) return {};
    return Seen(absl::StrCat(Path(), " stays owned by ", round_.owner_seen(), " after a change to ",
                             round_.owner_wanted()));
  }

  StorageTrouble Rename() {
    made_.Reset();  // NFS keeps a file that is open by another name
    if (renameat(folder_.get(), file_.c_str(), folder_.get(), renamed_.c_str()) == 0) return {};
    return Failed("cannot rename " + Path());
  }

  StorageTrouble Unlink() {
    if (unlinkat(folder_.get(), renamed_.c_str(), 0) != 0) {
      return Failed(absl::StrCat("cannot remove ", Path(), ".renamed"));
    }
    done_ = true;
    return {};
  }

  void CleanUp() {
    made_.Reset();
    if (done_ || !folder_.ok()) return;
    for (const std::string& name : {file_, renamed_}) unlinkat(folder_.get(), name.c_str(), 0);
  }

  const std::string directory_;
  const std::string device_;
  const std::string file_;
  const std::string renamed_;
  const std::string content_;
  Fd folder_;
  Fd made_;
  bool done_ = false;
  StorageTrouble moved_;
  v1::StorageRound round_;
};

// A name that is one of a folder's.
bool IsFileName(const std::string& name) {
  constexpr size_t kLongest = 200;
  return !name.empty() && name.size() <= kLongest && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

StorageTrouble StorageTroubleOf(int error, const std::string& what) {
  return {error, std::string(ErrnoStatus(error, what).message())};
}

std::string ErrnoName(int error) {
  const auto known = std::find_if(std::begin(kErrorNames), std::end(kErrorNames),
                                  [error](const ErrorName& one) { return one.error == error; });
  if (known != std::end(kErrorNames)) return known->name;
  return error == 0 ? "" : absl::StrCat("errno ", error);
}

StorageTrouble OpenShared(const std::string& directory, const std::string& device, Fd& shared) {
  shared.Reset(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!shared.ok()) return StorageTroubleOf(errno, "cannot open " + directory);
  struct stat found {};
  if (fstat(shared.get(), &found) != 0) {
    return StorageTroubleOf(errno, "cannot look at " + directory);
  }
  if (absl::StrCat(major(found.st_dev), ":", minor(found.st_dev)) == device) return {};
  return {EXDEV, absl::StrCat("what is mounted at ", directory, " changed meanwhile")};
}

StorageTrouble OpenOwnFolder(const Fd& shared, const std::string& directory, Fd& folder) {
  constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::string path = absl::StrCat(directory, "/", kOwnFolder);
  folder.Reset(openat(shared.get(), kOwnFolder, kFolder));
  if (!folder.ok() && errno == ENOENT) {
    // Another node may make it at the same time.
    if (mkdirat(shared.get(), kOwnFolder, 0700) != 0 && errno != EEXIST) {
      return StorageTroubleOf(errno, "cannot make " + path);
    }
    folder.Reset(openat(shared.get(), kOwnFolder, kFolder));
  }
  if (!folder.ok()) return StorageTroubleOf(errno, "cannot open " + path);
  struct stat found {};
  if (fstat(folder.get(), &found) != 0) return StorageTroubleOf(errno, "cannot look at " + path);
  if ((found.st_mode & kWritableByOthers) == 0) return {};
  return Seen(absl::StrCat(path, " may be written to by others: somebody else made it"));
}

StorageTrouble CheckFolderIsOurs(const Fd& folder, const Fd& made, const std::string& path) {
  struct stat theirs {};
  struct stat ours {};
  if (fstat(folder.get(), &theirs) != 0 || fstat(made.get(), &ours) != 0) {
    return StorageTroubleOf(errno, "cannot look at " + path);
  }
  if (theirs.st_uid == ours.st_uid) return {};
  return Seen(absl::StrCat(path, " belongs to uid ", theirs.st_uid,
                           ", what root makes in it to uid ", ours.st_uid,
                           ": somebody else made it"));
}

absl::StatusOr<std::string> StorageRoundHere(const std::string& directory,
                                             const std::string& request) {
  v1::StorageRoundRequest wanted;
  if (!wanted.ParseFromString(request) || !IsFileName(wanted.node())) {
    return absl::InvalidArgumentError("a malformed request");
  }
  RoundOfWork work(directory, wanted);
  work.Do();
  if (!work.moved().ok()) return absl::AbortedError(work.moved().text);
  return work.round().SerializeAsString();
}

}  // namespace connect_ha
