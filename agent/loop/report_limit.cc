#include "agent/loop/report_limit.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "agent/probes/probe.h"

namespace connect_ha {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

constexpr double kMiB = 1024.0 * 1024.0;

// Every part of Facts is a message.
size_t SizeOf(const v1::Facts& facts, const FieldDescriptor* part) {
  const Reflection& reflection = *facts.GetReflection();
  if (!part->is_repeated()) return reflection.GetMessage(facts, part).ByteSizeLong();
  size_t size = 0;
  for (int i = 0; i < reflection.FieldSize(facts, part); ++i) {
    size += reflection.GetRepeatedMessage(facts, part, i).ByteSizeLong();
  }
  return size;
}

// Null when there is none but what could not be observed: without that the rest would look whole.
const FieldDescriptor* LargestPart(const v1::Facts& facts) {
  std::vector<const FieldDescriptor*> parts;
  facts.GetReflection()->ListFields(facts, &parts);
  std::pair<size_t, const FieldDescriptor*> largest = {0, nullptr};
  for (const FieldDescriptor* part : parts) {
    if (part->number() == v1::Facts::kUnobservedFieldNumber) continue;
    if (const size_t size = SizeOf(facts, part); size > largest.first) largest = {size, part};
  }
  return largest.second;
}

}  // namespace

v1::Facts LimitReport(v1::Facts facts, size_t limit) {
  for (size_t size = facts.ByteSizeLong(); size > limit; size = facts.ByteSizeLong()) {
    const FieldDescriptor* part = LargestPart(facts);
    const std::string name = part == nullptr ? "unobserved" : part->name();
    const std::string reason = absl::StrFormat(
        "the report is too large (%.1f MiB, the limit is %.1f MiB), most of it %s: see "
        "connect-ha-agent facts on this node",
        static_cast<double>(size) / kMiB, static_cast<double>(limit) / kMiB, name);
    if (part == nullptr) {
      facts.Clear();
      MarkUnobserved(facts, "", reason);
      return facts;
    }
    facts.GetReflection()->ClearField(&facts, part);
    MarkUnobserved(facts, name, reason);
  }
  return facts;
}

}  // namespace connect_ha
