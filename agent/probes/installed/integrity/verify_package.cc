// The files of an installed package against the checksums that it was shipped with.
#include "absl/strings/str_cat.h"
#include "agent/probes/installed/dpkg.h"
#include "agent/probes/installed/integrity/explanations.h"
#include "agent/probes/installed/integrity/integrity_tally.h"
#include "agent/probes/probe_cache.h"

namespace connect_ha {
namespace {

uint64_t Fingerprint(const ShippedFile& file, const FileStatus& status) {
  const std::string identity =
      absl::StrCat(file.path, " ", file.md5, " ", status.device, " ", status.inode, " ",
                   status.size_bytes, " ", status.modified_at.time_since_epoch().count(), " ",
                   status.changed_at.time_since_epoch().count());
  return std::hash<std::string>()(identity);
}

// "" when the file is as shipped, else "changed" or "missing".
absl::StatusOr<std::string> CheckFile(Host& host, VerifiedFiles& verified,
                                      const ShippedFile& file) {
  const absl::StatusOr<FileStatus> status = host.Stat(file.path);
  if (absl::IsNotFound(status.status())) return "missing";
  if (!status.ok()) return status.status();
  if (verified.Has(file, *status)) return "";
  const absl::StatusOr<std::string> md5 = host.HashFile(file.path, "md5");
  if (absl::IsNotFound(md5.status())) return "missing";
  if (!md5.ok()) return md5.status();
  if (*md5 != file.md5) return "changed";
  verified.Add(file, *status);
  return "";
}

}  // namespace

bool VerifiedFiles::Has(const ShippedFile& file, const FileStatus& status) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return known_.count(Fingerprint(file, status)) > 0;
}

void VerifiedFiles::Add(const ShippedFile& file, const FileStatus& status) {
  const std::lock_guard<std::mutex> lock(mutex_);
  known_.insert(Fingerprint(file, status));
}

absl::StatusOr<std::optional<v1::Integrity>> VerifyPackage(
    Host& host, ProbeCache& cache, const v1::Package& package,
    std::chrono::steady_clock::time_point deadline) {
  const absl::StatusOr<std::string> sums_file = PackageInfoFile(host, package, ".md5sums");
  if (!sums_file.ok()) return sums_file.status();
  const absl::StatusOr<std::string> sums = host.ReadFile(*sums_file);
  if (absl::IsNotFound(sums.status())) return std::nullopt;
  if (!sums.ok()) return sums.status();
  const absl::StatusOr<std::vector<ShippedFile>> files = ParseMd5sums(*sums);
  if (!files.ok()) {
    return absl::DataLossError(absl::StrCat(*sums_file, ": ", files.status().message()));
  }
  const absl::StatusOr<std::string> status_text = host.ReadFile(kDpkgStatusFile);
  if (!status_text.ok()) return status_text.status();
  const std::set<std::string> conffiles = ParseConffiles(*status_text, package.name());

  Explanations explanations(host, *files);
  IntegrityTally tally;
  for (const ShippedFile& file : *files) {
    if (conffiles.count(file.path) > 0) continue;
    if (std::chrono::steady_clock::now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the files of ", package.name(), " could not be read in time: ", tally.files_checked(),
          " of ", files->size(), " were"));
    }
    absl::StatusOr<std::string> fault = CheckFile(host, cache.verified_files, file);
    if (fault.ok() && !fault->empty()) fault = explanations.Judge(*fault, file.path);
    if (!fault.ok()) return fault.status();
    tally.Add(*fault, file.path);
  }
  return tally.Finish(host.Now());
}

}  // namespace connect_ha
