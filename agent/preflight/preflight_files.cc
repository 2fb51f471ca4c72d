#include "agent/preflight/preflight_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/probes/connect/guard.h"

namespace connect_ha {
namespace {

// The id of the start that used it up, a line feed, and the override's bytes.
constexpr char kUsedFile[] = "/run/connect-ha-agent/preflight-override-used";

using Given = std::optional<v1::PreflightOverride>;

// After a boot the preflight may be there before the agent.
absl::Status MakeRuntimeDirectory(WritableHost& host) {
  const absl::StatusOr<FileStatus> found = host.LStat(kRuntimeDirectory);
  if (!absl::IsNotFound(found.status())) return found.status();
  absl::Status made = host.MakeDirectory(kRuntimeDirectory);
  FileAttributes attributes;
  attributes.mode = 0700;
  return made.ok() ? host.SetAttributes(kRuntimeDirectory, attributes) : made;
}

absl::Status Store(WritableHost& host, const std::string& path, const std::string& bytes) {
  absl::Status ready = MakeRuntimeDirectory(host);
  return ready.ok() ? host.WriteFile(path, bytes, FileAttributes()) : ready;
}

absl::StatusOr<Given> UsedByThisStart(Host& host, const std::string& invocation) {
  if (invocation.empty()) return Given();
  const absl::StatusOr<std::string> used = host.ReadFile(kUsedFile);
  if (absl::IsNotFound(used.status())) return Given();
  if (!used.ok()) return used.status();
  absl::string_view bytes = *used;
  v1::PreflightOverride given;
  if (!absl::ConsumePrefix(&bytes, invocation + "\n") ||
      !given.ParseFromString(std::string(bytes))) {
    return Given();
  }
  return Given(given);
}

}  // namespace

absl::Status StorePreflightResult(WritableHost& host, const v1::PreflightResult& result) {
  return Store(host, kPreflightFile, result.SerializeAsString());
}

absl::Status GiveOverride(WritableHost& host, const v1::PreflightOverride& given) {
  return Store(host, kOverrideFile, given.SerializeAsString());
}

absl::StatusOr<std::optional<v1::PreflightOverride>> TakeOverride(WritableHost& host,
                                                                  const std::string& invocation) {
  const absl::StatusOr<v1::PreflightOverride> given = ReadPreflightOverride(host);
  if (absl::IsNotFound(given.status())) return UsedByThisStart(host, invocation);
  if (!given.ok()) return given.status();
  absl::Status used =
      Store(host, kUsedFile, absl::StrCat(invocation, "\n", given->SerializeAsString()));
  if (used.ok()) used = host.Remove(kOverrideFile);
  if (!used.ok()) return used;
  return Given(*given);
}

absl::Status KeepOverridden(WritableHost& host, const std::string& state_dir,
                            const v1::PreflightResult& result) {
  const absl::StatusOr<v1::PreflightResult> kept = ReadOverridden(host, state_dir);
  if (kept.ok() && kept->override().SerializeAsString() == result.override().SerializeAsString()) {
    return absl::OkStatus();
  }
  return host.WriteFile(absl::StrCat(state_dir, "/", kOverriddenName), result.SerializeAsString(),
                        FileAttributes());
}

}  // namespace connect_ha
