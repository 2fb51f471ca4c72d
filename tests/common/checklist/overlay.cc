#include "tests/common/checklist/overlay.h"

#include <google/protobuf/util/field_mask_util.h>

#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_join.h"

namespace connect_ha::test {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::FieldMaskUtil;

// The fields that name an element of a list of such messages.
const std::map<std::string, std::vector<std::string>>& NamingFields() {
  static const std::map<std::string, std::vector<std::string>> fields = {
      {"NodeSnapshot", {"name"}},
      {"Account", {"name"}},
      {"Group", {"name"}},
      {"Runtime", {"executable"}},
      {"ConfigKey", {"section", "subsection", "name"}},
      {"Mount", {"mount_point"}},
      {"MountAnswer", {"mount_point"}},
      {"StorageRound", {"mount_point"}},
      {"StorageStep", {"name"}},
      {"MountSpace", {"mount_point"}},
      {"DataDirectory", {"key"}},
      {"FileSystemSpace", {"mount_point"}},
      {"ProbeRun", {"probe"}},
  };
  return fields;
}

// "" for a message without a name.
std::string NameOf(const Message& message) {
  const auto it = NamingFields().find(message.GetDescriptor()->name());
  if (it == NamingFields().end()) return "";
  std::vector<std::string> parts;
  for (const std::string& field : it->second) {
    const FieldDescriptor* name = message.GetDescriptor()->FindFieldByName(field);
    const Reflection& reflection = *message.GetReflection();
    const std::string part = name->cpp_type() == FieldDescriptor::CPPTYPE_ENUM
                                 ? reflection.GetEnum(message, name)->name()
                                 : reflection.GetString(message, name);
    if (!part.empty()) parts.push_back(part);
  }
  return absl::StrJoin(parts, ".");
}

int FindElement(const Message& message, const FieldDescriptor* field, const std::string& name) {
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; !name.empty() && i < reflection->FieldSize(message, field); ++i) {
    if (NameOf(reflection->GetRepeatedMessage(message, field, i)) == name) return i;
  }
  return -1;
}

bool HasNames(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         NamingFields().count(field->message_type()->name()) > 0;
}

void OverlayList(const Message& change, const FieldDescriptor* field, Message& base) {
  const Reflection* reflection = change.GetReflection();
  for (int i = 0; i < reflection->FieldSize(change, field); ++i) {
    const Message& element = reflection->GetRepeatedMessage(change, field, i);
    const int at = FindElement(base, field, NameOf(element));
    Message* target = at < 0 ? reflection->AddMessage(&base, field)
                             : reflection->MutableRepeatedMessage(&base, field, at);
    Overlay(element, *target);
  }
}

void RemoveElement(Message& message, const FieldDescriptor* field, int index) {
  const Reflection* reflection = message.GetReflection();
  for (int i = index; i + 1 < reflection->FieldSize(message, field); ++i) {
    reflection->SwapElements(&message, field, i, i + 1);
  }
  reflection->RemoveLast(&message, field);
}

// "keys[Server.DataDir].values" into "keys", "Server.DataDir" and "values".
struct Step {
  std::string field;
  std::string element;
  std::string rest;
};

Step Split(const std::string& path) {
  const size_t end = path.find_first_of(".[");
  if (end == std::string::npos) return {path, "", ""};
  if (path[end] == '.') return {path.substr(0, end), "", path.substr(end + 1)};
  const size_t close = path.find(']', end);
  const size_t rest = path.find('.', close);
  return {path.substr(0, end), path.substr(end + 1, close - end - 1),
          rest == std::string::npos ? "" : path.substr(rest + 1)};
}

// protobuf 3.12 writes outside of a message when reflection clears a field without presence and
// another field of it is optional: then all others are copied instead.
void Clear(Message& message, const FieldDescriptor* field) {
  if (field->is_repeated() || field->containing_oneof() != nullptr) {
    return message.GetReflection()->ClearField(&message, field);
  }
  const google::protobuf::Descriptor* type = message.GetDescriptor();
  google::protobuf::FieldMask others;
  for (int i = 0; i < type->field_count(); ++i) {
    if (type->field(i) != field) others.add_paths(type->field(i)->name());
  }
  const std::unique_ptr<Message> rest(message.New());
  FieldMaskUtil::MergeMessageTo(message, others, FieldMaskUtil::MergeOptions(), rest.get());
  message.CopyFrom(*rest);
}

}  // namespace

void Overlay(const Message& change, Message& base) {
  const Reflection* reflection = change.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(change, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() && HasNames(field)) {
      OverlayList(change, field, base);
    } else if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Overlay(reflection->GetMessage(change, field), *reflection->MutableMessage(&base, field));
    } else {
      // A plain value or list: the base's is replaced.
      google::protobuf::FieldMask mask;
      mask.add_paths(field->name());
      FieldMaskUtil::MergeOptions options;
      options.set_replace_repeated_fields(true);
      FieldMaskUtil::MergeMessageTo(change, mask, options, &base);
    }
  }
}

bool Remove(Message& message, const std::string& path) {
  const Step step = Split(path);
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(step.field);
  if (field == nullptr) return false;
  const Reflection* reflection = message.GetReflection();
  if (!step.element.empty()) {
    const int at = FindElement(message, field, step.element);
    if (at < 0) return false;
    if (!step.rest.empty()) {
      return Remove(*reflection->MutableRepeatedMessage(&message, field, at), step.rest);
    }
    RemoveElement(message, field, at);
    return true;
  }
  if (step.rest.empty()) {
    Clear(message, field);
    return true;
  }
  if (!field->is_repeated()) {
    return !reflection->HasField(message, field) ||
           Remove(*reflection->MutableMessage(&message, field), step.rest);
  }
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    if (!Remove(*reflection->MutableRepeatedMessage(&message, field, i), step.rest)) return false;
  }
  return true;
}

}  // namespace connect_ha::test
