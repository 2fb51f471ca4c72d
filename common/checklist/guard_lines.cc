#include "common/checklist/guard_lines.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/mount_unit.h"

namespace connect_ha {

std::vector<std::string> MountGuardLines(const std::vector<std::string>& mount_points) {
  std::vector<std::string> units;
  units.reserve(mount_points.size());
  for (const std::string& point : mount_points) {
    // systemd takes % for the beginning of something else.
    units.push_back(absl::StrReplaceAll(MountUnitName(point), {{"%", "%%"}}));
  }
  const std::string all = absl::StrJoin(units, " ");
  return {absl::StrCat("BindsTo=", all), absl::StrCat("After=", all)};
}

bool HasPreflight(const v1::Unit& unit) {
  const auto& commands = unit.exec_start_pre();
  return std::any_of(commands.begin(), commands.end(), [](const std::string& command) {
    return absl::EndsWith(command, kPreflightCommand);
  });
}

bool Lists(const google::protobuf::RepeatedPtrField<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace connect_ha
