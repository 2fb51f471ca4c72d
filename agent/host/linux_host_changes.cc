// LinuxHost's changes: each where it is made, files only on local file systems.
#include "absl/strings/str_cat.h"
#include "agent/host/files/unpack.h"
#include "agent/host/files/write_files.h"
#include "agent/host/linux_host.h"
#include "agent/host/network/fetch.h"

namespace connect_ha {

absl::Status LinuxHost::CheckLocal(const std::string& path, bool follow_last) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, follow_last);
  if (!reader.ok() || *reader == nullptr) return reader.status();
  return absl::FailedPreconditionError(
      absl::StrCat("will not change ", path, ": it is on a network file system"));
}

absl::Status LinuxHost::WriteFile(const std::string& path, const std::string& content,
                                  const FileAttributes& attributes) {
  if (absl::Status status = CheckLocal(path, false); !status.ok()) return status;
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return WriteFileHere(path, content, attributes);
}

absl::Status LinuxHost::SetAttributes(const std::string& path, const FileAttributes& attributes) {
  if (absl::Status status = CheckLocal(path, false); !status.ok()) return status;
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return SetAttributesHere(path, attributes);
}

absl::Status LinuxHost::MakeDirectory(const std::string& path) {
  if (absl::Status status = CheckLocal(path, true); !status.ok()) return status;
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return MakeDirectoryHere(path);
}

absl::Status LinuxHost::Rename(const std::string& from, const std::string& to) {
  for (const std::string& path : {from, to}) {
    if (absl::Status status = CheckLocal(path, false); !status.ok()) return status;
  }
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return RenameHere(from, to);
}

absl::Status LinuxHost::Remove(const std::string& path) {
  if (absl::Status status = CheckLocal(path, false); !status.ok()) return status;
  const auto mounts = mounts_.Get();
  if (!mounts.ok()) return mounts.status();
  const std::lock_guard<std::mutex> lock(write_mutex_);
  return RemoveHere(path, **mounts);
}

absl::Status LinuxHost::ReloadUnits() { return changes_.ReloadUnits(); }

absl::Status LinuxHost::MaskUnit(const std::string& name) { return changes_.MaskUnit(name); }

absl::Status LinuxHost::UnmaskUnit(const std::string& name) { return changes_.UnmaskUnit(name); }

absl::Status LinuxHost::EnableUnit(const std::string& name) { return changes_.EnableUnit(name); }

absl::Status LinuxHost::StartUnit(const std::string& name, std::chrono::milliseconds deadline) {
  return changes_.StartUnit(name, deadline);
}

absl::Status LinuxHost::ReloadUnit(const std::string& name, std::chrono::milliseconds deadline) {
  return changes_.ReloadUnit(name, deadline);
}

absl::Status LinuxHost::StopUnit(const std::string& name, std::chrono::milliseconds deadline) {
  return changes_.StopUnit(name, deadline);
}

absl::Status LinuxHost::StartService(const TransientService& service) {
  return changes_.StartService(service);
}

absl::StatusOr<ServiceResult> LinuxHost::ReadService(const std::string& name) {
  return changes_.ReadService(name);
}

absl::Status LinuxHost::ClearService(const std::string& name) {
  return changes_.ClearService(name);
}

absl::StatusOr<std::string> LinuxHost::WorkOnStorage(char operation, const std::string& directory,
                                                     const std::string& request) {
  const auto mounts = mounts_.Get();
  if (!mounts.ok()) return mounts.status();
  const MountEntry* mount = FindMount(**mounts, directory);
  if (mount == nullptr || !IsNetworkFileSystem(mount->fs_type)) {
    return absl::FailedPreconditionError(
        absl::StrCat("will not work on ", directory, ": it is on no network file system"));
  }
  return readers_.Get(**mounts, mount->mount_point, SharedReaders::Lane::kWork)
      ->Work(operation, directory, request);
}

// What is read of a network file system comes piece by piece from its reader, which may hang.
absl::StatusOr<FileSource> LinuxHost::OpenSource(const std::string& path) {
  const absl::StatusOr<std::shared_ptr<SharedReader>> reader = ReaderFor(path, true);
  if (!reader.ok()) return reader.status();
  if (*reader == nullptr) return OpenSourceHere(path);
  const absl::StatusOr<FileStatus> status = (*reader)->Stat(path, true);
  if (!status.ok()) return status.status();
  const absl::Status may =
      CheckMayBeFetched(path, status->kind == FileStatus::Kind::kFile, status->mode);
  if (!may.ok()) return may;
  FileSource source;
  source.size = status->size_bytes;
  source.read = [path, reader = *reader](uint64_t offset, size_t most) {
    return reader->ReadPublicPiece(path, offset, most);
  };
  return source;
}

absl::Status LinuxHost::Fetch(const FetchRequest& request, const FetchProgress& progress) {
  if (absl::Status status = CheckLocal(request.path, false); !status.ok()) return status;
  return FetchFile(request, progress, "",
                   [this](const std::string& path) { return OpenSource(path); });
}

absl::StatusOr<std::vector<UnpackedFile>> LinuxHost::Unpack(const UnpackRequest& request) {
  for (const std::string& path : {request.archive, request.directory}) {
    if (absl::Status status = CheckLocal(path, true); !status.ok()) return status;
  }
  return UnpackArchive(request);
}

}  // namespace connect_ha
