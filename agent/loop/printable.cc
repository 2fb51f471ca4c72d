#include "agent/loop/printable.h"

#include <string_view>
#include <utility>
#include <vector>

#include "common/connect/utf8.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Of well-formed UTF-8: also U+0080 to U+009F, of which some terminals take the second byte alone.
bool IsControl(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto is_c1 = [&](size_t lead) {
    return lead + 1 < text.size() && byte(lead) == 0xc2 && byte(lead + 1) < 0xa0;
  };
  if (byte(at) < 0x20) return text[at] != '\n' && text[at] != '\t';
  return byte(at) == 0x7f || is_c1(at) || (at > 0 && is_c1(at - 1));
}

void AppendEscaped(char byte, std::string& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  text += "\\x";
  text += kDigits[value / 16];
  text += kDigits[value % 16];
}

void MakeFieldPrintable(Message& message, const FieldDescriptor* field) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  if (!field->is_repeated()) {
    const std::string& text = reflection.GetStringReference(message, field, &scratch);
    std::string printable = Printable(text);
    if (printable != text) reflection.SetString(&message, field, std::move(printable));
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
    const std::string& text = reflection.GetRepeatedStringReference(message, field, i, &scratch);
    std::string printable = Printable(text);
    if (printable != text) {
      reflection.SetRepeatedString(&message, field, i, std::move(printable));
    }
  }
}

}  // namespace

std::string Printable(const std::string& text) {
  std::string printable;
  printable.reserve(text.size());
  size_t invalid = FindInvalidUtf8OrNul(text, 0);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i > invalid) invalid = FindInvalidUtf8OrNul(text, i);
    if (i == invalid || IsControl(text, i)) {
      AppendEscaped(text[i], printable);
    } else {
      printable += text[i];
    }
  }
  return printable;
}

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
