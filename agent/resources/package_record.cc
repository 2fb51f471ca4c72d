#include "agent/resources/package_record.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

std::string RecordFile(const ResourceContext& context, const std::string& package) {
  return absl::StrCat(context.state_dir, "/artifacts/", package);
}

// Tells two builds apart: the checksums of all the files of a package. NotFound: it has none.
absl::StatusOr<std::string> BuildOf(const ResourceContext& context, const std::string& package) {
  const std::string path = absl::StrCat("/var/lib/dpkg/info/", package, ".md5sums");
  const auto digest = context.cache.digests.Get(
      context.host, path, [&] { return context.host.HashFile(path, "sha256"); });
  if (!digest.ok()) return digest.status();
  return **digest;
}

}  // namespace

absl::Status RecordArtifact(const ResourceContext& context, const std::string& package,
                            const std::string& sha256) {
  const absl::StatusOr<std::string> build = BuildOf(context, package);
  if (absl::IsNotFound(build.status())) return absl::OkStatus();
  if (!build.ok()) return build.status();
  absl::Status made = context.host.MakeDirectory(context.state_dir + "/artifacts");
  if (!made.ok()) return made;
  return context.host.WriteFile(RecordFile(context, package),
                                absl::StrCat(absl::AsciiStrToLower(sha256), " ", *build, "\n"),
                                FileAttributes());
}

absl::StatusOr<std::string> RecordedArtifact(const ResourceContext& context,
                                             const std::string& package) {
  const absl::StatusOr<std::string> record = context.host.ReadFile(RecordFile(context, package));
  if (absl::IsNotFound(record.status())) return std::string();
  if (!record.ok()) return record.status();
  const absl::StatusOr<std::string> build = BuildOf(context, package);
  if (absl::IsNotFound(build.status())) return std::string();
  if (!build.ok()) return build.status();
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(*record), absl::MaxSplits(' ', 1));
  return parts.second == *build ? parts.first : std::string();
}

}  // namespace connect_ha
