#include "agent/assignment/set_aside.h"

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

const char* const kOfACluster[] = {"changes", "installing", "artifacts",
                                   "holds",   "service",    "preflight-overridden"};

absl::Status MoveInto(WritableHost& host, const std::string& state_dir, const std::string& name,
                      const std::string& directory) {
  const std::string from = absl::StrCat(state_dir, "/", name);
  const absl::StatusOr<FileStatus> there = host.LStat(from);
  if (absl::IsNotFound(there.status())) return absl::OkStatus();
  if (!there.ok()) return there.status();
  return host.Rename(from, absl::StrCat(directory, "/", name));
}

// There is no moment without an assignment.
absl::Status Supersede(WritableHost& host, const std::string& state_dir,
                       const std::string& directory, const Owner& owner) {
  const std::string path = state_dir + "/assignment";
  const absl::StatusOr<FileStatus> file = host.LStat(path);
  if (!file.ok()) return file.status();
  const absl::StatusOr<std::string> bytes = host.ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  FileAttributes attributes;
  attributes.uid = file->uid;
  attributes.gid = file->gid;
  const absl::Status copied = host.WriteFile(directory + "/assignment", *bytes, attributes);
  if (!copied.ok()) return copied;
  v1::Assignment begun;
  begun.set_state(v1::OBSERVED);
  begun.set_cluster(owner.cluster);
  begun.set_machine_id(owner.machine_id);
  begun.set_enrolment(owner.enrolment);
  return host.WriteFile(path, begun.SerializeAsString(), attributes);
}

// A directory that is not there yet.
absl::StatusOr<std::string> NewDirectory(WritableHost& host, const std::string& state_dir) {
  const int64_t seconds = host.Now().time_since_epoch().count() / 1'000'000;
  for (int64_t name = seconds;; ++name) {
    const std::string directory = absl::StrCat(state_dir, "/set-aside/", name);
    const absl::StatusOr<FileStatus> there = host.LStat(directory);
    if (there.ok()) continue;
    if (!absl::IsNotFound(there.status())) return there.status();
    const absl::Status made = host.MakeDirectory(directory);
    if (!made.ok()) return made;
    return directory;
  }
}

}  // namespace

Belonging BelongingOf(const v1::Assignment& assignment, const Owner& owner) {
  if (assignment.cluster().empty()) {
    const std::string& cluster = assignment.desired().spec().cluster();
    const bool ours = (cluster.empty() || cluster == owner.cluster) &&
                      owner.enrolled_machine_id == owner.machine_id;
    return ours ? Belonging::kOurs : Belonging::kAnothers;
  }
  if (assignment.cluster() != owner.cluster || assignment.machine_id() != owner.machine_id) {
    return Belonging::kAnothers;
  }
  return assignment.enrolment() == owner.enrolment ? Belonging::kOurs : Belonging::kBefore;
}

absl::StatusOr<bool> SetAside(WritableHost& host, const std::string& state_dir,
                              const v1::Assignment& assignment, const Owner& owner) {
  const Belonging belonging = BelongingOf(assignment, owner);
  if (belonging == Belonging::kOurs) return false;
  const absl::StatusOr<std::string> directory = NewDirectory(host, state_dir);
  if (!directory.ok()) return directory.status();
  if (belonging == Belonging::kAnothers) {
    for (const char* name : kOfACluster) {
      const absl::Status moved = MoveInto(host, state_dir, name, *directory);
      if (!moved.ok()) return moved;
    }
  }
  // Last: while the old one is there, a run that was killed goes on.
  const absl::Status superseded = Supersede(host, state_dir, *directory, owner);
  if (!superseded.ok()) return superseded;
  return true;
}

}  // namespace connect_ha
