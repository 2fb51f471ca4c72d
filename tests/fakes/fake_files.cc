#include "tests/fakes/fake_files.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr int kMostLinks = 20;

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string Join(const std::string& directory, const std::string& name) {
  return directory == "/" ? "/" + name : directory + "/" + name;
}

bool IsAtOrBelow(const std::string& what, const std::string& top) {
  return what == top || absl::StartsWith(what, Join(top, ""));
}

absl::Status NoSuchFile(const std::string& path) {
  return absl::NotFoundError(absl::StrCat("no such file: ", path));
}

// The paths that a change may name at all.
absl::Status CheckPath(const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(path, '/');
  const bool climbs = std::find(parts.begin(), parts.end(), "..") != parts.end();
  if (absl::StartsWith(path, "/") && path.size() > 1 && !climbs) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("not a path to change: \"", path, "\""));
}

FakeNode Directory() {
  FakeNode directory;
  directory.kind = FileStatus::Kind::kDirectory;
  directory.mode = 0755;
  return directory;
}

}  // namespace

FakeFiles::FakeFiles() {
  nodes_["/"] = Directory();
  nodes_["/"].inode = 1;
}

void FakeFiles::PutParents(const std::string& path) {
  for (std::string parent = Parent(path); nodes_.count(parent) == 0; parent = Parent(parent)) {
    nodes_[parent] = Directory();
    nodes_[parent].inode = next_inode_++;
  }
}

void FakeFiles::Put(const std::string& path, FakeNode node) {
  PutParents(path);
  node.inode = next_inode_++;
  nodes_[path] = std::move(node);
}

void FakeFiles::Erase(const std::string& path) {
  for (auto it = nodes_.begin(); it != nodes_.end();) {
    it = IsAtOrBelow(it->first, path) ? nodes_.erase(it) : std::next(it);
  }
}

absl::StatusOr<std::string> FakeFiles::Resolve(const std::string& path, bool follow_last) const {
  std::vector<std::string> rest = absl::StrSplit(path, '/', absl::SkipEmpty());
  std::string done = "/";
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.erase(rest.begin());
    if (name == ".") continue;
    if (name == "..") {
      done = Parent(done);
      continue;
    }
    const std::string next = Join(done, name);
    const auto it = nodes_.find(next);
    if (it == nodes_.end()) return NoSuchFile(path);
    if (it->second.kind != FileStatus::Kind::kLink || (rest.empty() && !follow_last)) {
      done = next;
      continue;
    }
    if (++links > kMostLinks) {
      return absl::FailedPreconditionError("too many levels of symbolic links: " + path);
    }
    const std::vector<std::string> target =
        absl::StrSplit(it->second.content, '/', absl::SkipEmpty());
    rest.insert(rest.begin(), target.begin(), target.end());
    if (it->second.content[0] == '/') done = std::string(1, '/');
  }
  return done;
}

absl::StatusOr<const FakeNode*> FakeFiles::Find(const std::string& path, bool follow_last) const {
  const absl::StatusOr<std::string> resolved = Resolve(path, follow_last);
  if (!resolved.ok()) return resolved.status();
  return &nodes_.at(*resolved);
}

absl::StatusOr<std::vector<std::string>> FakeFiles::List(const std::string& path) const {
  const absl::StatusOr<std::string> directory = Resolve(path, true);
  if (!directory.ok()) return directory.status();
  if (nodes_.at(*directory).kind != FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("not a directory: " + path);
  }
  const std::string prefix = Join(*directory, "");
  std::vector<std::string> names;
  for (auto it = nodes_.lower_bound(prefix); it != nodes_.end(); ++it) {
    if (!absl::StartsWith(it->first, prefix)) break;
    const std::string name = it->first.substr(prefix.size());
    if (!name.empty() && !absl::StrContains(name, "/")) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::string> FakeFiles::Place(const std::string& path) const {
  if (const absl::Status status = CheckPath(path); !status.ok()) return status;
  const absl::StatusOr<std::string> directory = Resolve(Parent(path), true);
  if (!directory.ok()) return directory.status();
  if (nodes_.at(*directory).kind != FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("not a directory: " + Parent(path));
  }
  return Join(*directory, path.substr(path.rfind('/') + 1));
}

absl::Status FakeFiles::Write(const std::string& path, const std::string& content,
                              const FileAttributes& attributes, Time now) {
  const absl::StatusOr<std::string> place = Place(path);
  if (!place.ok()) return place.status();
  const auto there = nodes_.find(*place);
  if (there != nodes_.end() && there->second.kind == FileStatus::Kind::kDirectory) {
    return absl::FailedPreconditionError("is a directory: " + path);
  }
  FakeNode node;
  node.content = content;
  node.mode = attributes.mode;
  node.uid = attributes.uid;
  node.gid = attributes.gid;
  node.modified_at = now;
  Put(*place, std::move(node));
  return absl::OkStatus();
}

absl::Status FakeFiles::SetAttributes(const std::string& path, const FileAttributes& attributes) {
  const absl::StatusOr<std::string> place = Place(path);
  if (!place.ok()) return place.status();
  const auto it = nodes_.find(*place);
  if (it == nodes_.end()) return NoSuchFile(path);
  if (it->second.kind == FileStatus::Kind::kLink) {
    return absl::FailedPreconditionError("is a symbolic link: " + path);
  }
  it->second.mode = attributes.mode;
  it->second.uid = attributes.uid;
  it->second.gid = attributes.gid;
  return absl::OkStatus();
}

absl::Status FakeFiles::MakeDirectory(const std::string& path) {
  if (const absl::Status status = CheckPath(path); !status.ok()) return status;
  std::string made;
  for (const auto part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&made, "/", part);
    const absl::StatusOr<const FakeNode*> there = Find(made, true);
    if (absl::IsNotFound(there.status())) {
      const absl::StatusOr<std::string> place = Place(made);
      if (!place.ok()) return place.status();
      if (nodes_.count(*place) > 0) {
        return absl::FailedPreconditionError("a link that leads nowhere: " + made);
      }
      Put(*place, Directory());
    } else if (!there.ok()) {
      return there.status();
    } else if ((*there)->kind != FileStatus::Kind::kDirectory) {
      return absl::FailedPreconditionError("not a directory: " + made);
    }
  }
  return absl::OkStatus();
}

absl::Status FakeFiles::Rename(const std::string& from, const std::string& to) {
  const absl::StatusOr<std::string> source = Place(from);
  if (!source.ok()) return source.status();
  const absl::StatusOr<std::string> target = Place(to);
  if (!target.ok()) return target.status();
  if (nodes_.count(*source) == 0) return NoSuchFile(from);
  if (nodes_.count(*target) > 0) return absl::AlreadyExistsError("is there already: " + to);
  std::map<std::string, FakeNode> moved;
  for (const auto& [path, node] : nodes_) {
    if (IsAtOrBelow(path, *source)) moved[*target + path.substr(source->size())] = node;
  }
  Erase(*source);
  nodes_.merge(moved);
  return absl::OkStatus();
}

absl::Status FakeFiles::Remove(const std::string& path, bool halfway) {
  if (const absl::Status status = CheckPath(path); !status.ok()) return status;
  const std::vector<std::string> parts = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (parts.size() < 2) return absl::InvalidArgumentError("will not remove " + path);
  const absl::StatusOr<std::string> place = Place(path);
  if (absl::IsNotFound(place.status())) return absl::OkStatus();
  if (!place.ok()) return place.status();
  if (!halfway) {
    Erase(*place);
    return absl::OkStatus();
  }
  std::vector<std::string> going;
  for (const auto& [at, node] : nodes_) {
    if (IsAtOrBelow(at, *place)) going.push_back(at);
  }
  // What is below a directory comes after it, and goes before it.
  for (size_t i = going.size(); i > going.size() / 2 && i > 1; --i) nodes_.erase(going[i - 1]);
  return absl::OkStatus();
}

absl::Status FakeFiles::Append(const std::string& path, const std::string& content, Time now) {
  const absl::StatusOr<std::string> place = Place(path);
  if (!place.ok()) return place.status();
  if (nodes_.count(*place) == 0) {
    FakeNode node;
    node.mode = 0600;
    Put(*place, node);
  }
  nodes_[*place].content += content;
  nodes_[*place].modified_at = now;
  return absl::OkStatus();
}

}  // namespace connect_ha
