#include "tests/plan_simulation/renamed.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/plan_simulation/schedule.h"

namespace connect_ha::simulation {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsNode(const std::string& text) {
  return std::find(kNodeNames.begin(), kNodeNames.end(), text) != kNodeNames.end();
}

std::vector<const FieldDescriptor*> FieldsOf(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

void RenameIn(Message* message);

// What is of one node each is sorted by name.
void RenameAll(const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  const int size = reflection->FieldSize(*message, field);
  for (int i = 0; i < size; ++i) RenameIn(reflection->MutableRepeatedMessage(message, field, i));
  if (field->name() != "nodes") return;
  for (int i = 0; i < size / 2; ++i) {
    reflection->SwapElements(message, field, i, size - 1 - i);
  }
}

void RenameIn(Message* message) {
  const Reflection* reflection = message->GetReflection();
  for (const FieldDescriptor* field : FieldsOf(*message)) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (is_message && field->is_repeated()) {
      RenameAll(field, message);
    } else if (is_message) {
      RenameIn(reflection->MutableMessage(message, field));
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !field->is_repeated()) {
      const std::string text = reflection->GetString(*message, field);
      if (IsNode(text)) reflection->SetString(message, field, Renamed(text));
    }
  }
}

// For people; of several nodes one is named there, or all in the order of their names.
bool IsText(const FieldDescriptor* field) {
  static const auto& texts = *new std::set<std::string>{
      "about", "because", "fix", "fixes", "outlook", "reason", "remarks", "text", "waits_for"};
  return texts.count(std::string(field->name())) > 0;
}

std::string ValueOf(const Message& message, const FieldDescriptor* field, int index);

// What there is several of in no order.
std::string ContentOf(const Message& message) {
  std::string content;
  for (const FieldDescriptor* field : FieldsOf(message)) {
    if (IsText(field)) continue;
    std::vector<std::string> values;
    const bool repeated = field->is_repeated();
    const int size = repeated ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) values.push_back(ValueOf(message, field, repeated ? i : -1));
    std::sort(values.begin(), values.end());
    absl::StrAppend(&content, std::string(field->name()), ": ", absl::StrJoin(values, ", "), "; ");
  }
  return content;
}

std::string ValueOf(const Message& message, const FieldDescriptor* field, int index) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    std::string value;
    google::protobuf::TextFormat::PrintFieldValueToString(message, field, index, &value);
    return value;
  }
  const Reflection* reflection = message.GetReflection();
  const Message& part = index < 0 ? reflection->GetMessage(message, field)
                                  : reflection->GetRepeatedMessage(message, field, index);
  return absl::StrCat("{", ContentOf(part), "}");
}

template <typename Part>
std::string ContentRenamed(Part part) {
  RenameIn(&part);
  return ContentOf(part);
}

// What a decision leaves behind; the assignments are compared for themselves.
v1::Decision WhatStays(const v1::Decision& decision) {
  v1::Decision stays;
  *stays.mutable_remember() = decision.remember();
  *stays.mutable_ended() = decision.ended();
  *stays.mutable_ended_words() = decision.ended_words();
  if (decision.has_back_up()) *stays.mutable_back_up() = decision.back_up();
  if (decision.has_rollout()) *stays.mutable_rollout() = decision.rollout();
  return stays;
}

}  // namespace

std::string Renamed(const std::string& name) {
  if (name.empty()) return name;
  return absl::StrCat("z", static_cast<int>('9' - name.back()));
}

v1::PlanInput Renamed(const v1::PlanInput& input) {
  v1::PlanInput renamed = input;
  renamed.clear_nodes();
  for (int i = input.nodes_size() - 1; i >= 0; --i) {
    v1::PlanNode* node = renamed.add_nodes();
    *node = input.nodes(i);
    node->mutable_brief()->set_name(Renamed(input.nodes(i).brief().name()));
  }
  for (v1::Word& word : *renamed.mutable_words()) word.set_node(Renamed(word.node()));
  RenameIn(renamed.mutable_memory());
  return renamed;
}

std::string RememberedOtherwise(const v1::Decision& decision, const v1::Decision& once_renamed) {
  const std::string is = ContentRenamed(WhatStays(decision));
  const std::string other = ContentOf(WhatStays(once_renamed));
  if (is == other) return "";
  // From where on they differ.
  const auto at =
      std::mismatch(is.begin(), is.end(), other.begin(), other.end()).first - is.begin();
  constexpr size_t kShown = 160;
  const size_t from = static_cast<size_t>(std::max<ptrdiff_t>(at - 40, 0));
  return absl::StrCat("it leaves behind ...", is.substr(from, kShown), "..., then ...",
                      other.substr(std::min(from, other.size()), kShown));
}

}  // namespace connect_ha::simulation
