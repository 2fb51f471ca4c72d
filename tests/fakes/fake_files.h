// A file system in memory: what FakeHost keeps its files in. For one thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/host/writable_host.h"

namespace connect_ha {

struct FakeNode {
  FileStatus::Kind kind = FileStatus::Kind::kFile;
  std::string content;  // of a link: its target
  uint32_t mode = 0644;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t inode = 0;
  Time modified_at{};
  Time changed_at{};  // without: modified_at
};

class FakeFiles {
 public:
  FakeFiles();

  // For arranging: makes the directories above, and replaces what is there.
  void Put(const std::string& path, FakeNode node);
  // With everything below it.
  void Erase(const std::string& path);
  FakeNode& At(const std::string& path) { return nodes_.at(path); }

  // The path without links on the way. NotFound: nothing is there.
  absl::StatusOr<std::string> Resolve(const std::string& path, bool follow_last) const;
  absl::StatusOr<const FakeNode*> Find(const std::string& path, bool follow_last) const;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const;

  // As the calls of WritableHost with these names.
  absl::Status Write(const std::string& path, const std::string& content,
                     const FileAttributes& attributes, Time now);
  absl::Status SetAttributes(const std::string& path, const FileAttributes& attributes);
  absl::Status MakeDirectory(const std::string& path);
  absl::Status Rename(const std::string& from, const std::string& to);
  // `halfway`: as if the process had died on the way: half of what is below goes.
  absl::Status Remove(const std::string& path, bool halfway);

  // Makes the file or goes on at its end. 0600 and root's when it is new.
  absl::Status Append(const std::string& path, const std::string& content, Time now);

 private:
  void PutParents(const std::string& path);
  // Where a new entry would be: its directory resolved, its own name as it is.
  absl::StatusOr<std::string> Place(const std::string& path) const;

  std::map<std::string, FakeNode> nodes_;
  uint64_t next_inode_ = 2;
};

}  // namespace connect_ha
