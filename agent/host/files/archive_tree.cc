#include "agent/host/files/archive_tree.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

// Linux ends a path at 4096 and a part at 255 bytes; the tree's own place needs some.
constexpr size_t kLongestName = 2048;
constexpr size_t kLongestPart = 255;
constexpr int kMostLinksFollowed = 40;  // as the kernel

absl::Status Refused(const std::string& why) { return absl::FailedPreconditionError(why); }

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); });
}

absl::Status CheckText(std::string_view text) {
  if (text.empty()) return Refused("it is empty");
  if (text.front() == '/') return Refused("it is absolute");
  if (text.size() > kLongestName) return Refused("it is too long");
  if (HasControlCharacter(text)) return Refused("it has a control character");
  return absl::OkStatus();
}

std::vector<std::string> Parts(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : absl::StrSplit(absl::string_view(path.data(), path.size()), '/')) {
    if (!part.empty() && part != ".") parts.emplace_back(part);
  }
  return parts;
}

std::string ParentOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

}  // namespace

absl::StatusOr<std::string> CleanEntryName(std::string_view name, int strip_components) {
  const absl::Status text = CheckText(name);
  if (!text.ok()) return text;
  std::vector<std::string> parts = Parts(name);
  for (const std::string& part : parts) {
    if (part == "..") return Refused("it goes up (..)");
    if (part.size() > kLongestPart) return Refused("it is too long");
  }
  const auto stripped = static_cast<size_t>(std::max(strip_components, 0));
  parts.erase(parts.begin(),
              parts.begin() + static_cast<std::ptrdiff_t>(std::min(stripped, parts.size())));
  return absl::StrJoin(parts, "/");
}

absl::Status ArchiveTree::Insert(const std::string& name, Kind kind) {
  if (entries_.size() >= limit_entries_) {
    return absl::ResourceExhaustedError(absl::StrCat("more than ", limit_entries_, " entries"));
  }
  entries_.emplace(name, kind);
  return absl::OkStatus();
}

absl::Status ArchiveTree::AddParents(const std::string& name) {
  for (size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1)) {
    const absl::Status added = Add(name.substr(0, end), Kind::kDirectory);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status ArchiveTree::Add(const std::string& name, Kind kind) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return Insert(name, kind);
  if (kind == Kind::kDirectory && found->second == kind) return absl::OkStatus();
  return Refused(absl::StrCat("\"", name, "\" is there already, as a ",
                              found->second == Kind::kDirectory ? "directory"
                              : found->second == Kind::kFile    ? "file"
                                                                : "link"));
}

absl::Status ArchiveTree::AddDirectory(const std::string& name) {
  const absl::Status parents = AddParents(name);
  return parents.ok() ? Add(name, Kind::kDirectory) : parents;
}

absl::Status ArchiveTree::AddFile(const std::string& name) {
  const absl::Status parents = AddParents(name);
  return parents.ok() ? Add(name, Kind::kFile) : parents;
}

absl::Status ArchiveTree::AddHardLink(const std::string& name, const std::string& to) {
  const auto found = entries_.find(to);
  if (found == entries_.end() || found->second != Kind::kFile) {
    return Refused(absl::StrCat("a hard link to \"", to, "\", which is no earlier file"));
  }
  return AddFile(name);
}

absl::Status ArchiveTree::AddLink(const std::string& name, const std::string& target) {
  const absl::Status text = CheckText(target);
  if (!text.ok()) return Refused(absl::StrCat("a link whose target will not do: ", text.message()));
  const absl::Status parents = AddParents(name);
  const absl::Status added = parents.ok() ? Add(name, Kind::kLink) : parents;
  if (added.ok()) links_.emplace(name, target);
  return added;
}

// As the kernel would: one part after the other, `place` being free of links all the time.
absl::Status ArchiveTree::CheckLink(const std::string& name) const {
  std::vector<std::string> place = Parts(ParentOf(name));
  std::vector<std::string> ahead = Parts(links_.at(name));
  std::reverse(ahead.begin(), ahead.end());
  int followed = 0;
  while (!ahead.empty()) {
    const std::string part = ahead.back();
    ahead.pop_back();
    if (part == "..") {
      if (place.empty()) return Refused("a link that leaves the directory");
      place.pop_back();
      continue;
    }
    place.push_back(part);
    const auto link = links_.find(absl::StrJoin(place, "/"));
    if (link == links_.end()) continue;
    if (++followed > kMostLinksFollowed) return Refused("a link that leads round in a circle");
    place.pop_back();
    const std::vector<std::string> target = Parts(link->second);
    ahead.insert(ahead.end(), target.rbegin(), target.rend());
  }
  return absl::OkStatus();
}

}  // namespace connect_ha
