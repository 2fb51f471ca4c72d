#include "agent/probes/storage/efs_state.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace connect_ha {
namespace {

constexpr char kStateDirectory[] = "/run/efs";
constexpr char kLoopback[] = "127.0.0.1:";
constexpr char kPortOption[] = "port=";

// ".mnt.connect.20123": what the state file's name has behind the file system's id.
std::string NameEnd(const MountEntry& mount) {
  std::string dotted = absl::StrReplaceAll(mount.mount_point, {{"/", "."}});
  if (!absl::StartsWith(dotted, ".")) dotted = "." + dotted;
  const auto port =
      std::find_if(mount.super_options.begin(), mount.super_options.end(),
                   [](const std::string& option) { return absl::StartsWith(option, kPortOption); });
  if (port == mount.super_options.end()) return dotted + ".";
  return absl::StrCat(dotted, ".", port->substr(sizeof(kPortOption) - 1));
}

}  // namespace

absl::StatusOr<EfsState> ReadEfsState(Host& host, const MountEntry& mount) {
  if (!absl::StartsWith(mount.fs_type, "nfs") || !absl::StartsWith(mount.source, kLoopback)) {
    return absl::NotFoundError("not a mount of the EFS mount helper");
  }
  const absl::StatusOr<std::vector<std::string>> names = host.ListDirectory(kStateDirectory);
  if (!names.ok()) return names.status();
  const std::string end = NameEnd(mount);
  for (const std::string& name : *names) {
    // "~..." is a mount in the making; "...+" the directory beside the file.
    if (!absl::StartsWith(name, "fs-") || !absl::EndsWith(name, end)) continue;
    const absl::StatusOr<std::string> text =
        host.ReadFile(absl::StrCat(kStateDirectory, "/", name));
    if (!text.ok()) return text.status();
    google::protobuf::Struct state;
    if (!google::protobuf::util::JsonStringToMessage(*text, &state).ok()) {
      return absl::DataLossError(absl::StrCat(kStateDirectory, "/", name, " is not JSON"));
    }
    EfsState found;
    found.file_system = name.substr(0, name.find('.'));
    found.tls = state.fields().count("certificate") > 0;
    found.iam = state.fields().count("awsCredentialsMethod") > 0;
    const auto access_point = state.fields().find("accessPoint");
    if (access_point != state.fields().end()) {
      found.access_point = access_point->second.string_value();
    }
    return found;
  }
  return absl::NotFoundError("the EFS mount helper has no state for it");
}

}  // namespace connect_ha
