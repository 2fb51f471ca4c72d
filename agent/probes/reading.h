// How a probe turns a reading into a fact: a value is set, "not found" leaves the field unset,
// every other error marks its path unobserved.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "agent/probes/probe.h"

namespace connect_ha {

template <typename T, typename Set>
void Observe(v1::Facts& facts, const std::string& path, const absl::StatusOr<T>& reading, Set set) {
  if (reading.ok()) {
    set(*reading);
  } else if (!absl::IsNotFound(reading.status())) {
    MarkUnobserved(facts, path, std::string(reading.status().message()));
  }
}

// The whole file without blanks around it: what /proc and /etc hold one value a file.
inline absl::StatusOr<std::string> ReadValue(Host& host, const std::string& path) {
  absl::StatusOr<std::string> text = host.ReadFile(path);
  if (!text.ok()) return text.status();
  return std::string(absl::StripAsciiWhitespace(*text));
}

}  // namespace connect_ha
