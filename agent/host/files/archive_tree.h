// What an archive says it holds, judged before any of it is written. Pure: no files.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace connect_ha {

// The name that an entry gets: without its first `strip_components` parts, without "." and double
// slashes. "": nothing is left. FailedPrecondition: it is absolute or empty, it goes up (..), it
// has a control character, or it is longer than any sane one.
absl::StatusOr<std::string> CleanEntryName(std::string_view name, int strip_components);

// For names from CleanEntryName, in the archive's order. Directories that an entry needs need no
// entry of their own. FailedPrecondition: the entry will not do, with the reason;
// ResourceExhausted: more entries than the limit.
class ArchiveTree {
 public:
  explicit ArchiveTree(uint64_t limit_entries) : limit_entries_(limit_entries) {}

  absl::Status AddDirectory(const std::string& name);  // may be there
  absl::Status AddFile(const std::string& name);
  // `to`: a file that was added before.
  absl::Status AddHardLink(const std::string& name, const std::string& to);
  absl::Status AddLink(const std::string& name, const std::string& target);

  // name -> target
  const std::map<std::string, std::string>& links() const { return links_; }
  // Whether the link's target, followed through every other link, stays in the tree. For when all
  // is added.
  absl::Status CheckLink(const std::string& name) const;

 private:
  enum class Kind { kDirectory, kFile, kLink };

  absl::Status Add(const std::string& name, Kind kind);
  absl::Status AddParents(const std::string& name);
  absl::Status Insert(const std::string& name, Kind kind);

  uint64_t limit_entries_;
  std::map<std::string, Kind> entries_;
  std::map<std::string, std::string> links_;
};

}  // namespace connect_ha
