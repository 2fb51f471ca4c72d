// What an unpacked archive consists of, kept beside it so that it can be verified later:
// /opt/quarto/1.5.57 is described by /opt/quarto/.1.5.57.sha256, which sha256sum(1) takes too:
//
//   # archive SHA256-OF-THE-ARCHIVE
//   # link share/latest -> 1.5
//   HEX  bin/quarto
//
//   cd /opt/quarto/1.5.57 && sha256sum --check ../.1.5.57.sha256
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/host/host.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct ProbeCache;

struct ManifestEntry {
  std::string path;    // below the directory
  std::string sha256;  // hex; "" for a link
  std::string link;    // what a symbolic link points to
};

struct Manifest {
  std::string archive_sha256;
  std::vector<ManifestEntry> entries;
};

// InvalidArgument: a name with a line feed in it.
absl::StatusOr<std::string> FormatManifest(const Manifest& manifest);
// InvalidArgument names the line that is wrong.
absl::StatusOr<Manifest> ParseManifest(absl::string_view text);
// "/opt/quarto/.1.5.57.sha256" of "/opt/quarto/1.5.57".
std::string ManifestPath(const std::string& directory);

// Every file and link below `directory` against the manifest. Files that matched before and have
// not been touched since are not read again. DeadlineExceeded when `deadline`, on the steady clock,
// passes first.
absl::StatusOr<v1::Integrity> VerifyManifest(Host& host, ProbeCache& cache,
                                             const std::string& directory, const Manifest& manifest,
                                             std::chrono::steady_clock::time_point deadline);

}  // namespace connect_ha
