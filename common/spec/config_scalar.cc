#include "common/spec/config_scalar.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/connect/utf8.h"
#include "common/nearest.h"

namespace connect_ha {
namespace {

using google::protobuf::Duration;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kDigits[] = "0123456789";
constexpr int64_t kSecond = 1'000'000'000;  // durations are added up in nanoseconds
constexpr int64_t kDay = 86400 * kSecond;
// Beyond 100 years nothing is meant; it also keeps the sum far from overflow.
constexpr int64_t kLongestDuration = 36525 * kDay;

// 0: no such unit.
int64_t UnitNanoseconds(const std::string& name) {
  if (name == "ms") return kSecond / 1000;
  if (name == "s") return kSecond;
  if (name == "m") return 60 * kSecond;
  if (name == "h") return 3600 * kSecond;
  return name == "d" ? kDay : 0;
}

absl::Status Wrong(const FieldDescriptor& field, const std::string& text) {
  return absl::InvalidArgumentError(
      absl::StrCat("must be ", DescribeFieldType(field), ", not \"", text, "\""));
}

// Decimal digits, without the leading zeros that some YAML readers take for octal.
template <typename Number>
bool ParseNumber(const std::string& text, Number& value) {
  const std::string digits = text[0] == '-' ? text.substr(1) : text;
  if (digits.empty() || (digits[0] == '0' && digits.size() > 1)) return false;
  for (const unsigned char c : digits) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return absl::SimpleAtoi(text, &value);
}

template <typename Number>
using Setter = void (Reflection::*)(Message*, const FieldDescriptor*, Number) const;

template <typename Number>
absl::Status StoreNumber(Message& message, const FieldDescriptor& field, const std::string& text,
                         bool quoted, Setter<Number> set, Setter<Number> add) {
  Number value = 0;
  if (!ParseNumber(text, value)) return Wrong(field, text);
  if (quoted) {
    return absl::InvalidArgumentError(
        absl::StrCat("must be a number: leave out the quotes around ", text));
  }
  (message.GetReflection()->*(field.is_repeated() ? add : set))(&message, &field, value);
  return absl::OkStatus();
}

absl::Status StoreBool(Message& message, const FieldDescriptor& field, const std::string& text,
                       bool quoted) {
  if (quoted || (text != "true" && text != "false")) return Wrong(field, text);
  const auto store = field.is_repeated() ? &Reflection::AddBool : &Reflection::SetBool;
  (message.GetReflection()->*store)(&message, &field, text == "true");
  return absl::OkStatus();
}

absl::Status StoreDouble(Message& message, const FieldDescriptor& field, const std::string& text,
                         bool quoted) {
  double value = 0;
  if (quoted || !absl::SimpleAtod(text, &value)) return Wrong(field, text);
  const auto store = field.is_repeated() ? &Reflection::AddDouble : &Reflection::SetDouble;
  (message.GetReflection()->*store)(&message, &field, value);
  return absl::OkStatus();
}

// "ALLOW_" of an enum Allow whose values all begin with it; "" where they do not.
std::string EnumPrefix(const EnumDescriptor& type) {
  const std::string prefix = absl::AsciiStrToUpper(type.name()) + "_";
  for (int i = 0; i < type.value_count(); ++i) {
    if (!absl::StartsWith(type.value(i)->name(), prefix)) return "";
  }
  return prefix;
}

// The lower-case names of an enum, without their prefix and without the one for "not set".
std::vector<std::string> EnumNames(const FieldDescriptor& field) {
  const size_t prefix = EnumPrefix(*field.enum_type()).size();
  std::vector<std::string> names;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const EnumValueDescriptor& value = *field.enum_type()->value(i);
    if (value.number() == 0) continue;
    names.push_back(absl::AsciiStrToLower(value.name().substr(prefix)));
  }
  return names;
}

absl::Status StoreEnum(Message& message, const FieldDescriptor& field, const std::string& text) {
  const EnumValueDescriptor* value = field.enum_type()->FindValueByName(
      EnumPrefix(*field.enum_type()) + absl::AsciiStrToUpper(text));
  if (value == nullptr || value->number() == 0 || text != absl::AsciiStrToLower(text)) {
    const std::string nearest = Nearest(absl::AsciiStrToLower(text), EnumNames(field));
    return absl::InvalidArgumentError(
        absl::StrCat(Wrong(field, text).message(),
                     nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
  }
  const auto store = field.is_repeated() ? &Reflection::AddEnum : &Reflection::SetEnum;
  (message.GetReflection()->*store)(&message, &field, value);
  return absl::OkStatus();
}

absl::Status StoreString(Message& message, const FieldDescriptor& field, const std::string& text) {
  if (FindInvalidUtf8OrNul(text, 0) != text.size()) {
    return absl::InvalidArgumentError("must be text without NUL");
  }
  const auto store = field.is_repeated() ? &Reflection::AddString : &Reflection::SetString;
  (message.GetReflection()->*store)(&message, &field, text);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Duration> ParseConfigDuration(const std::string& text) {
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat("must be a duration as 500ms, 30s, 5m, 1h30m or 2d, not \"", text, "\""));
  if (text.empty()) return wrong;
  int64_t total = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t digits_end = std::min(text.find_first_not_of(kDigits, at), text.size());
    const size_t unit_end = std::min(text.find_first_of(kDigits, digits_end), text.size());
    const int64_t unit = UnitNanoseconds(text.substr(digits_end, unit_end - digits_end));
    int64_t count = 0;
    if (unit == 0 || !absl::SimpleAtoi(text.substr(at, digits_end - at), &count) ||
        count > (kLongestDuration - total) / unit) {
      return wrong;
    }
    total += count * unit;
    at = unit_end;
  }
  Duration duration;
  duration.set_seconds(total / kSecond);
  duration.set_nanos(static_cast<int32_t>(total % kSecond));
  return duration;
}

std::string DescribeFieldType(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_UINT32:
      return "a whole number from 0 to 4294967295";
    case FieldDescriptor::CPPTYPE_UINT64:
      return "a whole number from 0";
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ", absl::StrJoin(EnumNames(field), ", "));
    case FieldDescriptor::CPPTYPE_STRING:
      return "text";
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  if (field.message_type()->full_name() == "google.protobuf.Duration") {
    return "a duration as 30s or 1h30m";
  }
  return "a mapping of names to values";
}

absl::Status StoreScalar(Message& message, const FieldDescriptor& field, const std::string& text,
                         bool quoted) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return StoreNumber<int32_t>(message, field, text, quoted, &Reflection::SetInt32,
                                  &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return StoreNumber<int64_t>(message, field, text, quoted, &Reflection::SetInt64,
                                  &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return StoreNumber<uint32_t>(message, field, text, quoted, &Reflection::SetUInt32,
                                   &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return StoreNumber<uint64_t>(message, field, text, quoted, &Reflection::SetUInt64,
                                   &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_BOOL:
      return StoreBool(message, field, text, quoted);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return StoreDouble(message, field, text, quoted);
    case FieldDescriptor::CPPTYPE_ENUM:
      return StoreEnum(message, field, text);
    case FieldDescriptor::CPPTYPE_STRING:
      return StoreString(message, field, text);
    default:
      return Wrong(field, text);
  }
}

}  // namespace connect_ha
