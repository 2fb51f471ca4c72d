#include "common/spec/backup_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace connect_ha {

bool IsBackupName(const std::string& text) {
  constexpr size_t kLongest = 64;
  const auto is_alnum = [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); };
  return !text.empty() && text.size() <= kLongest && is_alnum(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

}  // namespace connect_ha
