#include "coordinator/cli/text/number.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace connect_ha {

absl::StatusOr<uint64_t> ParseGeneration(const std::string& text) {
  uint64_t generation = 0;
  if (!absl::SimpleAtoi(text, &generation) || generation == 0) {
    return absl::InvalidArgumentError(absl::StrCat("a generation is a number from 1, not \"", text,
                                                   "\"; fix: connect-ha spec history"));
  }
  return generation;
}

absl::StatusOr<uint32_t> LimitOf(const Arguments& arguments, uint32_t otherwise,
                                 const std::string& command) {
  if (!arguments.Has("--limit")) return otherwise;
  uint32_t limit = 0;
  if (absl::SimpleAtoi(arguments.Get("--limit"), &limit) && limit > 0) return limit;
  return absl::InvalidArgumentError(absl::StrCat("--limit takes a number from 1, not \"",
                                                 arguments.Get("--limit"), "\"; fix: ", command,
                                                 " --limit 50"));
}

}  // namespace connect_ha
