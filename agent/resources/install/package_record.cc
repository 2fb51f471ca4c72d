#include "agent/resources/install/package_record.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/probes/installed/dpkg.h"
#include "common/tls/crypto.h"

namespace connect_ha {
namespace {

constexpr char kBegun[] = "begun";
constexpr char kNoChecksums[] = "none";
constexpr std::chrono::seconds kDeadline{60};
constexpr size_t kMostChecksumBytes = 64u << 20;

std::string Records(const ResourceContext& context) { return context.state_dir + "/artifacts"; }

std::string RecordFile(const ResourceContext& context, const std::string& package) {
  return absl::StrCat(Records(context), "/", package);
}

// Tells two builds apart: the digest of the checksums of all the files of a package.
absl::StatusOr<std::string> InstalledBuild(const ResourceContext& context,
                                           const std::string& package) {
  const std::string path = absl::StrCat("/var/lib/dpkg/info/", package, ".md5sums");
  const auto digest = context.cache.digests.Get(
      context.host, path, [&] { return context.host.HashFile(path, "sha256"); });
  if (absl::IsNotFound(digest.status())) return std::string(kNoChecksums);
  if (!digest.ok()) return digest.status();
  return **digest;
}

absl::Status Write(const ResourceContext& context, const std::string& package,
                   const std::string& sha256, const std::string& build) {
  absl::Status made = context.host.MakeDirectory(Records(context));
  if (!made.ok()) return made;
  return context.host.WriteFile(RecordFile(context, package),
                                absl::StrCat(absl::AsciiStrToLower(sha256), " ", build, "\n"),
                                FileAttributes());
}

}  // namespace

absl::Status RecordBegun(const ResourceContext& context, const std::string& package) {
  return Write(context, package, kBegun, kBegun);
}

absl::Status RecordArtifact(const ResourceContext& context, const std::string& package,
                            const std::string& sha256) {
  const absl::StatusOr<std::string> build = InstalledBuild(context, package);
  if (!build.ok()) return build.status();
  return Write(context, package, sha256, *build);
}

absl::StatusOr<std::string> RecordedArtifact(const ResourceContext& context,
                                             const std::string& package) {
  const absl::StatusOr<std::string> record = context.host.ReadFile(RecordFile(context, package));
  if (absl::IsNotFound(record.status())) return std::string();
  if (!record.ok()) return record.status();
  const absl::StatusOr<std::string> build = InstalledBuild(context, package);
  if (!build.ok()) return build.status();
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(absl::StripAsciiWhitespace(*record), absl::MaxSplits(' ', 1));
  return parts.second == *build ? parts.first : std::string();
}

absl::StatusOr<bool> IsBuildOf(const ResourceContext& context, const std::string& package,
                               const std::string& file) {
  CommandOptions options;
  options.deadline = kDeadline;
  options.output_limit_bytes = kMostChecksumBytes;
  const absl::StatusOr<CommandResult> run =
      context.host.Run({"/usr/bin/dpkg-deb", "--info", file, "md5sums"}, options);
  if (!run.ok()) return run.status();
  if (run->timed_out) return absl::DeadlineExceededError("dpkg-deb did not end in time");
  if (run->exit_code != 0) return false;  // it has no checksums
  const absl::StatusOr<std::string> build = InstalledBuild(context, package);
  if (!build.ok()) return build.status();
  return *build == Hex(Sha256(run->output));
}

absl::StatusOr<std::vector<std::string>> RecordedPackages(const ResourceContext& context) {
  absl::StatusOr<std::vector<std::string>> names = context.host.ListDirectory(Records(context));
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  return names;
}

absl::Status ForgetRemovedPackages(const ResourceContext& context) {
  const absl::StatusOr<std::vector<std::string>> names = RecordedPackages(context);
  if (!names.ok()) return names.status();
  if (names->empty()) return absl::OkStatus();
  const auto database = ReadPackages(context.host, context.cache);
  if (!database.ok()) return database.status();
  for (const std::string& name : *names) {
    if ((*database)->Find(name) != nullptr) continue;
    absl::Status removed = context.host.Remove(RecordFile(context, name));
    if (!removed.ok()) return removed;
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
