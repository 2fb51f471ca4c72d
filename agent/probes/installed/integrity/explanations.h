// Why a file that is not as its package shipped it may be no damage.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/host/host.h"
#include "agent/probes/installed/integrity/path_filters.h"
#include "agent/probes/installed/integrity/python_distributions.h"
#include "agent/probes/installed/integrity/shipped_files.h"

namespace connect_ha {

class Explanations {
 public:
  // `host` must outlive it. Reads nothing before there is something to explain.
  Explanations(Host& host, const std::vector<ShippedFile>& files)
      : host_(host), shipped_(files), python_(host_, shipped_) {}
  Explanations(const Explanations&) = delete;
  Explanations& operator=(const Explanations&) = delete;

  // `fault` ("changed" or "missing"), or "explained" when dpkg was told to leave the file out or
  // the language's own tools wrote or removed it.
  absl::StatusOr<std::string> Judge(const std::string& fault, const std::string& path);

 private:
  Host& host_;
  ShippedFiles shipped_;
  PythonDistributions python_;
  std::optional<std::vector<PathFilter>> filters_;
};

}  // namespace connect_ha
