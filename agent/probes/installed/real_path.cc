#include "agent/probes/installed/real_path.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr int kMostLinks = 40;  // as the kernel follows

std::vector<std::string> Components(absl::string_view path) {
  return absl::StrSplit(path, '/', absl::SkipEmpty());
}

}  // namespace

absl::StatusOr<std::string> RealPath(Host& host, const std::string& path) {
  std::vector<std::string> rest = Components(path);
  std::vector<std::string> done;
  int links = 0;
  while (!rest.empty()) {
    const std::string name = rest.front();
    rest.erase(rest.begin());
    if (name == ".") continue;
    if (name == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(name);
    const std::string current = absl::StrCat("/", absl::StrJoin(done, "/"));
    const absl::StatusOr<FileStatus> status = host.LStat(current);
    if (!status.ok()) return status.status();
    if (status->kind != FileStatus::Kind::kLink) continue;
    if (++links > kMostLinks) {
      return absl::NotFoundError(absl::StrCat(path, ": its links lead in a circle"));
    }
    const absl::StatusOr<std::string> target = host.ReadLink(current);
    if (!target.ok()) return target.status();
    done.pop_back();
    if (absl::StartsWith(*target, "/")) done.clear();
    const std::vector<std::string> parts = Components(*target);
    rest.insert(rest.begin(), parts.begin(), parts.end());
  }
  return absl::StrCat("/", absl::StrJoin(done, "/"));
}

}  // namespace connect_ha
