// Whatever the bytes: no crash, no exception, and what was read is a message that can be sent.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/spec/config_loader.h"

namespace connect_ha {
namespace {

template <typename Config>
void Check(std::string_view text,
           std::vector<ConfigProblem> (*validate)(const Config&, const std::string&,
                                                  const FilePositions&)) {
  Config config;
  FilePositions positions;
  const auto problems = ParseYaml(text, "fuzz.yaml", config, &positions);
  const auto invalid = validate(config, "fuzz.yaml", positions);
  Config again;
  if (!again.ParseFromString(config.SerializeAsString())) std::abort();
  if (FormatProblems(problems).empty() != problems.empty()) std::abort();
  if (FormatProblems(invalid).empty() != invalid.empty()) std::abort();
}

}  // namespace
}  // namespace connect_ha

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  connect_ha::Check<connect_ha::v1::ClusterSpec>(text, connect_ha::ValidateClusterSpec);
  connect_ha::Check<connect_ha::v1::ClusterSpec>(text, connect_ha::AdviseOnClusterSpec);
  connect_ha::Check<connect_ha::v1::AgentConfig>(text, connect_ha::ValidateAgentConfig);
  return 0;
}
