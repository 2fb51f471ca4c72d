// The files of one package, by the checksums that it was shipped with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "agent/probes/installed/dpkg.h"

namespace connect_ha {

class ShippedFiles {
 public:
  explicit ShippedFiles(const std::vector<ShippedFile>& files) {
    for (const ShippedFile& file : files) md5_.emplace(file.path, file.md5);
  }

  // By absolute path.
  const std::map<std::string, std::string>& md5() const { return md5_; }

  // "" for a file that the package does not ship.
  std::string Md5(const std::string& path) const {
    const auto it = md5_.find(path);
    return it == md5_.end() ? "" : it->second;
  }

  bool HasBelow(const std::string& directory) const {
    const std::string prefix = directory + "/";
    const auto it = md5_.lower_bound(prefix);
    return it != md5_.end() && absl::StartsWith(it->first, prefix);
  }

 private:
  std::map<std::string, std::string> md5_;
};

}  // namespace connect_ha
