// Connect's versions, which are spelled in several ways.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace connect_ha {

// What 2024.08.0~ubuntu22 (package file), 2024.08.0-1 (repository), v2024.08.0 and
// 2024.08.0+build7 have in common: 2024.08.0. A pre-release (2024.08.0-dev) stays one.
std::string PlainVersion(absl::string_view version);
// Two numbers and more, as Connect and the languages have them: "4.3.3", "3.13.0rc1",
// "2024.08.0-dev". Nothing else is told to anybody as what to install.
bool LooksLikeVersion(absl::string_view text);
// PlainVersion, and 2024.8.0 is 2024.08.0.
bool SameVersion(absl::string_view a, absl::string_view b);
// Below zero: a is older than b; zero: SameVersion. A pre-release is older than its release.
int CompareVersions(absl::string_view a, absl::string_view b);

}  // namespace connect_ha
