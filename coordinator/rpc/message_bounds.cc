#include "coordinator/rpc/message_bounds.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "coordinator/wire_values.h"

namespace connect_ha {
namespace {

using google::protobuf::Descriptor;

// What was found of one bound so far.
struct Found {
  size_t bytes = 0;
  size_t values = 0;
};

absl::Status Check(const std::string& part, const Found& found, size_t bytes, size_t values,
                   const char* fix) {
  if (found.bytes > bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(part, " has ", found.bytes, " bytes, the limit is ", bytes, fix));
  }
  if (found.values > values) {
    return absl::InvalidArgumentError(
        absl::StrCat(part, " has more values than the limit of ", values, fix));
  }
  return absl::OkStatus();
}

size_t IndexOfLarge(const MessageBounds& bounds, const WireField& field) {
  const auto found =
      std::find_if(bounds.large.begin(), bounds.large.end(), [&](const LargeField& one) {
        return one.number == field.number && field.type == WireType::kBytes;
      });
  return static_cast<size_t>(found - bounds.large.begin());
}

}  // namespace

// No value takes less than a byte: those of a packed field take one, all others two at the least.
bool IsSmall(size_t bytes, const MessageBounds& bounds) {
  return bytes <= bounds.bytes && bytes <= bounds.values;
}

absl::Status CheckBounds(absl::string_view message, const Descriptor& type,
                         const MessageBounds& bounds) {
  Found all{message.size(), 0};
  // A field that comes twice is merged: it counts twice.
  std::vector<Found> large(bounds.large.size());
  absl::string_view rest = message;
  WireField field;
  while (all.values <= bounds.values && TakeWireField(rest, field)) {
    const size_t index = IndexOfLarge(bounds, field);
    if (index == bounds.large.size()) {
      all.values += 1 + CountValuesInside(field, type, bounds.values);
      continue;
    }
    const LargeField& bound = bounds.large[index];
    Found& found = large[index];
    all.bytes -= field.content.size();
    found.bytes += field.content.size();
    if (found.bytes > bound.bytes) break;
    // What may hold too much is counted; what may not, counts as what it may hold.
    const size_t at_most = field.content.size();
    found.values +=
        at_most <= bound.values ? at_most : CountValues(field.content, *bound.type, bound.values);
  }
  for (size_t i = 0; i < large.size(); ++i) {
    const absl::Status status = Check(bounds.large_part, large[i], bounds.large[i].bytes,
                                      bounds.large[i].values, bounds.fix);
    if (!status.ok()) return status;
  }
  return Check(bounds.part, all, bounds.bytes, bounds.values, bounds.fix);
}

}  // namespace connect_ha
