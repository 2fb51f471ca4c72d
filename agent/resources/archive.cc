#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agent/host/network/fetch_url.h"
#include "agent/resources/install/download.h"
#include "agent/resources/integrity.h"
#include "agent/resources/nouns.h"
#include "common/text/shell_word.h"

namespace connect_ha {
namespace {

constexpr char kDirectory[] = "/opt/quarto";
constexpr char kExecutable[] = "bin/quarto";
// A Quarto is a few hundred megabytes in a few thousand files.
constexpr uint64_t kUnpackedLimit = 8ull << 30;
constexpr uint64_t kEntriesLimit = 200'000;
constexpr uint64_t kExpansion = 4;  // unpacked, of what is packed, with room to spare

class Archive : public Resource {
 public:
  Archive(const ResourceContext& context, const v1::RuntimeSpec& spec)
      : context_(context),
        version_(spec.version()),
        artifact_(spec.archive()),
        directory_(absl::StrCat(kDirectory, "/", spec.version())),
        staging_(absl::StrCat(kDirectory, "/.", spec.version(), ".staging")),
        old_(absl::StrCat(kDirectory, "/.", spec.version(), ".old")) {}

  std::string Name() const override { return "archive quarto " + version_; }

  absl::StatusOr<std::optional<v1::Change>> Differs() override {
    const absl::StatusOr<std::string> fault = Look();
    if (!fault.ok()) return fault.status();
    if (fault->empty()) return std::nullopt;
    v1::Change change;
    change.set_from(*fault);
    change.set_to(absl::StrCat(version_, " at ", directory_));
    return change;
  }

  absl::StatusOr<Brought> Bring(Progress& progress) override {
    const absl::StatusOr<std::string> fault = Look();
    if (!fault.ok()) return fault.status();
    if (fault->empty()) return Brought();
    const absl::StatusOr<std::string> file = Download(context_, artifact_, "tar.gz", progress);
    if (!file.ok()) return file.status();
    const absl::StatusOr<uint64_t> bytes = UnpackedBytes(*file);
    if (!bytes.ok()) return bytes.status();
    const absl::Status room = CheckRoom(context_.host, kDirectory, *bytes, Name());
    if (!room.ok()) return room;
    return Brought{{*file}, kDirectory, *bytes};
  }

  absl::Status Apply(Progress& progress) override {
    const absl::StatusOr<std::string> file = Download(context_, artifact_, "tar.gz", progress);
    if (!file.ok()) return file.status();
    progress.Enter(v1::Step::INSTALLING);
    absl::Status done = CleanUp();
    if (done.ok()) done = context_.host.MakeDirectory(kDirectory);
    if (done.ok()) done = CheckSpace(*file);
    if (done.ok()) done = Unpack(*file);
    if (done.ok()) return Replace();
    // What was begun is of no use, and may be what filled the disk.
    const absl::Status cleaned = context_.host.Remove(staging_);
    return cleaned.ok()
               ? done
               : absl::Status(done.code(),
                              absl::StrCat(done.message(), "; and then: ", cleaned.message()));
  }

 private:
  // What is wrong; "" when nothing is.
  absl::StatusOr<std::string> Look() {
    const absl::StatusOr<FileStatus> status = context_.host.LStat(directory_);
    if (absl::IsNotFound(status.status())) return "absent";
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kDirectory) {
      return absl::FailedPreconditionError(
          absl::StrCat(directory_, " is not a directory\nfix: look what it is, then: rm ",
                       ShellWord(directory_)));
    }
    const absl::StatusOr<std::string> text = context_.host.ReadFile(ManifestPath(directory_));
    if (absl::IsNotFound(text.status())) return "there, of an archive that is not known";
    if (!text.ok()) return text.status();
    const absl::StatusOr<Manifest> manifest = ParseManifest(*text);
    if (!manifest.ok()) return "there, its manifest damaged";
    if (manifest->archive_sha256 != absl::AsciiStrToLower(artifact_.sha256())) {
      return "there, of another archive";
    }
    const absl::StatusOr<v1::Integrity> integrity =
        context_.integrity.OfArchive(directory_, *manifest);
    if (!integrity.ok()) return integrity.status();
    return DescribeFaults(*integrity);
  }

  // What a run that was killed left.
  absl::Status CleanUp() {
    absl::Status removed = context_.host.Remove(staging_);
    if (!removed.ok()) return removed;
    return context_.host.Remove(old_);
  }

  absl::StatusOr<uint64_t> UnpackedBytes(const std::string& file) {
    const absl::StatusOr<FileStatus> status = context_.host.Stat(file);
    if (!status.ok()) return status.status();
    return status->size_bytes * kExpansion;
  }

  absl::Status CheckSpace(const std::string& file) {
    const absl::StatusOr<uint64_t> bytes = UnpackedBytes(file);
    return bytes.ok() ? CheckRoom(context_.host, kDirectory, *bytes, Name()) : bytes.status();
  }

  // On the file system where it is to be, so that it can be renamed; the manifest is in its place
  // before the files are.
  absl::Status Unpack(const std::string& file) {
    UnpackRequest request;
    request.archive = file;
    request.directory = staging_;
    request.strip_components = 1;
    const absl::StatusOr<FileSystemUse> use = context_.host.Use(kDirectory);
    if (!use.ok()) return use.status();
    const uint64_t room = use->free_bytes - std::min(use->free_bytes, kSpaceMargin);
    request.limit_bytes = std::min(kUnpackedLimit, room);
    request.limit_entries = kEntriesLimit;
    const absl::StatusOr<std::vector<UnpackedFile>> files = context_.host.Unpack(request);
    if (!files.ok()) return ExplainUnpack(files.status(), request.limit_bytes);
    Manifest manifest;
    manifest.archive_sha256 = absl::AsciiStrToLower(artifact_.sha256());
    for (const UnpackedFile& unpacked : *files) {
      manifest.entries.push_back({unpacked.path, unpacked.sha256, unpacked.link});
    }
    if (std::none_of(files->begin(), files->end(),
                     [](const UnpackedFile& unpacked) { return unpacked.path == kExecutable; })) {
      return absl::FailedPreconditionError(
          absl::StrCat(ShownUrl(artifact_.url()), " has no ", kExecutable,
                       ": it is no release of Quarto\nfix: correct "
                       "url and sha256 in the specification"));
    }
    const absl::StatusOr<std::string> text = FormatManifest(manifest);
    if (!text.ok()) return text.status();
    return context_.host.WriteFile(ManifestPath(directory_), *text, FileAttributes{0644, 0, 0});
  }

  // A full disk may get room again; an archive beyond its limits stays what it is.
  absl::Status ExplainUnpack(const absl::Status& status, uint64_t limit_bytes) {
    const std::string words = absl::StrCat(ShownUrl(artifact_.url()), ": ", status.message());
    if (!absl::IsResourceExhausted(status)) return absl::Status(status.code(), words);
    if (limit_bytes < kUnpackedLimit) {
      return absl::ResourceExhaustedError(absl::StrCat(words, "\nfix: make room at ", kDirectory));
    }
    absl::Status room = CheckRoom(context_.host, kDirectory, 0, Name());
    return room.ok() ? absl::FailedPreconditionError(words) : room;
  }

  absl::Status Replace() {
    const absl::StatusOr<FileStatus> there = context_.host.LStat(directory_);
    if (!there.ok() && !absl::IsNotFound(there.status())) return there.status();
    if (there.ok()) {
      absl::Status moved = context_.host.Rename(directory_, old_);
      if (!moved.ok()) return moved;
    }
    absl::Status placed = context_.host.Rename(staging_, directory_);
    if (!placed.ok()) return placed;
    return context_.host.Remove(old_);
  }

  const ResourceContext& context_;
  const std::string version_;
  const v1::Artifact artifact_;
  const std::string directory_;
  const std::string staging_;
  const std::string old_;
};

}  // namespace

std::unique_ptr<Resource> MakeArchive(const ResourceContext& context, const v1::RuntimeSpec& spec) {
  return std::make_unique<Archive>(context, spec);
}

}  // namespace connect_ha
