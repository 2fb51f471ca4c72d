// A .deb before it is installed: is it what the specification says?
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/resources/nouns.h"

namespace connect_ha {

// The fields of its control file that matter here.
struct PackageClaims {
  std::string name;
  std::string version;
  std::string architecture;
  uint64_t installed_bytes = 0;
};

// `fields`: what `dpkg-deb --field FILE Package Version Architecture Installed-Size` prints.
PackageClaims ParsePackageFields(absl::string_view fields);

// FailedPrecondition: it is no package.
absl::StatusOr<PackageClaims> ReadPackageFile(Host& host, const std::string& path);

// FailedPrecondition names what it claims to be and what was to be installed: another package,
// another version, for another architecture or for another release, by its version
// (2024.08.0~ubuntu22) or its address (.../r/ubuntu-2204/...).
absl::Status CheckClaims(const ResourceContext& context, const PackageWanted& wanted,
                         const PackageClaims& claims);

}  // namespace connect_ha
