// A specification with the files that it names: how it is read, checked and uploaded.
#pragma once

#include <string>
#include <vector>

#include "common/spec/config_loader.h"
#include "connect_ha/v1/spec.pb.h"

namespace connect_ha {

constexpr size_t kMaxConnectConfigBytes = 256 * 1024;
constexpr size_t kMaxLicenseBytes = 64 * 1024;

// Reads cluster.yaml and, beside it, the files that it names, and checks all of it. Without an
// error among the problems, `bundle` holds. Problems stand file by file, each in its file's order.
std::vector<ConfigProblem> LoadSpecBundle(const std::string& path, v1::SpecBundle& bundle);

// All that LoadSpecBundle checks but for `rules` (CheckRules), of a bundle that is there already.
// `file` is what cluster.yaml is called in the problems.
std::vector<ConfigProblem> CheckSpecBundle(const v1::SpecBundle& bundle,
                                           const std::string& file = "cluster.yaml",
                                           const FilePositions& positions = {});

}  // namespace connect_ha
