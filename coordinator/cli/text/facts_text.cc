#include "coordinator/cli/text/facts_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "common/time.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <typename Number>
std::string NumberText(const FieldDescriptor& field, Number number) {
  if (field.name() != "mode") return std::to_string(number);
  char text[16];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(number));
  return text;
}

// `index` is -1 for a field that is not repeated.
std::string ScalarText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = index >= 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return repeated ? reflection.GetRepeatedString(message, &field, index)
                      : reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return (repeated ? reflection.GetRepeatedBool(message, &field, index)
                       : reflection.GetBool(message, &field))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return (repeated ? reflection.GetRepeatedEnum(message, &field, index)
                       : reflection.GetEnum(message, &field))
          ->name();
    case FieldDescriptor::CPPTYPE_UINT32:
      return NumberText(field, repeated ? reflection.GetRepeatedUInt32(message, &field, index)
                                        : reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return NumberText(field, repeated ? reflection.GetRepeatedInt32(message, &field, index)
                                        : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return NumberText(field, repeated ? reflection.GetRepeatedUInt64(message, &field, index)
                                        : reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return NumberText(field, repeated ? reflection.GetRepeatedInt64(message, &field, index)
                                        : reflection.GetInt64(message, &field));
    default:
      return "(a number with a fraction, see --output json)";
  }
}

// What names an element of a list, and two configuration keys of one name in two subsections
// apart; "" where nothing does.
std::string ElementName(const Message& element) {
  std::string name;
  for (const char* key : {"section", "subsection", "kind", "name", "executable", "mount_point",
                          "key", "path", "probe", "address", "port"}) {
    const FieldDescriptor* field = element.GetDescriptor()->FindFieldByName(key);
    if (field == nullptr || field->is_repeated()) continue;
    const std::string text = ScalarText(element, *field, -1);
    if (!text.empty()) absl::StrAppend(&name, name.empty() ? "" : ".", text);
  }
  return name;
}

std::string Label(const Message& message, const FieldDescriptor& field, int index) {
  std::string name;
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    name = ElementName(message.GetReflection()->GetRepeatedMessage(message, &field, index));
  }
  return name.empty() ? std::to_string(index) : name;
}

void Append(const Message& message, const std::string& prefix, std::vector<FactLine>& lines);

void AppendValue(const Message& message, const FieldDescriptor& field, int index,
                 const std::string& path, std::vector<FactLine>& lines) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    lines.push_back({path, ScalarText(message, field, index)});
    return;
  }
  const Reflection& reflection = *message.GetReflection();
  const Message& child = index >= 0 ? reflection.GetRepeatedMessage(message, &field, index)
                                    : reflection.GetMessage(message, &field);
  if (child.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
    google::protobuf::Timestamp time;
    time.CopyFrom(child);
    lines.push_back({path, FormatUtc(FromProto(time))});
    return;
  }
  Append(child, path + ".", lines);
}

void Append(const Message& message, const std::string& prefix, std::vector<FactLine>& lines) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string path = prefix + field->name();
    if (!field->is_repeated()) {
      AppendValue(message, *field, -1, path, lines);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      AppendValue(message, *field, i, absl::StrCat(path, "[", Label(message, *field, i), "]"),
                  lines);
    }
  }
}

}  // namespace

std::vector<FactLine> Flatten(const Message& message) {
  std::vector<FactLine> lines;
  Append(message, "", lines);
  return lines;
}

}  // namespace connect_ha
