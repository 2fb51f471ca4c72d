// Texts of a specification, whichever field they are in.
#include <google/protobuf/message.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/spec/config_checker.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kLongest = 2048;  // of a URL; everything else is shorter

void CheckText(const std::string& text, const std::string& path, Checker& checker) {
  checker.Require(text.size() <= kLongest, path,
                  absl::StrCat("must be at most ", kLongest, " bytes"));
  checker.Require(std::none_of(text.begin(), text.end(),
                               [](unsigned char c) { return absl::ascii_iscntrl(c); }),
                  path, "must not have control characters");
}

// One value of the field, at this place in a list; -1: it is no list.
void CheckValue(const Message& message, const FieldDescriptor& field, int index,
                const std::string& path, Checker& checker) {
  const Reflection& reflection = *message.GetReflection();
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    CheckText(index < 0 ? reflection.GetString(message, &field)
                        : reflection.GetRepeatedString(message, &field, index),
              path, checker);
  } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    CheckTexts(index < 0 ? reflection.GetMessage(message, &field)
                         : reflection.GetRepeatedMessage(message, &field, index),
               path, checker);
  }
}

}  // namespace

void CheckTexts(const Message& message, const std::string& path, Checker& checker) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string place = absl::StrCat(path, path.empty() ? "" : ".", field->name());
    if (!field->is_repeated()) {
      CheckValue(message, *field, -1, place, checker);
      continue;
    }
    // The entries of a map are messages of a key and a value, in no order that means anything.
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      CheckValue(message, *field, i, field->is_map() ? place : absl::StrCat(place, "[", i, "]"),
                 checker);
    }
  }
}

}  // namespace connect_ha
