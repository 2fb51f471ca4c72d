#include "agent/host/files/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "agent/host/errors.h"
#include "agent/host/fd.h"
#include "agent/host/files/archive_tree.h"
#include "agent/host/files/tree_writer.h"

namespace connect_ha {
namespace {

// What an entry's headers may take, beyond its bytes: a bomb can be made of headers alone.
constexpr uint64_t kHeaderBytes = 16 * 1024;

struct ReaderDeleter {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, ReaderDeleter>;

// libarchive turns the names of pax headers from UTF-8 into what the thread's locale says.
class Utf8Locale {
 public:
  Utf8Locale() : ours_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (ours_ != nullptr) before_ = uselocale(ours_);
  }
  ~Utf8Locale() {
    if (ours_ == nullptr) return;
    uselocale(before_);
    freelocale(ours_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t ours_;
  locale_t before_ = nullptr;
};

std::string Text(const char* text) { return text == nullptr ? "" : text; }

class Unpacking {
 public:
  Unpacking(const UnpackRequest& request, TreeWriter& writer)
      : request_(request), writer_(writer), tree_(request.limit_entries) {}

  absl::StatusOr<std::vector<UnpackedFile>> Run();

 private:
  absl::Status Open();
  absl::StatusOr<bool> Next();  // false: that was the last
  absl::Status Take();
  absl::Status TakeKind(const std::string& name);
  absl::Status TakeFile(const std::string& name);
  absl::Status TakeHardLink(const std::string& name);
  absl::StatusOr<bool> TakePiece(uint64_t size, TreeFile& file);  // false: that was all
  absl::Status MakeLinks();
  absl::Status Damaged() const;
  std::string EntryName() const;
  // The status of a part, with what it is about before it.
  absl::Status OfEntry(const absl::Status& status, const std::string& entry) const;

  const UnpackRequest& request_;
  TreeWriter& writer_;
  ArchiveTree tree_;
  Utf8Locale locale_;
  Fd file_;
  Reader reader_;
  archive_entry* entry_ = nullptr;  // the reader's
  uint64_t headers_ = 0;
  uint64_t bytes_ = 0;
  std::map<std::string, UnpackedFile> files_;
};

absl::Status Unpacking::Damaged() const {
  return absl::DataLossError(absl::StrCat("cannot unpack ", request_.archive, ": ",
                                          Text(archive_error_string(reader_.get())), ", after ",
                                          headers_, " entries"));
}

std::string Unpacking::EntryName() const { return Text(archive_entry_pathname(entry_)); }

absl::Status Unpacking::OfEntry(const absl::Status& status, const std::string& entry) const {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("cannot unpack ", request_.archive, ": \"",
                                                  absl::CHexEscape(entry.substr(0, 256)),
                                                  "\": ", status.message()));
}

absl::Status Unpacking::Open() {
  reader_.reset(archive_read_new());
  if (reader_ == nullptr) return absl::InternalError("libarchive cannot start");
  // What this libarchive could only have unpacked by another program is not.
  using Support = int (*)(archive*);
  for (const Support support : {archive_read_support_format_tar, archive_read_support_filter_gzip,
                                archive_read_support_filter_bzip2, archive_read_support_filter_xz,
                                archive_read_support_filter_zstd}) {
    if (support(reader_.get()) != ARCHIVE_OK) return Damaged();
  }
  file_.Reset(open(request_.archive.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file_.ok()) return ErrnoStatus(errno, "cannot read " + request_.archive);
  struct stat status {};
  if (fstat(file_.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError("cannot read " + request_.archive +
                                         ": not a regular file");
  }
  const bool opened = archive_read_open_fd(reader_.get(), file_.get(), 64 * 1024) == ARCHIVE_OK;
  return opened ? absl::OkStatus() : Damaged();
}

absl::StatusOr<bool> Unpacking::Next() {
  const int read = archive_read_next_header(reader_.get(), &entry_);
  if (read == ARCHIVE_EOF) return false;
  // A warning is of a header that is not needed here: the entry is whole, and is looked at as any.
  if (read != ARCHIVE_OK && read != ARCHIVE_WARN) return Damaged();
  const auto unpacked = static_cast<uint64_t>(archive_filter_bytes(reader_.get(), 0));
  if (++headers_ > request_.limit_entries || unpacked > bytes_ + headers_ * kHeaderBytes) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot unpack ", request_.archive,
                                                     ": more than ", request_.limit_entries,
                                                     " entries, or their headers are too large"));
  }
  return true;
}

absl::Status Unpacking::Take() {
  const absl::StatusOr<std::string> name = CleanEntryName(EntryName(), request_.strip_components);
  if (!name.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("its name will not do: ", name.status().message()));
  }
  // Of a directory they only say whose group its files get; like all modes they are not taken over.
  const bool directory = archive_entry_filetype(entry_) == AE_IFDIR;
  if (!directory && (archive_entry_perm(entry_) & (S_ISUID | S_ISGID)) != 0) {
    return absl::FailedPreconditionError("it is setuid or setgid");
  }
  const bool file =
      archive_entry_filetype(entry_) == AE_IFREG && archive_entry_hardlink(entry_) == nullptr;
  if (!file && archive_entry_size(entry_) > 0) {
    return absl::FailedPreconditionError("it has bytes, but is no file");
  }
  if (!name->empty()) return TakeKind(*name);
  if (directory) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "nothing is left of its name without its first ", request_.strip_components, " parts"));
}

absl::Status Unpacking::TakeKind(const std::string& name) {
  if (archive_entry_hardlink(entry_) != nullptr) return TakeHardLink(name);
  switch (archive_entry_filetype(entry_)) {
    case AE_IFREG:
      return TakeFile(name);
    case AE_IFDIR: {
      const absl::Status added = tree_.AddDirectory(name);
      return added.ok() ? writer_.MakeDirectory(name) : added;
    }
    case AE_IFLNK:
      return tree_.AddLink(name, Text(archive_entry_symlink(entry_)));
    default:
      return absl::FailedPreconditionError("it is neither file, directory nor link");
  }
}

absl::Status Unpacking::TakeHardLink(const std::string& name) {
  const absl::StatusOr<std::string> to =
      CleanEntryName(Text(archive_entry_hardlink(entry_)), request_.strip_components);
  if (!to.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("a hard link whose target will not do: ", to.status().message()));
  }
  const absl::Status added = tree_.AddHardLink(name, *to);
  const absl::Status linked = added.ok() ? writer_.HardLink(name, *to) : added;
  if (!linked.ok()) return linked;
  UnpackedFile file = files_.at(*to);
  file.path = name;
  files_.emplace(name, std::move(file));
  return absl::OkStatus();
}

absl::Status Unpacking::TakeFile(const std::string& name) {
  const auto size = static_cast<uint64_t>(std::max<la_int64_t>(archive_entry_size(entry_), 0));
  if (archive_entry_sparse_count(entry_) > 0) {
    return absl::FailedPreconditionError("it is a sparse file");
  }
  if (size > request_.limit_bytes || bytes_ > request_.limit_bytes - size) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the archive is larger than ", request_.limit_bytes, " bytes, unpacked"));
  }
  const absl::Status added = tree_.AddFile(name);
  if (!added.ok()) return added;
  absl::StatusOr<TreeFile> file = writer_.CreateFile(name);
  if (!file.ok()) return file.status();
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) more = TakePiece(size, *file);
  if (!more.ok()) return more.status();
  bytes_ += size;
  const uint32_t mode = (archive_entry_perm(entry_) & S_IXUSR) != 0 ? 0755 : 0644;
  const absl::StatusOr<std::string> digest = file->Finish(mode);
  if (!digest.ok()) return digest.status();
  files_[name] = {name, *digest, "", mode};
  return absl::OkStatus();
}

absl::StatusOr<bool> Unpacking::TakePiece(uint64_t size, TreeFile& file) {
  const void* data = nullptr;
  size_t count = 0;
  la_int64_t offset = 0;
  const int read = archive_read_data_block(reader_.get(), &data, &count, &offset);
  if (read == ARCHIVE_EOF && file.size() == size) return false;
  if (read != ARCHIVE_OK && read != ARCHIVE_EOF) {
    return absl::DataLossError(Text(archive_error_string(reader_.get())));
  }
  const bool next = read == ARCHIVE_OK && static_cast<uint64_t>(offset) == file.size();
  if (!next || count > size - file.size()) {
    return absl::DataLossError("its bytes are not as many as its header says");
  }
  const absl::Status appended = file.Append(data, count);
  if (!appended.ok()) return appended;
  return true;
}

// After all else: no entry can be written through a link that is not there yet.
absl::Status Unpacking::MakeLinks() {
  for (const auto& [name, target] : tree_.links()) {
    const absl::Status inside = tree_.CheckLink(name);
    if (!inside.ok()) return OfEntry(inside, absl::StrCat(name, " -> ", target));
  }
  for (const auto& [name, target] : tree_.links()) {
    const absl::Status made = writer_.Link(name, target);
    if (!made.ok()) return OfEntry(made, name);
    files_[name] = {name, "", target, 0777};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UnpackedFile>> Unpacking::Run() {
  const absl::Status opened = Open();
  if (!opened.ok()) return opened;
  absl::StatusOr<bool> more = Next();
  for (; more.ok() && *more; more = Next()) {
    const absl::Status taken = OfEntry(Take(), EntryName());
    if (!taken.ok()) return taken;
  }
  if (!more.ok()) return more.status();
  const absl::Status linked = MakeLinks();
  if (!linked.ok()) return linked;
  if (files_.empty()) {
    return absl::DataLossError("cannot unpack " + request_.archive + ": no file is in it");
  }
  std::vector<UnpackedFile> sorted;
  for (auto& [name, file] : files_) sorted.push_back(std::move(file));
  return sorted;
}

}  // namespace

absl::StatusOr<std::vector<UnpackedFile>> UnpackArchive(const UnpackRequest& request) {
  absl::StatusOr<TreeWriter> writer = TreeWriter::Create(request.directory);
  if (!writer.ok()) return writer.status();
  absl::StatusOr<std::vector<UnpackedFile>> files = Unpacking(request, *writer).Run();
  const absl::Status status = files.ok() ? writer->Finish() : files.status();
  if (status.ok()) return files;
  writer->Remove();
  return status;
}

}  // namespace connect_ha
