#include "agent/probes/machine/memory.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace connect_ha {
namespace {

constexpr uint64_t kBytesPerKibibyte = 1024;

// "MemTotal:        2048256 kB"
std::optional<uint64_t> Bytes(absl::string_view line, absl::string_view name) {
  if (!absl::StartsWith(line, name)) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ', absl::SkipEmpty());
  uint64_t kibibytes = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[1], &kibibytes)) return std::nullopt;
  return kibibytes * kBytesPerKibibyte;
}

}  // namespace

v1::MemoryFacts ParseMeminfo(absl::string_view meminfo) {
  v1::MemoryFacts memory;
  for (const absl::string_view line : absl::StrSplit(meminfo, '\n')) {
    if (const auto total = Bytes(line, "MemTotal:")) memory.set_total_bytes(*total);
    if (const auto free = Bytes(line, "MemAvailable:")) memory.set_available_bytes(*free);
    if (const auto swap = Bytes(line, "SwapTotal:")) memory.set_swap_bytes(*swap);
  }
  return memory;
}

absl::Status ReadMemory(const ProbeInput& input, v1::Facts& facts) {
  const absl::StatusOr<std::string> meminfo = input.host.ReadFile("/proc/meminfo");
  if (!meminfo.ok()) return meminfo.status();
  *facts.mutable_memory() = ParseMeminfo(*meminfo);
  return absl::OkStatus();
}

}  // namespace connect_ha
