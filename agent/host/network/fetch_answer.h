// What a server's answer, or the lack of one, means for a fetch. No libcurl call, no file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace connect_ha {

// Of "bytes 100-199/200" or "bytes */200"; what it does not say is unset.
struct ContentRange {
  std::optional<uint64_t> first;
  std::optional<uint64_t> total;
};
ContentRange ParseContentRange(std::string_view value);

// The answer's headers that a fetch looks at.
struct AnswerHeaders {
  ContentRange range;
  std::string location;
};
// Takes one line; the first of each answer (after a redirect, say) forgets those before.
void TakeHeaderLine(std::string_view line, AnswerHeaders& headers);

// For an answer that has no file. `shown`: the address, without secrets.
absl::Status StatusOfAnswer(int http_status, const std::string& shown);

}  // namespace connect_ha
