// Which of its packages' files dpkg was told not to unpack: path-exclude and path-include of
// dpkg(1), as container and cloud images set them to save documentation and translations.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/host/host.h"

namespace connect_ha {

struct PathFilter {
  std::string pattern;  // of fnmatch(3), in which * matches / too
  bool include = false;
};

// The filters in the text of one configuration file, in order.
std::vector<PathFilter> ParsePathFilters(absl::string_view text);

// Those of /etc/dpkg/dpkg.cfg.d/* and then of /etc/dpkg/dpkg.cfg, in the order that dpkg has them.
absl::StatusOr<std::vector<PathFilter>> ReadPathFilters(Host& host);

// The last filter that matches decides.
bool Excludes(const std::vector<PathFilter>& filters, const std::string& path);

}  // namespace connect_ha
