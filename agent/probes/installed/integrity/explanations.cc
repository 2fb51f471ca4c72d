#include "agent/probes/installed/integrity/explanations.h"

#include "agent/probes/installed/integrity/r_tools.h"

namespace connect_ha {

absl::StatusOr<std::string> Explanations::Judge(const std::string& fault, const std::string& path) {
  constexpr char kExplained[] = "explained";
  if (!filters_) {
    absl::StatusOr<std::vector<PathFilter>> filters = ReadPathFilters(host_);
    if (!filters.ok()) return filters.status();
    filters_ = *std::move(filters);
  }
  if (Excludes(*filters_, path)) return kExplained;
  const absl::StatusOr<bool> by_r = ExplainedByR(host_, shipped_, fault, path);
  if (!by_r.ok()) return by_r.status();
  if (*by_r) return kExplained;
  const absl::StatusOr<bool> by_python = python_.Explain(fault, path);
  if (!by_python.ok()) return by_python.status();
  return *by_python ? kExplained : fault;
}

}  // namespace connect_ha
