// dpkg's database, read from its files instead of asked by a process: parsing all of it costs a
// fraction of a millisecond, one dpkg-query several.
//
// Files (dpkg(1), deb-md5sums(5)): /var/lib/dpkg/status, /var/lib/dpkg/info/PACKAGE[:ARCH].list
// and .md5sums.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/host/host.h"
#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {

struct ProbeCache;

inline constexpr char kDpkgStatusFile[] = "/var/lib/dpkg/status";

struct PackageDatabase {
  // By name; of a package in several architectures, the one that the file has first.
  std::map<std::string, v1::Package, std::less<>> packages;

  // Null when it is not installed; its configuration files alone do not count.
  const v1::Package* Find(absl::string_view name) const;
};

// `status`: the text of /var/lib/dpkg/status.
PackageDatabase ParseDpkgStatus(absl::string_view status);
// The absolute paths of the package's configuration files.
std::set<std::string> ParseConffiles(absl::string_view status, absl::string_view package);

struct ShippedFile {
  std::string path;  // absolute
  std::string md5;   // lower-case hex
};
// `md5sums`: the text of a .md5sums file. InvalidArgument names the line that is none.
absl::StatusOr<std::vector<ShippedFile>> ParseMd5sums(absl::string_view md5sums);
// Whether a .list file has the path.
bool ListHas(absl::string_view list, absl::string_view path);

// The database in effect, parsed again only when its file changed. NotFound: no dpkg here.
absl::StatusOr<std::shared_ptr<const PackageDatabase>> ReadPackages(Host& host, ProbeCache& cache);
// Where dpkg keeps what is told by `suffix` (".list", ".md5sums") of the package: multi-arch ones
// carry the architecture in the file's name.
absl::StatusOr<std::string> PackageInfoFile(Host& host, const v1::Package& package,
                                            const std::string& suffix);
// Whether the installed package owns the path; cached by its list's stat.
absl::StatusOr<bool> PackageOwns(Host& host, ProbeCache& cache, const v1::Package& package,
                                 const std::string& path);
// The package that owns the path. Reads every list: for kVerify probes only.
absl::StatusOr<std::optional<v1::Package>> FindOwner(Host& host, ProbeCache& cache,
                                                     const std::string& path);

// Files that were read and matched their checksum, so that a later verification reads only what
// changed since (by what SameFile compares). Thread-safe.
class VerifiedFiles {
 public:
  bool Has(const ShippedFile& file, const FileStatus& status) const;
  void Add(const ShippedFile& file, const FileStatus& status);

 private:
  mutable std::mutex mutex_;
  std::unordered_set<uint64_t> known_;
};

// Every shipped file of the package, its configuration files apart, against its checksum. Those
// that dpkg was told to leave out, or that the language's own tools wrote since, are no faults.
// Absent (nullopt) when the package carries no checksums. An unreadable file is an error.
// DeadlineExceeded when `deadline`, on the steady clock, passes first.
absl::StatusOr<std::optional<v1::Integrity>> VerifyPackage(
    Host& host, ProbeCache& cache, const v1::Package& package,
    std::chrono::steady_clock::time_point deadline);

}  // namespace connect_ha
