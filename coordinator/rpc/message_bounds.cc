#include "coordinator/rpc/message_bounds.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace connect_ha {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The parser takes no deeper message.
constexpr int kDepth = 100;
// No value takes less on the wire, but for those of packed fields.
constexpr size_t kLeastBytes = 2;

// What comes first in a tag (protobuf's encoding).
enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kGroupEnd = 4, kFixed32 = 5 };

bool TakeVarint(absl::string_view& in, uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 70 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift < 64) value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool Skip(absl::string_view& in, size_t bytes) {
  if (bytes > in.size()) return false;
  in.remove_prefix(bytes);
  return true;
}

struct Field {
  int number = 0;
  WireType type = kVarint;
  absl::string_view content;  // of kBytes
};

// False at the end, and where it is no message.
bool TakeField(absl::string_view& in, Field& field) {
  uint64_t tag = 0;
  uint64_t rest = 0;
  if (in.empty() || !TakeVarint(in, tag)) return false;
  field.number = static_cast<int>((tag >> 3) & 0x1fffffff);
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case kVarint:
      return TakeVarint(in, rest);
    case kFixed64:
      return Skip(in, 8);
    case kFixed32:
      return Skip(in, 4);
    case kBytes:
      if (!TakeVarint(in, rest) || rest > in.size()) return false;
      field.content = in.substr(0, static_cast<size_t>(rest));
      return Skip(in, static_cast<size_t>(rest));
    case kGroup:  // its fields follow, and count as fields here
    case kGroupEnd:
      return true;
  }
  return false;
}

size_t CountPacked(absl::string_view content, const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64:
      return content.size() / 8;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32:
      return content.size() / 4;
    default:
      return static_cast<size_t>(std::count_if(content.begin(), content.end(), [](char byte) {
        return static_cast<unsigned char>(byte) < 0x80;
      }));
  }
}

size_t Count(absl::string_view message, const Descriptor& type, size_t most, int depth);

// The values inside a field of a `type`.
size_t CountInside(const Field& field, const Descriptor& type, size_t most, int depth) {
  if (field.type != kBytes) return 0;
  const FieldDescriptor* known = type.FindFieldByNumber(field.number);
  if (known == nullptr) return 0;
  if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
    return depth < kDepth ? Count(field.content, *known->message_type(), most, depth + 1) : 0;
  }
  return known->is_packable() ? CountPacked(field.content, *known) : 0;
}

size_t Count(absl::string_view message, const Descriptor& type, size_t most, int depth) {
  size_t count = 0;
  Field field;
  while (count <= most && TakeField(message, field)) {
    count += 1 + CountInside(field, type, most, depth);
  }
  return count;
}

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

size_t IndexOfLarge(const MessageBounds& bounds, const Field& field) {
  const auto found = std::find_if(
      bounds.large.begin(), bounds.large.end(),
      [&](const LargeField& one) { return one.number == field.number && field.type == kBytes; });
  return static_cast<size_t>(found - bounds.large.begin());
}

}  // namespace

bool IsSmall(size_t bytes, const MessageBounds& bounds) {
  return bytes <= bounds.bytes && bytes / kLeastBytes <= bounds.values;
}

size_t CountValues(absl::string_view message, const Descriptor& type, size_t most) {
  return Count(message, type, most, 0);
}

absl::Status CheckBounds(absl::string_view message, const Descriptor& type,
                         const MessageBounds& bounds) {
  Found all{message.size(), 0};
  // A field that comes twice is merged: it counts twice.
  std::vector<Found> large(bounds.large.size());
  absl::string_view rest = message;
  Field field;
  while (all.values <= bounds.values && TakeField(rest, field)) {
    const size_t index = IndexOfLarge(bounds, field);
    if (index == bounds.large.size()) {
      all.values += 1 + CountInside(field, type, bounds.values, 0);
      continue;
    }
    const LargeField& bound = bounds.large[index];
    Found& found = large[index];
    all.bytes -= field.content.size();
    found.bytes += field.content.size();
    if (found.bytes > bound.bytes) break;
    // What may hold too much is counted; what may not, counts as what it may hold.
    const size_t at_most = field.content.size() / kLeastBytes;
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
