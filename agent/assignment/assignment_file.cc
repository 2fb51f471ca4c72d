#include "agent/assignment/assignment_file.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

std::string Path(const std::string& directory) { return directory + "/assignment"; }

}  // namespace

absl::StatusOr<v1::Assignment> LoadAssignment(Host& host, const std::string& directory) {
  const absl::StatusOr<std::string> bytes = host.ReadFile(Path(directory));
  if (absl::IsNotFound(bytes.status())) {
    return absl::NotFoundError(
        "this node holds no specification yet; fix: connect-ha apply cluster.yaml");
  }
  if (!bytes.ok()) return bytes.status();
  v1::Assignment assignment;
  // An empty file is a message, too, of a disk that lost what was in it.
  if (!bytes->empty() && assignment.ParseFromString(*bytes)) return assignment;
  return absl::DataLossError(absl::StrCat(
      Path(directory), " is damaged; fix: remove it, and the coordinator sends it again"));
}

absl::Status StoreAssignment(WritableHost& host, const std::string& directory,
                             const v1::Assignment& assignment) {
  return host.WriteFile(Path(directory), assignment.SerializeAsString(), FileAttributes());
}

absl::Status RemoveAssignment(WritableHost& host, const std::string& directory) {
  return host.Remove(Path(directory));
}

}  // namespace connect_ha
