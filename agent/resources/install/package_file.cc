#include "agent/resources/install/package_file.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/host/network/fetch_url.h"
#include "agent/probes/installed/dpkg.h"
#include "common/version.h"

namespace connect_ha {
namespace {

constexpr char kDpkgDeb[] = "/usr/bin/dpkg-deb";
constexpr std::chrono::seconds kDeadline{60};

absl::Status Refuse(const PackageWanted& wanted, const std::string& what) {
  return absl::FailedPreconditionError(
      absl::StrCat(ShownUrl(wanted.artifact.url()), " ", what,
                   "\nfix: correct url and sha256 of it in the specification"));
}

// The value of NAME="value" in os-release.
std::string OsRelease(Host& host, absl::string_view name) {
  const absl::StatusOr<std::string> text = host.ReadFile("/etc/os-release");
  if (!text.ok()) return "";
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('=', 1));
    if (parts.first != name) continue;
    absl::string_view value = absl::StripAsciiWhitespace(parts.second);
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return "";
}

// 2024.08.0~ubuntu22 is built for 22.04. On a system that is no Ubuntu the dependencies decide.
absl::Status CheckRelease(Host& host, const PackageWanted& wanted, const std::string& version) {
  constexpr absl::string_view kUbuntu = "~ubuntu";
  const size_t at = version.find(std::string(kUbuntu));
  if (at == std::string::npos || OsRelease(host, "ID") != "ubuntu") return absl::OkStatus();
  const std::string release = version.substr(at + kUbuntu.size(), 2);
  const std::string here = OsRelease(host, "VERSION_ID");
  if (here.substr(0, 2) == release) return absl::OkStatus();
  return Refuse(wanted,
                absl::StrCat("is built for Ubuntu ", release, ".04; this node is Ubuntu ", here));
}

// The name and version of this node as Posit's addresses write them: ubuntu-2204, debian-12.
std::string ReleaseHere(Host& host) {
  return absl::StrCat(OsRelease(host, "ID"), "-",
                      absl::StrReplaceAll(OsRelease(host, "VERSION_ID"), {{".", ""}}));
}

bool IsRelease(absl::string_view segment) {
  static constexpr absl::string_view kNames[] = {
      "ubuntu", "debian", "rhel", "centos", "rocky", "almalinux", "fedora", "opensuse", "sles"};
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(segment, absl::MaxSplits('-', 1));
  return std::find(std::begin(kNames), std::end(kNames), parts.first) != std::end(kNames) &&
         !parts.second.empty() &&
         std::all_of(parts.second.begin(), parts.second.end(), absl::ascii_isdigit);
}

// An R or a Python has its release in its address alone: https://.../r/ubuntu-2204/pkgs/....deb. On
// a system that Posit does not build for, or without a version, the dependencies decide.
absl::Status CheckReleaseOfUrl(Host& host, const PackageWanted& wanted) {
  const std::string here = ReleaseHere(host);
  if (!IsRelease(here)) return absl::OkStatus();
  const std::string shown = ShownUrl(wanted.artifact.url());
  std::vector<std::string> parts = absl::StrSplit(shown, '/');
  // Before the third / is the host.
  const auto path = parts.begin() + std::min<ptrdiff_t>(3, std::ssize(parts));
  const auto is_release = [](const std::string& part) { return IsRelease(part); };
  const auto is_here = [&](const std::string& part) {
    return IsRelease(part) && absl::StartsWith(here, part);
  };
  const auto built_for = std::find_if(path, parts.end(), is_release);
  if (built_for == parts.end() || std::any_of(path, parts.end(), is_here)) return absl::OkStatus();
  const std::string release = *built_for;
  *built_for = here;
  return absl::FailedPreconditionError(absl::StrCat(
      shown, " is built for ", release, "; this node is ", here,
      "\nfix: in the specification: url: ", absl::StrJoin(parts, "/"), " and its sha256"));
}

absl::Status CheckArchitecture(const ResourceContext& context, const PackageWanted& wanted,
                               const std::string& architecture) {
  if (architecture == "all") return absl::OkStatus();
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  // dpkg is itself a package of the node's architecture.
  const v1::Package* dpkg = (*database)->Find("dpkg");
  if (dpkg == nullptr) return absl::InternalError("dpkg's database does not have dpkg");
  if (dpkg->architecture() == architecture) return absl::OkStatus();
  return Refuse(
      wanted, absl::StrCat("is built for ", architecture, "; this node is ", dpkg->architecture()));
}

}  // namespace

PackageClaims ParsePackageFields(absl::string_view fields) {
  PackageClaims claims;
  for (const absl::string_view line : absl::StrSplit(fields, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    const std::string value(absl::StripAsciiWhitespace(parts.second));
    uint64_t kibibytes = 0;
    if (parts.first == "Package") claims.name = value;
    if (parts.first == "Version") claims.version = value;
    if (parts.first == "Architecture") claims.architecture = value;
    if (parts.first == "Installed-Size" && absl::SimpleAtoi(value, &kibibytes)) {
      // What no disk has room for must not come round to what one has.
      claims.installed_bytes = std::min(kibibytes, UINT64_MAX >> 20) << 10;
    }
  }
  return claims;
}

absl::StatusOr<PackageClaims> ReadPackageFile(Host& host, const std::string& path) {
  CommandOptions options;
  options.deadline = kDeadline;
  const absl::StatusOr<CommandResult> run = host.Run(
      {kDpkgDeb, "--field", path, "Package", "Version", "Architecture", "Installed-Size"}, options);
  if (!run.ok()) return run.status();
  if (run->timed_out) return absl::DeadlineExceededError("dpkg-deb did not end in time");
  if (run->exit_code != 0) {
    return absl::FailedPreconditionError(absl::StrCat("is no package that dpkg can read: ",
                                                      absl::StripAsciiWhitespace(run->output)));
  }
  return ParsePackageFields(run->output);
}

absl::Status CheckClaims(const ResourceContext& context, const PackageWanted& wanted,
                         const PackageClaims& claims) {
  if (claims.name != wanted.name) {
    return Refuse(wanted, absl::StrCat("is the package ", claims.name, ", not ", wanted.name));
  }
  if (!wanted.version.empty() && !SameVersion(claims.version, wanted.version)) {
    return Refuse(wanted, absl::StrCat("is version ", claims.version, ", not ", wanted.version));
  }
  absl::Status status = CheckArchitecture(context, wanted, claims.architecture);
  if (status.ok()) status = CheckRelease(context.host, wanted, claims.version);
  if (status.ok()) status = CheckReleaseOfUrl(context.host, wanted);
  return status;
}

}  // namespace connect_ha
