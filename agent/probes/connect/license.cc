#include "agent/probes/connect/license.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/connect/connect.h"
#include "agent/probes/probe_cache.h"
#include "agent/probes/reading.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr char kDirectory[] = "/var/lib/rstudio-connect";
constexpr char kLicenseManager[] = "/opt/rstudio-connect/bin/license-manager";
constexpr std::chrono::milliseconds kDeadline{20'000};
constexpr size_t kMostFiles = 100;
constexpr char kActivated[] = "Activated";

absl::StatusOr<v1::LicenseFile> ReadLicenseFile(const ProbeInput& input, const std::string& path) {
  const absl::StatusOr<FileStatus> status = input.host.Stat(path);
  if (!status.ok()) return status.status();
  const absl::StatusOr<std::string> content = input.host.ReadFile(path);
  if (!content.ok()) return content.status();
  v1::LicenseFile file;
  file.set_path(path);
  file.set_mode(status->mode);
  file.set_uid(status->uid);
  file.set_gid(status->gid);
  file.set_digest(KeyedDigestHex(input.digest_key, *content));
  return file;
}

absl::StatusOr<std::vector<v1::LicenseFile>> ReadLicenseFiles(const ProbeInput& input) {
  std::vector<v1::LicenseFile> files;
  const absl::StatusOr<std::vector<std::string>> names = input.host.ListDirectory(kDirectory);
  if (absl::IsNotFound(names.status())) return files;
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::EndsWith(name, ".lic")) continue;
    const auto file = ReadLicenseFile(input, absl::StrCat(kDirectory, "/", name));
    if (absl::IsNotFound(file.status())) continue;  // removed meanwhile
    if (!file.ok()) return file.status();
    files.push_back(*file);
    if (files.size() > kMostFiles) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", kMostFiles, " licence files are in ", kDirectory));
    }
  }
  return files;
}

// NotFound: Connect is not installed.
absl::Status FindLicenseManager(const ProbeInput& input) {
  absl::Status found = input.host.Stat(kLicenseManager).status();
  if (!absl::IsNotFound(found)) return found;
  const auto packages = ReadPackages(input.host, input.cache);
  if (!packages.ok()) return packages.status();
  if ((*packages)->Find(kConnectPackage) == nullptr) return found;
  return absl::UnavailableError(absl::StrCat(kLicenseManager, " is missing from its package"));
}

absl::StatusOr<v1::LicenseFacts> AskLicenseManager(const ProbeInput& input) {
  absl::Status found = FindLicenseManager(input);
  if (!found.ok()) return found;
  CommandOptions options;
  options.deadline = kDeadline;
  const absl::StatusOr<CommandResult> run = input.host.Run({kLicenseManager, "status"}, options);
  if (!run.ok()) return absl::UnavailableError(run.status().message());
  if (run->timed_out)
    return absl::DeadlineExceededError("license-manager status: no answer in 20 s");
  v1::LicenseFacts said = ParseLicenseStatus(run->output);
  if (!said.has_status()) {
    return absl::UnavailableError(absl::StrCat(
        "license-manager status: no status in its answer, exit code ", run->exit_code));
  }
  return said;
}

// What license-manager prints under one heading.
struct LicenseBlock {
  v1::LicenseFacts license;
  std::string lease;
};

// Of a name that stands twice in a block, the first counts.
void TakeLine(absl::string_view name, const std::string& value, LicenseBlock& block) {
  int32_t days = 0;
  if (name == "Status" && !block.license.has_status()) block.license.set_status(value);
  if (name == "Lease" && block.lease.empty()) block.lease = value;
  if (name == "Expiration" && !block.license.has_expiration()) block.license.set_expiration(value);
  if (name == "Days-Left" && !block.license.has_days_left() && absl::SimpleAtoi(value, &days)) {
    block.license.set_days_left(days);
  }
}

void ReportStatus(const absl::StatusOr<v1::LicenseFacts>& said, v1::Facts& facts) {
  v1::LicenseFacts& license = *facts.mutable_license();
  Observe(facts, "license.status", said,
          [&](const v1::LicenseFacts& value) { license.set_status(value.status()); });
  Observe(facts, "license.days_left", said, [&](const v1::LicenseFacts& value) {
    if (value.has_days_left()) license.set_days_left(value.days_left());
  });
  Observe(facts, "license.expiration", said, [&](const v1::LicenseFacts& value) {
    if (value.has_expiration()) license.set_expiration(value.expiration());
  });
}

}  // namespace

v1::LicenseFacts ParseLicenseStatus(absl::string_view output) {
  LicenseBlock local;
  LicenseBlock floating;
  LicenseBlock* block = &local;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    if (absl::StartsWith(line, "--")) {
      block = absl::StrContains(absl::AsciiStrToLower(line), "floating") ? &floating : &local;
      continue;
    }
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    const std::string value(absl::StripAsciiWhitespace(parts.second));
    if (!value.empty()) TakeLine(absl::StripAsciiWhitespace(parts.first), value, *block);
  }
  const bool leased = absl::EqualsIgnoreCase(floating.lease, "Active");
  // Without a licence of its own that is active, the node lives by the lease, whatever it says.
  if (leased || (!floating.lease.empty() && local.license.status() != kActivated)) {
    floating.license.set_status(leased ? kActivated : floating.lease);
    floating.license.set_kind("floating");
    return floating.license;
  }
  return local.license;
}

absl::Status ReadLicense(const ProbeInput& input, v1::Facts& facts) {
  v1::LicenseFacts& license = *facts.mutable_license();
  Observe(facts, "license.files", ReadLicenseFiles(input), [&](const auto& files) {
    *license.mutable_files() = {files.begin(), files.end()};
  });
  const absl::StatusOr<v1::LicenseFacts> said = input.cache.license.Get().value_or(
      absl::UnavailableError("license-manager has not been asked yet"));
  // What is in use, or else what the configuration asks for.
  if (said.ok() && said->has_kind()) {
    license.set_kind(said->kind());
  } else if (!input.config && !input.config_status.ok()) {
    MarkUnobserved(facts, "license.kind", std::string(input.config_status.message()));
  } else if (input.config) {
    const std::string type = input.config->Get("Licensing", "LicenseType").value_or("");
    license.set_kind(absl::EqualsIgnoreCase(type, "remote") ? "remote" : "local");
  }
  ReportStatus(said, facts);
  if (!input.cache.license.Get()) {
    for (v1::Unobserved& entry : *facts.mutable_unobserved()) {
      entry.set_pending(entry.reason() == said.status().message());
    }
  }
  return absl::OkStatus();
}

absl::Status VerifyLicense(const ProbeInput& input, v1::Facts&) {
  auto license = AskLicenseManager(input);
  const absl::Status status = license.status();
  input.cache.license.Put(std::move(license));
  return absl::IsDeadlineExceeded(status) ? status : absl::OkStatus();
}

}  // namespace connect_ha
