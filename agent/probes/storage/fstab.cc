#include "agent/probes/storage/fstab.h"

#include <vector>

#include "absl/strings/str_split.h"
#include "agent/host/mounts/mount_table.h"

namespace connect_ha {
namespace {

constexpr char kFile[] = "/etc/fstab";

}  // namespace

absl::StatusOr<unsigned> FindFstabLine(Host& host, const std::string& mount_point) {
  const absl::StatusOr<std::string> text = host.ReadFile(kFile);
  if (absl::IsNotFound(text.status())) return 0u;
  if (!text.ok()) return text.status();
  unsigned number = 0;
  for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
    ++number;
    const std::vector<std::string> fields =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (fields.size() < 2 || fields[0][0] == '#') continue;
    std::string place = UnescapeMountField(fields[1]);
    while (place.size() > 1 && place.back() == '/') place.pop_back();
    if (place == mount_point) return number;
  }
  return 0u;
}

}  // namespace connect_ha
