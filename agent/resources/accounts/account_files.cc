#include "agent/resources/accounts/account_files.h"

#include <deque>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr char kConnectDirectory[] = "/var/lib/rstudio-connect";
constexpr int kMostEntries = 200;  // below one directory

struct Sample {
  int looked_at = 0;
  int owned = 0;
  std::string error;
};

void LookAt(const ResourceContext& context, const std::string& path, uint32_t id, bool is_group,
            Sample& sample, std::deque<std::string>& directories) {
  const absl::StatusOr<FileStatus> status = context.host.LStat(path);
  if (absl::IsNotFound(status.status())) return;
  if (!status.ok()) {
    sample.error = std::string(status.status().message());
    return;
  }
  ++sample.looked_at;
  if ((is_group ? status->gid : status->uid) == id) ++sample.owned;
  if (status->kind == FileStatus::Kind::kDirectory) directories.push_back(path);
}

// From the top down, so that the few that are looked at are the telling ones.
Sample Look(const ResourceContext& context, const std::string& top, uint32_t id, bool is_group) {
  Sample sample;
  std::deque<std::string> directories;
  LookAt(context, top, id, is_group, sample, directories);
  while (!directories.empty() && sample.error.empty() && sample.looked_at < kMostEntries) {
    const std::string directory = directories.front();
    directories.pop_front();
    const auto names = context.host.ListDirectory(directory);
    if (!names.ok()) {
      if (!absl::IsNotFound(names.status())) sample.error = std::string(names.status().message());
      continue;
    }
    for (const std::string& name : *names) {
      if (sample.looked_at >= kMostEntries || !sample.error.empty()) break;
      LookAt(context, absl::StrCat(directory, "/", name), id, is_group, sample, directories);
    }
  }
  return sample;
}

std::string Describe(const std::string& top, const Sample& sample) {
  if (!sample.error.empty()) return absl::StrCat("below ", top, ": ", sample.error);
  return absl::StrCat(sample.owned, " of ", sample.looked_at, " files looked at below ", top,
                      sample.owned == 1 ? " belongs" : " belong", " to it");
}

}  // namespace

absl::StatusOr<std::string> NameOfId(Host& host, const std::string& file, uint32_t id) {
  const absl::StatusOr<std::string> text = host.ReadFile(file);
  if (absl::IsNotFound(text.status())) return std::string();
  if (!text.ok()) return text.status();
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    const std::vector<absl::string_view> columns = absl::StrSplit(line, ':');
    uint32_t number = 0;
    if (columns.size() < 3 || !absl::SimpleAtoi(columns[2], &number)) continue;
    if (number == id) return std::string(columns[0]);
  }
  return std::string();
}

std::string DescribeOwned(const ResourceContext& context, uint32_t id, bool is_group) {
  std::vector<std::string> tops = {kConnectDirectory};
  const std::string& mount_point = context.desired.spec().storage().mount_point();
  if (!mount_point.empty() && mount_point != kConnectDirectory) {
    tops.insert(tops.begin(), mount_point);
  }
  std::vector<std::string> parts;
  for (const std::string& top : tops) {
    const Sample sample = Look(context, top, id, is_group);
    if (sample.looked_at > 0 || !sample.error.empty()) parts.push_back(Describe(top, sample));
  }
  return absl::StrJoin(parts, "; ");
}

}  // namespace connect_ha
