#include "agent/loop/make_printable.h"

#include <string>
#include <utility>
#include <vector>

#include "common/text/printable.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void MakeFieldPrintable(Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  if (!field->is_repeated()) {
    const std::string& text = reflection.GetStringReference(message, field, &scratch);
    std::string printable = Escaped(text);
    if (printable != text) reflection.SetString(&message, field, std::move(printable));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const std::string& text = reflection.GetRepeatedStringReference(message, field, i, &scratch);
    std::string printable = Escaped(text);
    if (printable != text) {
      reflection.SetRepeatedString(&message, field, i, std::move(printable));
    }
  }
}

}  // namespace

void MakePrintable(Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      MakeFieldPrintable(message, field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (!field->is_repeated()) {
      MakePrintable(*reflection.MutableMessage(&message, field));
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        MakePrintable(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    }
  }
}

}  // namespace connect_ha
