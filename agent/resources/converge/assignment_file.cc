#include "agent/resources/converge/assignment_file.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

std::string Path(const std::string& state_dir) { return state_dir + "/assignment"; }

}  // namespace

absl::StatusOr<v1::Assignment> LoadAssignment(Host& host, const std::string& state_dir) {
  const absl::StatusOr<std::string> bytes = host.ReadFile(Path(state_dir));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(
        "this node holds no specification yet; fix: connect-ha apply cluster.yaml");
  }
  if (!bytes.ok()) return bytes.status();
  v1::Assignment assignment;
  if (assignment.ParseFromString(*bytes)) return assignment;
  return absl::DataLossError(absl::StrCat(
      Path(state_dir), " is damaged; fix: remove it, and the coordinator sends it again"));
}

absl::Status StoreAssignment(WritableHost& host, const std::string& state_dir,
                             const v1::Assignment& assignment) {
  return host.WriteFile(Path(state_dir), assignment.SerializeAsString(), FileAttributes());
}

}  // namespace connect_ha
