#include "agent/resources/integrity.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace connect_ha {
namespace {

// A package of gigabytes on a slow disk; what was read by then is not read again.
constexpr std::chrono::minutes kVerifyFor{5};
constexpr int kExamplesShown = 3;

std::chrono::steady_clock::time_point Deadline() {
  return std::chrono::steady_clock::now() + kVerifyFor;
}

}  // namespace

absl::StatusOr<v1::Integrity> IntegrityLedger::OfPackage(const v1::Package& package) {
  const std::string key = absl::StrCat("package ", package.name(), " ", package.version());
  const auto known = found_.find(key);
  if (known != found_.end()) return known->second;
  const absl::StatusOr<std::optional<v1::Integrity>> integrity =
      VerifyPackage(host_, cache_, package, Deadline());
  if (!integrity.ok()) return integrity.status();
  return found_[key] = integrity->value_or(v1::Integrity());
}

absl::StatusOr<v1::Integrity> IntegrityLedger::OfArchive(const std::string& directory,
                                                         const Manifest& manifest) {
  const std::string key = absl::StrCat("archive ", directory, " ", manifest.archive_sha256);
  const auto known = found_.find(key);
  if (known != found_.end()) return known->second;
  absl::StatusOr<v1::Integrity> integrity =
      VerifyManifest(host_, cache_, directory, manifest, Deadline());
  if (!integrity.ok()) return integrity;
  return found_[key] = *std::move(integrity);
}

std::string DescribeFaults(const v1::Integrity& integrity) {
  std::vector<std::string> faults;
  const auto files = [](uint32_t count) {
    return absl::StrCat(count, count == 1 ? " file" : " files");
  };
  if (integrity.files_changed() > 0) {
    faults.push_back(absl::StrCat(files(integrity.files_changed()), " changed"));
  }
  if (integrity.files_missing() > 0) {
    faults.push_back(absl::StrCat(files(integrity.files_missing()), " missing"));
  }
  if (faults.empty()) return "";
  const int shown = std::min(kExamplesShown, integrity.examples_size());
  const auto first = integrity.examples().begin();
  std::string text =
      absl::StrCat(absl::StrJoin(faults, ", "), ": ", absl::StrJoin(first, first + shown, ", "));
  if (integrity.examples_size() > shown) absl::StrAppend(&text, ", ...");
  return text;
}

}  // namespace connect_ha
