#include "coordinator/wire_values.h"

#include <algorithm>
#include <cstdint>

namespace connect_ha {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The parser takes no deeper message.
constexpr int kDepth = 100;

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

size_t CountInside(const WireField& field, const Descriptor& type, size_t most, int depth) {
  if (field.type != WireType::kBytes) return 0;
  const FieldDescriptor* known = type.FindFieldByNumber(field.number);
  if (known == nullptr) return 0;
  if (known->type() == FieldDescriptor::TYPE_MESSAGE) {
    return depth < kDepth ? Count(field.content, *known->message_type(), most, depth + 1) : 0;
  }
  return known->is_packable() ? CountPacked(field.content, *known) : 0;
}

size_t Count(absl::string_view message, const Descriptor& type, size_t most, int depth) {
  size_t count = 0;
  WireField field;
  while (count <= most && TakeWireField(message, field)) {
    count += 1 + CountInside(field, type, most, depth);
  }
  return count;
}

}  // namespace

bool TakeWireField(absl::string_view& message, WireField& field) {
  uint64_t tag = 0;
  uint64_t rest = 0;
  if (message.empty() || !TakeVarint(message, tag)) return false;
  field.number = static_cast<int>((tag >> 3) & 0x1fffffff);
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case WireType::kVarint:
      return TakeVarint(message, rest);
    case WireType::kFixed64:
      return Skip(message, 8);
    case WireType::kFixed32:
      return Skip(message, 4);
    case WireType::kBytes:
      if (!TakeVarint(message, rest) || rest > message.size()) return false;
      field.content = message.substr(0, static_cast<size_t>(rest));
      return Skip(message, static_cast<size_t>(rest));
    case WireType::kGroup:  // its fields follow, and count as fields here
    case WireType::kGroupEnd:
      return true;
  }
  return false;
}

size_t CountValues(absl::string_view message, const Descriptor& type, size_t most) {
  return Count(message, type, most, 0);
}

size_t CountValuesInside(const WireField& field, const Descriptor& type, size_t most) {
  return CountInside(field, type, most, 0);
}

}  // namespace connect_ha
