#include "common/mount_unit.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace connect_ha {

std::string MountUnitName(absl::string_view mount_point) {
  std::string name;
  for (const absl::string_view component : absl::StrSplit(mount_point, '/', absl::SkipEmpty())) {
    if (!name.empty()) name += '-';
    for (const char c : component) {
      const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == ':' ||
                         c == '_' || (c == '.' && !name.empty());
      name += plain ? std::string(1, c) : absl::StrFormat("\\x%02x", static_cast<unsigned char>(c));
    }
  }
  return (name.empty() ? "-" : name) + ".mount";
}

}  // namespace connect_ha
