// How much a message may hold, looked at in its bytes before they are parsed: a field of two bytes
// may become an object of a hundred.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace connect_ha {

// A top-level field that is counted apart, with bounds of its own.
struct LargeField {
  int number;
  const google::protobuf::Descriptor* type;  // of what is in it, a message or its bytes
  size_t bytes;
  size_t values;
};

struct MessageBounds {
  size_t bytes = 256 * 1024;
  // Values at every depth: scalars, strings, messages and what packed fields hold.
  size_t values = 40'000;
  std::vector<LargeField> large;
  // For the words of the error: what is too large, and what to do about it.
  const char* part = "the message";
  const char* large_part = "";
  const char* fix = "";
};

// Whether a message of so many bytes is within `bounds` whatever it holds.
bool IsSmall(size_t bytes, const MessageBounds& bounds);

// InvalidArgument: `message`, a `type` on the wire, is over `bounds`. What is no message passes: to
// find that is the parser's.
absl::Status CheckBounds(absl::string_view message, const google::protobuf::Descriptor& type,
                         const MessageBounds& bounds);

}  // namespace connect_ha
