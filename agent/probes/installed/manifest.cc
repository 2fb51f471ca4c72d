#include "agent/probes/installed/manifest.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/probes/installed/integrity/integrity_tally.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

constexpr size_t kHexDigits = 64;
constexpr char kArchive[] = "# archive ";
constexpr char kLink[] = "# link ";
constexpr char kArrow[] = " -> ";

absl::StatusOr<ManifestEntry> ParseLine(absl::string_view line) {
  ManifestEntry entry;
  if (absl::ConsumePrefix(&line, kLink)) {
    const size_t arrow = line.find(kArrow);
    if (arrow == absl::string_view::npos) return absl::InvalidArgumentError("is no link");
    entry.path = std::string(line.substr(0, arrow));
    entry.link = std::string(line.substr(arrow + absl::string_view(kArrow).size()));
    return entry;
  }
  if (line.size() < kHexDigits + 3 || line.substr(kHexDigits, 2) != "  ") {
    return absl::InvalidArgumentError("is no checksum");
  }
  entry.sha256 = std::string(line.substr(0, kHexDigits));
  entry.path = std::string(line.substr(kHexDigits + 2));
  return entry;
}

// "" when it is as it was unpacked, else "changed" or "missing".
absl::StatusOr<std::string> CheckLink(Host& host, const std::string& path,
                                      const std::string& link) {
  const absl::StatusOr<FileStatus> status = host.LStat(path);
  if (absl::IsNotFound(status.status())) return "missing";
  if (!status.ok()) return status.status();
  if (status->kind != FileStatus::Kind::kLink) return "changed";
  const absl::StatusOr<std::string> target = host.ReadLink(path);
  if (!target.ok()) return target.status();
  return *target == link ? "" : "changed";
}

absl::StatusOr<std::string> CheckFile(Host& host, VerifiedFiles& verified, const std::string& path,
                                      const std::string& sha256) {
  const absl::StatusOr<FileStatus> status = host.LStat(path);
  if (absl::IsNotFound(status.status())) return "missing";
  if (!status.ok()) return status.status();
  if (status->kind != FileStatus::Kind::kFile) return "changed";
  const ShippedFile shipped{path, sha256};
  if (verified.Has(shipped, *status)) return "";
  const absl::StatusOr<std::string> found = host.HashFile(path, "sha256");
  if (absl::IsNotFound(found.status())) return "missing";
  if (!found.ok()) return found.status();
  if (*found != sha256) return "changed";
  verified.Add(shipped, *status);
  return "";
}

}  // namespace

absl::StatusOr<std::string> FormatManifest(const Manifest& manifest) {
  std::string text = absl::StrCat(kArchive, manifest.archive_sha256, "\n");
  for (const ManifestEntry& entry : manifest.entries) {
    const std::string line = entry.link.empty()
                                 ? absl::StrCat(entry.sha256, "  ", entry.path)
                                 : absl::StrCat(kLink, entry.path, kArrow, entry.link);
    if (absl::StrContains(line, "\n")) {
      return absl::InvalidArgumentError("a name in the archive has a line feed in it");
    }
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

absl::StatusOr<Manifest> ParseManifest(absl::string_view text) {
  Manifest manifest;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (line.empty()) continue;
    if (absl::ConsumePrefix(&line, kArchive)) {
      manifest.archive_sha256 = std::string(line);
      continue;
    }
    absl::StatusOr<ManifestEntry> entry = ParseLine(line);
    if (!entry.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " ", entry.status().message()));
    }
    manifest.entries.push_back(*std::move(entry));
  }
  return manifest;
}

std::string ManifestPath(const std::string& directory) {
  const size_t slash = directory.rfind('/');
  return absl::StrCat(directory.substr(0, slash), "/.", directory.substr(slash + 1), ".sha256");
}

absl::StatusOr<v1::Integrity> VerifyManifest(Host& host, ProbeCache& cache,
                                             const std::string& directory, const Manifest& manifest,
                                             std::chrono::steady_clock::time_point deadline) {
  IntegrityTally tally;
  for (const ManifestEntry& entry : manifest.entries) {
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the files of ", directory, " could not be read in time: ", tally.files_checked(), " of ",
          manifest.entries.size(), " were"));
    }
    const std::string path = absl::StrCat(directory, "/", entry.path);
    const absl::StatusOr<std::string> fault =
        entry.link.empty() ? CheckFile(host, cache.verified_files, path, entry.sha256)
                           : CheckLink(host, path, entry.link);
    if (!fault.ok()) return fault.status();
    tally.Add(*fault, path);
  }
  return tally.Finish(host.Now());
}

}  // namespace connect_ha
